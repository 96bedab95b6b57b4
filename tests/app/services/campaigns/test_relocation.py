"""The history of a campaign follows it, a part at a time, to whoever has it by then."""

import orjson
import pytest
from sqlalchemy import select, update

from app.errors import TooManyRequests
from app.extensions import db
from app.models import (
    Bot,
    Campaign,
    Click,
    Conversion,
    JoinRequest,
    JournalEntry,
    Lead,
    Message,
    Postback,
    PostbackState,
    RequestState,
    Transfer,
    TransferState,
)
from app.services.campaigns import handover, relocation, settlement
from app.services.leads import erasure
from tests.app.services.campaigns.conftest import Stock

MODELS = (Lead, JournalEntry, Postback, Message, Conversion, JoinRequest, Click)


@pytest.fixture
def bot(world):
    return world.bot()


def test_what_tells_of_leads_goes_but_for_what_the_givers_own_trackers_were_told(
    world, others_world, bot
):
    shared = world.destination()
    given, kept = Stock(world, bot, shared), Stock(world, bot, shared)
    before, others = given.owners(), kept.owners()
    recipient, new_bot = others_world.account_id, others_world.bot()
    values = {"account_id": recipient, "bot_id": new_bot}
    db.session.execute(update(Campaign).where(Campaign.id == given.id).values(values))
    progress = relocation.begin([given.id], [bot])
    while progress:
        progress = relocation.move_part(db.session.connection(), progress)
    gone = dict.fromkeys(("lead", "entry", "own postback", "message"), recipient)
    assert given.owners() == before | gone
    assert kept.owners() == others
    for model, number in ((Lead, given.lead), (JournalEntry, given.entry)):
        assert db.session.scalar(select(model.bot_id).where(model.id == number)) == new_bot
    assert db.session.scalar(select(Lead.bot_id).where(Lead.id == kept.lead)) == bot


def test_what_is_not_there_any_more_needs_nothing(app):
    assert relocation.begin([], [1]) == ""
    assert relocation.move_part(db.session.connection(), relocation.begin([10**9], [1])) == ""


class Long:
    """A transfer of a bot whose campaign has four of everything, one for each part."""

    def __init__(self, world, others_world):
        self.giver, self.recipient = world.account_id, others_world.account_id
        self.bot = world.bot()
        self.campaign = world.campaign(bot_id=self.bot)
        source, tracker = world.source(self.campaign), world.destination(campaign_id=self.campaign)
        states = [RequestState.WAITING, RequestState.APPROVED] * 2
        for number in range(4):
            lead = world.lead(self.campaign, bot_id=self.bot, subscriber=100 + number)
            whose = {"campaign_id": self.campaign, "lead_id": lead}
            world.entry(self.bot, -1, **whose)
            world.entry(self.bot, -1, campaign_id=self.campaign, lead_id=None, subscriber=number)
            world.postback(tracker, **whose)
            world.conversion(**whose)
            world.request(self.campaign, bot_id=self.bot, state=states[number])
            world.click(source)
            db.session.add(
                Message(
                    account_id=self.giver, bot_id=self.bot, chat_id=100 + number, text="hi",
                    due=1.0, created=1.0, **whose,
                )
            )  # fmt: skip
        row = Transfer(
            account_id=self.giver, recipient_id=self.recipient, bot_id=self.bot, with_leads=True,
            title="x", created=1.0, due=5.0,
        )  # fmt: skip
        db.session.add(row)
        db.session.commit()
        self.transfer = row.id

    def owners(self):
        """How many rows of each kind the giver and the recipient have."""
        db.session.expire_all()
        found = {
            model.__name__: [
                sum(owner == account for owner in db.session.scalars(select(model.account_id)))
                for account in (self.giver, self.recipient)
            ]
            for model in MODELS
        }
        db.session.commit()
        return found

    def owner(self):
        owner = db.session.scalar(select(Bot.account_id).where(Bot.id == self.bot))
        db.session.commit()
        return owner

    def progress(self):
        text = db.session.scalar(select(Transfer.progress))
        db.session.commit()
        return text


@pytest.fixture
def long(live_app, world, others_world, monkeypatch):
    monkeypatch.setattr(relocation, "LEADS", 1)
    monkeypatch.setattr(relocation, "ROWS", 1)
    monkeypatch.setattr(settlement, "_SHORT", 1)
    return Long(world, others_world)


def late():
    """A clock by which it is late after each part."""
    seconds = iter([0.0])
    return lambda: next(seconds, 9.0)


def all_at(long, account):
    whole = [4, 0] if account == long.giver else [0, 4]
    counts = {model.__name__: whole for model in MODELS}
    return counts | {"JournalEntry": [number * 2 for number in whole]}


