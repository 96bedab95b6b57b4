"""A transfer is judged when it is asked for and again when it takes effect."""

import time

import pytest

from app.domain.time_ranges import DAY
from app.errors import ApiError, NotAdminThere, NotFound, PlanLimit, RecipientUnpaid
from app.extensions import db
from app.models import Source, Transfer, TransferState
from app.services.accounts.quotas import Quota
from app.services.campaigns import handover


@pytest.fixture
def asked(account, other):
    """`asked(bot_id=7)`: a transfer from the account to the other one."""

    def make(**fields) -> Transfer:
        parts = {"account_id": account.id, "recipient_id": other.id, "with_leads": True}
        row = Transfer(**parts, title="x", created=1.0, due=1.0, **fields)
        db.session.add(row)
        db.session.flush()
        return row

    return make


def test_it_is_named_after_what_it_gives(asked, world, others_world):
    bot = world.bot(username="flowers_bot")
    campaign = world.campaign(bot_id=bot, chat_title="Flowers", chat_id=-7)
    others_world.chat(others_world.bot(), chat_id=-7)
    assert handover.check(asked(bot_id=bot)) == "@flowers_bot"
    assert handover.check(asked(campaign_id=campaign)) == "Flowers"


def test_both_steps_refuse_alike(asked, world, others_world, make_account, account):
    kitten = make_account()
    cat = make_account(tariff="cat", paid_until=int(time.time()) + DAY)
    bot = world.bot()
    for _ in range(16):
        world.campaign(bot_id=bot)
    cases: list[tuple[dict[str, int], type[ApiError]]] = [
        ({"bot_id": others_world.bot()}, NotFound),
        ({"campaign_id": others_world.campaign()}, NotFound),
        ({"campaign_id": world.campaign()}, NotAdminThere),
    ]
    transfers = [(asked(**fields), error) for fields, error in cases]
    for recipient, error in ((kitten, RecipientUnpaid), (cat, PlanLimit)):
        transfers.append((row := asked(bot_id=bot), error))
        row.recipient_id = recipient.id
    db.session.commit()
    for row, error in transfers:
        for step in (handover.check, lambda row: handover.take_effect(row, 2.0)):
            with pytest.raises(error):
                step(row)
            db.session.rollback()


def test_one_that_was_moved_on_by_another_clock_is_left_alone(asked, world):
    row = asked(bot_id=world.bot(), state=TransferState.DONE)
    db.session.commit()
    assert not handover.take_effect(row, 2.0)
    db.session.rollback()


def test_the_recipients_number_of_sources_holds(asked, world, others_world, other):
    bot = world.bot()
    world.source(world.campaign(bot_id=bot))
    theirs = others_world.campaign()
    rows = [
        {"account_id": other.id, "campaign_id": theirs, "code": f"{number:08}",
         "title": "x", "click_param": "click", "created": 1}
        for number in range(Quota.SOURCES)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Source, rows)
    row = asked(bot_id=bot)
    db.session.commit()
    for step in (handover.check, handover.clear, lambda row: handover.take_effect(row, 2.0)):
        with pytest.raises(PlanLimit, match="2500 sources"):
            step(row)
        db.session.rollback()
