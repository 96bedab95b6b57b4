"""Each request becomes a row, whether the desk is on or off, and is decided where it is on."""

import json
import re

from sqlalchemy import text

from app.domain.join_requests.facts import Came
from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import CampaignStatus, DecidedBy, DeskMode, GreetOn, RequestState
from app.models.base import Base
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.join_requests.intake import Intake

ANN = Person(7, "Ann", "Lee", "ann_lee", "en", premium=True)


def test_a_request_becomes_a_row_while_the_desk_is_off(make_asking):
    asking = make_asking()
    asked = int(asking.now) - 3
    asking.ask(ANN, link="https://t.me/+abc", bio="I sell", at=asked)
    (row,) = asking.rows()
    assert (row.subscriber, row.asked, row.user_chat) == (7, asked, 7)
    assert (row.username, row.first_name, row.last_name, row.language) == (
        "ann_lee", "Ann", "Lee", "en",
    )  # fmt: skip
    assert (row.premium, row.state, row.action, row.decided_by) == (True, 0, 0, DecidedBy.NOBODY)
    assert (row.campaign_id, row.chat_id) == (asking.stage.campaign, asking.stage.chat)
    assert row.link_key
    assert asking.greetings() == []
    assert asking.decide() == 0
    assert "I sell" not in (db.session.scalar(text("SELECT bio FROM join_request")) or "")
    db.session.rollback()


def test_an_update_that_comes_twice_leaves_one_row(make_asking):
    asking = make_asking()
    asked = int(asking.now) - 100
    for _ in range(2):
        asking.ask(7, at=asked)
    assert len(asking.rows()) == 1


def test_who_asks_again_has_withdrawn_the_first_request(make_asking):
    asking = make_asking()
    asking.ask(7, at=int(asking.now) - 100)
    asking.ask(7, at=int(asking.now) - 50)
    first, second = asking.rows()
    assert (first.state, first.reason) == (RequestState.GONE, "asked again")
    assert second.state == RequestState.WAITING
    asking.join(7)
    assert [row.state for row in asking.rows()] == [RequestState.GONE, RequestState.JOINED]


def test_who_was_let_in_by_another_administrator_is_known(make_asking):
    asking = make_asking()
    asking.ask(7)
    asking.join(7)
    row = asking.row(7)
    assert (row.state, row.decided_by) == (RequestState.JOINED, DecidedBy.OTHER_ADMIN)
    assert row.reason == "let in by another administrator"
    assert row.decided


def test_a_request_knows_the_lead_its_click_and_its_source(make_asking):
    asking = make_asking()
    asking.tell(people.start(Person(7), f"{asking.stage.code}-c1", int(asking.now)))
    asking.ask(7)
    row = asking.row(7)
    assert row.lead_id == asking.stage.lead(7).id
    assert row.came == 2
    assert asking.stage.kinds() == ["wait", "hold"]