def test_the_bot_goes_at_once_and_its_history_over_many_calls(long):
    assert settlement.settle(9.0, late()) == 1
    assert long.owner() == long.recipient
    assert long.owners()["Lead"] == [3, 1]
    assert long.owners()["Conversion"] == [3, 1]
    for _ in range(3):
        settlement.settle(9.0, late())
    assert long.owners()["Lead"] == [0, 4]
    assert long.owners()["Click"] == [4, 0]
    calls = 0
    while long.progress():
        settlement.settle(9.0, late())
        calls += 1
    assert calls > 12
    assert long.owners() == all_at(long, long.recipient)


def test_leads_of_whom_something_is_reported_now_go_at_once_with_their_clicks(long, world):
    last = select(Lead.id).order_by(Lead.id.desc()).limit(1)
    lead = db.session.scalar(last)
    world.click(db.session.scalar(select(Click.source_id).limit(1)), lead_id=lead)
    waiting = {"state": PostbackState.WAITING, "due": 1.0}
    db.session.execute(update(Postback).where(Postback.lead_id == lead).values(waiting))
    db.session.commit()
    transfer = db.session.get_one(Transfer, long.transfer)
    handover.take_effect(transfer, 9.0)
    db.session.commit()
    gone = [
        db.session.scalar(select(model.account_id).where(model.lead_id == lead))
        for model in (Postback, Click, Conversion)
    ]
    assert gone == [long.recipient] * 3
    assert long.owners()["Lead"] == [3, 1]


def test_as_many_leads_go_at_once_with_many_campaigns_as_with_one(long, world, monkeypatch):
    monkeypatch.setattr(relocation, "URGENT", 2)
    for _ in range(3):
        campaign = world.campaign(bot_id=long.bot)
        lead = world.lead(campaign, bot_id=long.bot)
        tracker = world.destination(campaign_id=campaign)
        world.postback(tracker, lead_id=lead, campaign_id=campaign, state=PostbackState.WAITING)
    db.session.commit()
    handover.take_effect(db.session.get_one(Transfer, long.transfer), 9.0)
    db.session.commit()
    assert long.owners()["Lead"] == [5, 2]


def test_a_part_looks_at_a_bounded_number_of_rows_also_where_none_has_to_move(long, monkeypatch):
    monkeypatch.setattr(relocation, "SEEN", 1)
    settlement.settle(9.0, lambda: 0.0)
    assert long.owners() == all_at(long, long.recipient)
    progress, parts = relocation.begin([long.campaign], [long.bot]), 0
    while progress:
        progress = relocation.move_part(db.session.connection(), progress)
        parts += 1
    assert parts > 7 * 4  # its steps, and the rows of each


def test_a_place_that_the_release_before_has_written_begins_its_step_anew(long):
    before = relocation._Progress([long.campaign], [long.bot], 0, [10**12])
    progress = relocation._text(before)
    values = {"account_id": long.recipient}
    db.session.execute(update(Campaign).where(Campaign.id == long.campaign).values(values))
    while progress:
        progress = relocation.move_part(db.session.connection(), progress)
    db.session.commit()
    assert long.owners()["Lead"] == [0, 4]


def test_one_that_is_reversed_in_the_middle_comes_back_whole(long):
    settlement.settle(9.0, late())
    settlement.settle(9.0, late())
    db.session.execute(update(Transfer).values(state=TransferState.REVERSING, due=9.0))
    db.session.commit()
    assert settlement.settle(9.0, late()) == 1
    assert long.owner() == long.giver
    settlement.settle(9.0, lambda: 0.0)
    assert (long.progress(), long.owners()) == ("", all_at(long, long.giver))


def test_a_part_that_fails_is_moved_later(long, monkeypatch):
    usual = relocation.move_part
    monkeypatch.setattr(relocation, "move_part", lambda connection, _: usual(connection, "[]"))
    with pytest.raises(TypeError):
        settlement.settle(9.0, late())
    db.session.rollback()
    monkeypatch.undo()
    assert long.owners() == all_at(long, long.giver)
    settlement.settle(9.0, lambda: 0.0)
    assert (long.progress(), long.owners()) == ("", all_at(long, long.recipient))


def test_what_changes_its_place_meanwhile_is_found(long):
    settlement.settle(9.0, late())
    while relocation._Progress(*orjson.loads(long.progress())).step < 3:
        settlement.settle(9.0, late())
    first = select(JoinRequest.id).limit(1).scalar_subquery()
    db.session.execute(
        update(JoinRequest).where(JoinRequest.id == first).values(account_id=long.giver, state=0)
    )
    db.session.commit()
    settlement.settle(9.0, lambda: 0.0)
    assert long.owners() == all_at(long, long.recipient)


def test_nobody_is_erased_half_while_leads_come_or_go(long):
    settlement.settle(9.0, late())
    for account in (long.giver, long.recipient):
        with pytest.raises(TooManyRequests):
            erasure.erase(account, 101)
    db.session.rollback()
    settlement.settle(9.0, lambda: 0.0)
    assert erasure.erase(long.recipient, 101) == 1
