"""A batch reads its leads, moves them in memory and writes everything at once."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, literal, select

from app.domain.lead import State
from app.domain.telegram.evidence import NO_EVIDENCE, Arrival, Evidence
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.extensions import db
from app.models import Bot, Campaign, Click, JournalEntry, Lead, table_of
from app.services.leads.batch import LeadBatch

ANN, BOB = Person(101, "ann"), Person(102, "bob")
T = 1_800_000_000
NOW = 1_700_000_000.0  # the plan of `account` has not ended
START, REQUEST, JOIN, LEAVE, KICK = LeadEventKind


def lead_event(
    kind: LeadEventKind, at: int, person: Person = ANN, update_id: int | None = None
) -> LeadEvent:
    chat = None if kind is START else -5
    return LeadEvent(kind, person, chat, T + at, update_id or at + 1, was_member=kind is LEAVE)


@pytest.fixture
def campaign(world: Any) -> Any:
    return world.campaign(chat_id=-5)


def apply(campaign: int, *events: LeadEvent) -> None:
    """Apply events in one batch and commit."""
    table = table_of(Campaign)
    row = db.session.execute(
        select(table, Bot.tg_id.label("bot_tg_id"), literal(1).label("has_requests"))
        .join(Bot, Bot.id == table.c.bot_id)
        .where(table.c.id == campaign)
    ).one()
    batch = LeadBatch(db.session.connection(), NOW)
    batch.load([(row, one, None) for one in events])
    for one in events:
        batch.apply(row, one)
    batch.prepare()
    batch.save()
    db.session.commit()
    db.session.expire_all()


def leads() -> dict[int, Lead]:
    return {lead.subscriber: lead for lead in db.session.scalars(select(Lead))}


def test_leads_are_inserted_and_then_updated(campaign: int) -> None:
    apply(campaign, lead_event(START, 0), lead_event(START, 0, BOB))
    assert {lead.state for lead in leads().values()} == {State.WAIT}
    apply(campaign, lead_event(JOIN, 5))
    states = {person: lead.state for person, lead in leads().items()}
    assert states == {ANN.id: State.APPROVE, BOB.id: State.WAIT}
    assert leads()[ANN.id].join_time == T + 5


def test_several_events_of_one_person_write_one_row(campaign: int) -> None:
    apply(campaign, lead_event(START, 0), lead_event(JOIN, 5), lead_event(LEAVE, 9))
    (lead,) = leads().values()
    assert (lead.state, lead.reports) == (State.CANCEL, 3)


def test_an_organic_entry_of_an_earlier_batch_is_attached_to_the_lead_it_caused(
    campaign: int,
) -> None:
    apply(campaign, lead_event(JOIN, 5))
    assert leads() == {}
    (entry,) = db.session.scalars(select(JournalEntry))
    assert entry.lead_id is None
    apply(campaign, lead_event(START, 3))
    (lead,) = leads().values()
    assert lead.state == State.APPROVE
    entries = db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)).all()
    assert [row.lead_id for row in entries] == [lead.id, lead.id]
    assert entries[0].decision == "approve reported"


def test_organic_events_of_another_person_are_left_alone(campaign: int) -> None:
    apply(campaign, lead_event(JOIN, 5, BOB))
    apply(campaign, lead_event(START, 3))
    assert leads()[ANN.id].state == State.WAIT
    organic = select(JournalEntry.subscriber).where(JournalEntry.lead_id.is_(None))
    assert db.session.scalars(organic).all() == [BOB.id]


@pytest.mark.parametrize("people", [1, 40])
def test_the_number_of_statements_does_not_grow_with_the_batch(campaign: int, people: int) -> None:
    statements: list[str] = []
    connection = db.session.connection()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    try:
        persons = [Person(1000 + number) for number in range(people)]
        apply(campaign, *(lead_event(START, 0, person) for person in persons))
    finally:
        event.remove(connection, "before_cursor_execute", note)
    assert len(leads()) == people
    # The campaign, leads, organic entries, leads, journal, days, quarters, destinations.
    writes = [one for one in statements if not one.startswith(("SAVEPOINT", "RELEASE"))]
    assert len(writes) <= 9


def test_an_entry_says_by_which_way_the_person_came(campaign: int) -> None:
    ours, theirs = db.session.scalars(select(Bot.tg_id)).one(), 5
    link = Evidence("https://t.me/+AbC", "Ads, June", ours)
    ways = {
        JOIN: (link, Arrival.LINK, link.link_key, "Ads, June"),
        REQUEST: (
            replace(link, link_creator=theirs),
            Arrival.OTHER_LINK,
            link.link_key,
            "Ads, June",
        ),
        LEAVE: (NO_EVIDENCE, Arrival.UNKNOWN, None, ""),
    }
    for at, (kind, (evidence, *_)) in enumerate(ways.items()):
        apply(campaign, replace(lead_event(kind, at), evidence=evidence))
    for entry, (_, *expected) in zip(
        db.session.scalars(select(JournalEntry).order_by(JournalEntry.id)),
        ways.values(),
        strict=True,
    ):
        assert [entry.arrival, entry.link_key, entry.link_name] == expected


def test_an_organic_join_keeps_its_evidence_when_the_lead_takes_it(campaign: int) -> None:
    link = Evidence("https://t.me/+AbC", "Ads, June", 5)
    join = replace(lead_event(JOIN, 5), evidence=link)
    apply(campaign, join, lead_event(START, 3))
    (started, joined) = db.session.scalars(select(JournalEntry).order_by(JournalEntry.time))
    assert (started.link_name, joined.link_name) == ("", "Ads, June")
    assert joined.lead_id == started.lead_id


def test_a_lead_and_its_stored_click_know_each_other(campaign: int, world: Any) -> None:
    click = world.click(world.source(campaign))
    start = replace(lead_event(START, 0), click="c1", source_id=3, click_id=click)
    apply(campaign, start, lead_event(START, 5))
    (lead,) = leads().values()
    assert (lead.click, lead.source_id, lead.click_id) == ("c1", 3, click)
    assert db.session.get_one(Click, click).lead_id == lead.id
    apply(campaign, replace(lead_event(START, 9), click="c2"))
    assert (leads()[ANN.id].click, leads()[ANN.id].click_id) == ("c2", None)


def test_the_click_of_the_first_start_outlives_a_bare_start(campaign: int) -> None:
    first = replace(lead_event(START, 0), click="c1")
    apply(campaign, first, lead_event(JOIN, 5), lead_event(START, 9), lead_event(LEAVE, 12))
    assert leads()[ANN.id].click == "c1"
