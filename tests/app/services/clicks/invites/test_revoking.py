"""A link is revoked after its person came, whatever Telegram says to it."""

import pytest

from app.models import InviteState, SourceMode
from app.sandbox.telegram.faults import DROP, NO_RIGHTS, SERVER_ERROR, flood
from app.services.clicks.invites import keeper, revoking
from app.services.clicks.invites.arrivals import REVOKED_AFTER

REVOKE = "revokeChatInviteLink"


@pytest.fixture
def inviting(make_inviting):
    made = make_inviting(mode=SourceMode.INVITE)
    made.join(7, made.press())
    return made


def state(inviting):
    (invite,) = inviting.invites()
    return invite.state


def calls(inviting):
    return len(inviting.bot_api.calls(inviting.token, REVOKE))


def test_it_is_revoked_some_seconds_after_the_first_join(inviting):
    due = inviting.invites()[0].due
    assert keeper.revoke(due - 0.1) == 0
    assert keeper.revoke(due) == 1
    assert state(inviting) == InviteState.GONE
    assert keeper.revoke(due + 100) == 0
    assert REVOKED_AFTER == 5.0


def test_nobody_needs_the_link_afterwards_but_its_key_tells_of_those_who_use_it_late(inviting):
    link = inviting.invites()[0].link
    inviting.leave(7)
    inviting.join(8, link)
    keeper.revoke(inviting.now + 60)
    (invite,) = inviting.invites()
    assert (invite.link, invite.uses) == ("", 2)
    assert invite.link_key


@pytest.mark.parametrize("fault", [SERVER_ERROR, DROP])
def test_without_an_answer_it_is_tried_again_later(inviting, fault):
    inviting.bot_api.fail(inviting.token, REVOKE, fault)
    now = inviting.now + 60
    assert keeper.revoke(now) == 1
    assert state(inviting) == InviteState.TO_REVOKE
    assert keeper.revoke(now) == 0
    assert keeper.revoke(now + revoking.PAUSES[0]) == 1
    assert state(inviting) == InviteState.GONE


def test_a_link_that_is_gone_at_telegram_is_gone(inviting):
    link = inviting.invites()[0].link
    double = inviting.bot_api
    from app.outbound.telegram import BotApi

    BotApi(double.url, inviting.token).call(REVOKE, chat_id=inviting.chat.id, invite_link=link)
    keeper.revoke(inviting.now + 60)
    assert state(inviting) == InviteState.GONE


def test_a_link_that_the_bot_may_not_revoke_is_left_and_not_tried_for_ever(inviting):
    inviting.bot_api.fail(inviting.token, REVOKE, NO_RIGHTS)
    keeper.revoke(inviting.now + 60)
    assert state(inviting) == InviteState.REFUSED
    assert keeper.revoke(inviting.now + 10_000) == 0


def test_a_flood_wait_is_obeyed_and_then_it_is_revoked(inviting):
    inviting.bot_api.fail(inviting.token, REVOKE, flood(30))
    now = inviting.now + 60
    keeper.revoke(now)
    assert (keeper.revoke(now + 20), state(inviting)) == (0, InviteState.TO_REVOKE)
    assert (keeper.revoke(now + 40), state(inviting)) == (1, InviteState.GONE)


def test_two_workers_revoke_it_once(inviting):
    now = inviting.now + 60
    assert len(revoking.claim(now, 10)) == 1
    assert revoking.claim(now, 10) == []
    assert len(revoking.claim(now + revoking.LEASE_SECONDS, 10)) == 1