def test_everybody_is_scheduled_at_once_where_all_are_let_in(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    row = asking.row(7)
    assert (row.state, row.action) == (RequestState.SCHEDULED, Verdict.APPROVE)
    assert row.decided_by == DecidedBy.RULE
    assert row.rule_id is None


def test_the_first_rule_that_fits_decides_and_is_counted(make_asking):
    asking = make_asking(DeskMode.RULES)
    declined = asking.rule(Verdict.DECLINE, 1, conditions={"premium": False})
    let_in = asking.rule(Verdict.APPROVE, 2, delay_from=600, delay_to=600)
    asking.ask(ANN)
    asking.ask(8)
    ann, other = asking.row(7), asking.row(8)
    assert (ann.rule_id, ann.action, ann.state) == (let_in, Verdict.APPROVE, 1)
    assert ann.due - ann.asked >= 600
    assert (other.rule_id, other.action) == (declined, Verdict.DECLINE)
    hits = db.session.execute(text("SELECT hits FROM request_rule ORDER BY position")).scalars()
    assert list(hits) == [1, 1]
    db.session.rollback()


def test_a_paused_campaign_decides_nothing(make_asking):
    asking = make_asking(DeskMode.ALL, status=CampaignStatus.PAUSED)
    asking.ask(7)
    assert asking.state(7) is RequestState.WAITING


def test_who_asks_is_greeted_before_they_are_approved(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi {username}", greet_button="Go")
    asking.ask(ANN)
    (message,) = asking.greetings()
    row = asking.row(7)
    assert (message.chat_id, message.text, message.expires) == (7, "Hi ann_lee", row.asked + 290)
    assert row.message_id == message.id
    assert row.due >= row.asked + 2
    button = json.loads(message.markup)["inline_keyboard"][0][0]
    assert button["text"] == "Go"
    assert button["url"].endswith(f"?start={asking.stage.code}")


def test_a_request_that_is_told_late_is_not_greeted(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi")
    asking.ask(7, at=int(asking.now) - 400)
    assert asking.greetings() == []
    assert asking.state(7) is RequestState.SCHEDULED


def test_greeting_after_the_approval_says_nothing_before(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi", greet_on=GreetOn.APPROVED)
    asking.ask(7)
    assert asking.greetings() == []


def test_a_rule_that_asks_approves_who_starts_the_bot(make_asking):
    asking = make_asking(DeskMode.RULES, greet="Are you human?")
    asking.rule(Verdict.ASK, otherwise=Verdict.DECLINE, delay_to=900)
    asking.ask(7)
    row = asking.row(7)
    assert (row.state, row.action, row.asks) == (RequestState.SCHEDULED, Verdict.DECLINE, True)
    assert row.due >= row.asked + 900
    asking.tell(people.start(Person(7), asking.stage.code, int(asking.now)))
    row = asking.row(7)
    assert (row.state, row.action, row.reason) == (1, Verdict.APPROVE, "answered")
    assert row.due < row.asked + 900


def test_a_request_belongs_to_the_lead_that_its_person_becomes_by_starting_the_bot(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.DECLINE, conditions={"premium": True})
    asking.ask(Person(6, premium=True))
    asking.decide()
    for person in (7, 8):
        asking.ask(person)
    for person in (6, 7):
        asking.tell(people.start(Person(person), f"{asking.stage.code}-c1", int(asking.now)))
    row = asking.row(7)
    assert (row.state, row.came, row.lead_id) == (RequestState.WAITING, Came.CLICK, 2)
    assert [asking.row(person).lead_id for person in (6, 8)] == [None, None]


def test_the_greeting_of_a_lead_carries_the_token_of_its_click(make_inviting):
    from app.models import Campaign, Message, SourceMode

    inviting = make_inviting(mode=SourceMode.REQUEST)
    db.session.query(Campaign).update({"desk": DeskMode.ALL, "greet": "Hi"})
    db.session.commit()
    inviting.fill()
    inviting.ask(7, inviting.press("click=c1"))
    (click,) = inviting.clicks()
    markup = db.session.query(Message.markup).filter(Message.lane == 0).scalar()
    assert f"?start={inviting.stage.code}_{click.token}" in markup
    db.session.rollback()


def test_with_the_desk_off_all_else_is_stored_byte_for_byte_as_without_a_desk(
    make_asking, monkeypatch
):
    """But for the kept requests, and the ids and clocks that each run has of its own."""
    asking = make_asking(DeskMode.OFF, greet="Hi", greet_on=GreetOn.BOTH)
    asking.rule(Verdict.APPROVE)
    with_desk = played(asking)
    assert with_desk["lead"]
    assert with_desk["postback"]
    monkeypatch.setattr(Intake, "note", lambda *_: None)
    monkeypatch.setattr(Intake, "prepare", lambda *_: None)
    monkeypatch.setattr(Intake, "save", lambda *_: 0)
    assert played(asking) == with_desk
    calls = {call.method for call in asking.bot_api.calls(asking.token)}
    assert calls == {"getUpdates"}


def played(asking):
    """What a play of some people leaves in the tables that the stage did not fill."""
    fresh = [table for table in Base.metadata.sorted_tables if table.name not in KEPT]
    # Triggers count each deleted row, so the counts go last.
    counts = [table for table in fresh if table.name.endswith("_tally")]
    for table in [*reversed(fresh), *counts]:
        db.session.execute(table.delete())
    db.session.commit()
    now = int(asking.now)
    who = [Person(7000 + number, f"P{number}") for number in range(4)]
    asking.tell(people.start(who[0], f"{asking.stage.code}-c1", now))
    for person in who:
        asking.tell(people.join_request(person, asking.chat, now + 1, "https://t.me/+a", "bio"))
    for person in who[:3]:
        asking.tell(people.join(person, asking.chat, now + 2, people.ADMIN))
    asking.tell(people.leave(who[1], asking.chat, now + 3))
    asking.tell(people.start(who[2], asking.stage.code, now + 4))
    asking.decide()
    asking.now = now
    found = {}
    for table in fresh:
        names = [column.name for column in table.c if not OWN.search(column.name)]
        rows = db.session.execute(table.select()).mappings()
        found[table.name] = sorted(repr([(name, row[name]) for name in names]) for row in rows)
    db.session.rollback()
    return found | {"join_request": []}


#: Tables that the stage fills, or that stand for all installations.
KEPT = {
    "account", "bot", "bot_chat", "campaign", "destination", "destination_lane", "request_rule",
}  # fmt: skip
#: What each run has of its own: ids, and times of ours.
OWN = re.compile(r"id$|^(received|processed|created|updated|due|event|settled|body)$")
