"""Rows of deleted things go when no history names them; everything else stays."""

import threading
import time

import pytest
from sqlalchemy import update

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import (
    Bot,
    BotChat,
    BotStatus,
    Campaign,
    CampaignDay,
    CampaignStatus,
    Destination,
    DestinationStatus,
    Message,
    Notice,
    Source,
    SourceDay,
    SourceStatus,
    Update,
)
from app.services import purge

NOW = time.time()
OLD = int(NOW - 40 * DAY)


@pytest.fixture(autouse=True)
def _from_the_beginning():
    purge._after.clear()


def ids(model) -> list[int]:
    found = [row.id for row in db.session.query(model).order_by(model.id)]
    db.session.commit()
    return found


def test_a_deleted_destination_goes_unless_it_has_postbacks_or_is_young(world):
    deleted = {"status": DestinationStatus.DELETED}
    gone = world.destination(created=OLD, **deleted)
    told = world.destination(created=OLD, **deleted)
    world.postback(told)
    young = world.destination(created=int(NOW), **deleted)
    living = world.destination(created=OLD)
    assert purge.purge(NOW) == 1
    assert ids(Destination) == [told, young, living]
    assert gone not in ids(Destination)


def test_a_deleted_campaign_goes_with_what_is_its_own_unless_it_has_a_history(world):
    bot = world.bot(created=OLD)
    deleted = {"bot_id": bot, "created": OLD, "status": CampaignStatus.DELETED}
    gone, with_lead, with_entry, with_postback = (world.campaign(**deleted) for _ in range(4))
    living = world.campaign(bot_id=bot, created=OLD)
    world.destination(campaign_id=gone, role=0)
    db.session.add(CampaignDay(campaign_id=gone, day=1))
    world.lead(with_lead, bot_id=bot)
    world.entry(bot, -1, campaign_id=with_entry)
    world.postback(world.destination(campaign_id=with_postback), campaign_id=with_postback)
    assert purge.purge(NOW) == 1
    assert ids(Campaign) == sorted([with_lead, with_entry, with_postback, living])
    assert gone not in [row.campaign_id for row in db.session.query(Destination)]


@pytest.mark.parametrize("history", ["campaign", "lead", "entry", "message", "update"])
def test_a_deleted_bot_goes_unless_anything_tells_of_it(world, history):
    deleted = {"created": OLD, "status": BotStatus.DELETED}
    gone, kept = world.bot(**deleted), world.bot(**deleted)
    living = world.bot(created=OLD)
    db.session.add(BotChat(bot_id=gone, chat_id=-1, title="", type="", is_admin=True, changed=0))
    if history == "campaign":
        world.campaign(bot_id=kept)
    elif history == "lead":
        world.lead(world.campaign(bot_id=living), bot_id=kept)
    elif history == "entry":
        world.entry(kept, -1)
    elif history == "message":
        columns = {"account_id": 1, "campaign_id": 1, "lead_id": 1, "due": 1.0, "created": 1.0}
        db.session.add(Message(bot_id=kept, chat_id=1, text="", entities="", markup="", **columns))
    else:
        db.session.add(Update(bot_id=kept, update_id=1, body=b"", received=1.0, state=1))
    db.session.commit()
    assert purge.purge(NOW) == 1
    assert ids(Bot) == [kept, living]


def test_a_deleted_source_goes_with_its_days_unless_it_has_clicks(world):
    campaign, deleted = world.campaign(), {"created": OLD, "status": SourceStatus.DELETED}
    gone, clicked = world.source(campaign, **deleted), world.source(campaign, **deleted)
    world.click(clicked)
    living = world.source(campaign, created=OLD)
    db.session.add(SourceDay(source_id=gone, day=1))
    db.session.commit()
    assert purge.purge(NOW) == 1
    assert ids(Source) == [clicked, living]
    assert db.session.query(SourceDay).all() == []


def test_an_account_that_gave_or_got_something_lately_keeps_what_it_deleted(world):
    """An undo revives it, up to a month later."""
    deleted = {"created": OLD, "status": BotStatus.DELETED}
    bot = world.bot(**deleted)
    destination = world.destination(created=OLD, status=DestinationStatus.DELETED)
    world.transfer(world.bot())
    assert purge.purge(NOW) == 0
    assert bot in ids(Bot)
    assert ids(Destination) == [destination]


def test_a_notice_that_nobody_was_sent_goes(world):
    for age in (0, 1, 3):
        db.session.add(Notice(account_id=world.account_id, kind="wait", created=NOW - age * DAY))
    db.session.commit()
    assert purge.purge(NOW) == 1
    assert len(ids(Notice)) == 2


def test_each_run_goes_on_behind_the_last_and_begins_again(world, monkeypatch):
    monkeypatch.setattr(purge, "SLICE", 2)
    for number in range(7):
        status = DestinationStatus.ACTIVE if number == 2 else DestinationStatus.DELETED
        world.destination(created=OLD, status=status)
    assert [purge.purge(NOW) for _ in range(5)] == [2, 1, 2, 1, 0]
    assert len(ids(Destination)) == 1


@pytest.mark.parametrize("what", ["bot", "destination"])
def test_what_comes_back_to_life_at_this_moment_stays(live_app, world, what):
    """A bot is connected again, or templates are filled in again, while they are looked at."""
    if what == "bot":
        model, alive = Bot, {"status": BotStatus.ACTIVE}
        gone = world.bot(created=OLD, status=BotStatus.DELETED)
    else:
        model, alive = Destination, {"status": DestinationStatus.ACTIVE}
        gone = world.destination(created=OLD, status=DestinationStatus.DELETED)
    db.session.commit()

    def run():
        with live_app.app_context():
            purge.purge(NOW)

    thread = threading.Thread(target=run)
    with db.engine.begin() as other:
        other.execute(update(model).where(model.id == gone).values(alive))
        thread.start()
        thread.join(0.5)  # by now it waits for us, or has gone past
    thread.join()
    assert ids(model) == [gone]
