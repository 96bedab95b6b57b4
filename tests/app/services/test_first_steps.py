import time

import pytest

from app.models import BotStatus, DestinationStatus, PostbackState
from app.services import first_steps
from app.services.lists import row_counts


@pytest.fixture
def progress(account):
    return lambda: first_steps.progress(account.id, time.time())


def test_an_empty_account_has_done_nothing(progress, others_world):
    campaign = others_world.campaign()
    others_world.lead(campaign)
    others_world.postback(others_world.destination(), state=PostbackState.DELIVERED)
    assert progress().done == (False,) * 5
    assert (progress().lead, progress().postback) == (None, None)


def test_what_was_given_up_counts_no_more(progress, world):
    world.bot(status=BotStatus.DELETED)
    world.destination(status=DestinationStatus.DELETED)
    bot = world.bot()
    world.chat(bot, is_admin=False)
    assert progress().done == (True, False, False, False, False)


def test_the_last_step_is_a_postback_that_was_delivered(progress, world):
    campaign, destination = world.campaign(), world.destination()
    lead = world.lead(campaign)
    failed = world.postback(destination, state=PostbackState.FAILED, created=time.time() - 5)
    assert (progress().lead, progress().postback) == (lead, failed)
    assert not progress().has_delivered
    delivered = world.postback(destination, state=PostbackState.DELIVERED, created=time.time())
    assert (progress().postback, progress().has_delivered) == (delivered, True)
    assert not progress().is_over


def test_it_is_known_also_after_the_counts_were_added_up(progress, world):
    world.postback(world.destination(), state=PostbackState.DELIVERED, created=time.time() - 9000)
    row_counts.compact()
    assert progress().has_delivered
    assert progress().is_over
