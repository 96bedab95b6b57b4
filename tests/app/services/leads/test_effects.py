"""Reports become postbacks to the destinations in force, notices and welcomes."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.domain.lead import Lead, Report, State
from app.domain.telegram.person import Person
from app.extensions import db
from app.models import Account, Campaign, DestinationStatus, Message, Notice, Postback, Role
from app.services.leads.batch import LeadContext
from app.services.leads.effects import StagedCounts, prepare_effects, stage_effects
from plugins.contract import EventKind, TranslatableText

T = 1_800_000_000
ANN = Person(101, "ann", "Ann", "Lee", "en")


def report(kind: EventKind = EventKind.WAIT, sequence: int = 1, *, late: bool = False) -> Report:
    return Report(kind, T, "click1", None, sequence, late)


@pytest.fixture
def context(app: Any, world: Any) -> Any:
    """`context(welcome="Hi")`: a waiting lead of a new campaign of `account`."""

    def make(**fields: Any) -> LeadContext:
        campaign = world.campaign(**fields)
        row = db.session.execute(select(Campaign.__table__).where(Campaign.id == campaign)).one()
        lead = Lead(State.WAIT, "click1", T, None, T, T, 1, reports=1)
        return LeadContext(row, ANN, world.lead(campaign, subscriber=ANN.id), lead)

    return make


def stage(reports: Any = (), welcomes: Any = ()) -> StagedCounts:
    connection, now = db.session.connection(), float(T)
    new_postbacks = prepare_effects(connection, reports, now)
    staged = stage_effects(connection, new_postbacks, welcomes, now)
    db.session.commit()
    return staged


def destinations() -> list[int]:
    return list(db.session.scalars(select(Postback.destination_id).order_by(Postback.id)))


def test_nothing_to_report_stages_nothing(app: Any) -> None:
    assert stage() == StagedCounts(0, 0)


def test_a_report_goes_to_all_living_destinations_of_campaign_and_account(
    context: Any, world: Any, others_world: Any
) -> None:
    lead = context()
    shared = world.destination(role=Role.CONNECTED)
    own = world.destination(role=Role.CONNECTED, campaign_id=lead.campaign.id)
    world.destination(role=Role.CONNECTED, campaign_id=world.campaign())
    world.destination(role=Role.CONNECTED, status=DestinationStatus.DELETED)
    others_world.destination(role=Role.CONNECTED)
    assert stage([(lead, report())]).postbacks == 2
    assert sorted(destinations()) == sorted([shared, own])


def test_a_template_of_the_campaign_hides_those_of_the_account(context: Any, world: Any) -> None:
    first, second = context(), context()
    shared = world.destination(role=Role.TEMPLATE)
    own = world.destination(role=Role.TEMPLATE, campaign_id=first.campaign.id)
    stage([(first, report()), (second, report())])
    assert sorted(destinations()) == sorted([own, shared])
    by_lead = dict(db.session.execute(select(Postback.lead_id, Postback.destination_id)).all())
    assert by_lead == {first.id: own, second.id: shared}


def test_a_destination_gets_only_the_kinds_it_wants(context: Any, world: Any) -> None:
    lead = context()
    bit = 1 << list(EventKind).index(EventKind.APPROVE)
    world.destination(events=bit)
    reports = [report(kind, number) for number, kind in enumerate(EventKind, 1)]
    assert stage([(lead, one) for one in reports]).postbacks == 1
    assert db.session.scalar(select(Postback.kind)) == EventKind.APPROVE.value


def test_a_postback_carries_the_event_as_it_was(context: Any, world: Any) -> None:
    lead = context()
    world.destination()
    stage([(lead, report(sequence=3))])
    event = json.loads(db.session.scalar(select(Postback.event)) or "")
    assert event["id"] == f"{lead.campaign.code}-{lead.id}-3"
    assert (event["subscriber"], event["username"], event["click"]) == (101, "ann", "click1")
    assert (event["campaign"], event["time"]) == (lead.campaign.code, T)


@pytest.mark.parametrize(("level", "kinds"), [(0, []), (1, ["approve"]), (3, ["approve", "wait"])])
def test_the_owner_is_told_what_the_campaign_asks_for(
    context: Any, account: Account, change_settings: Any, level: int, kinds: list[str]
) -> None:
    change_settings(service_bot_token="1:token")
    db.session.get_one(Account, account.id).tg_id = 55
    db.session.commit()
    lead = context(notify_level=level)
    waits = [(lead, report(EventKind.WAIT, number)) for number in (1, 2)]
    stage([*waits, (lead, report(EventKind.APPROVE, 3))])
    notices = db.session.execute(select(Notice.kind, Notice.times).order_by(Notice.kind)).all()
    assert [tuple(row) for row in notices] == [
        (kind, {"approve": 1, "wait": 2}[kind]) for kind in kinds
    ]


def test_a_welcome_is_filled_in_and_due_at_once(context: Any) -> None:
    lead = context(welcome="Hi {first_name}", button_text="Go", button_url="https://x.example/")
    assert stage(welcomes=[lead]).messages == 1
    message = db.session.scalars(select(Message)).one()
    assert (message.chat_id, message.lead_id, message.due) == (ANN.id, lead.id, T)
    assert "Hi" in message.text
    assert json.loads(message.markup) == {
        "inline_keyboard": [[{"text": "Go", "url": "https://x.example/"}]]
    }


def test_a_campaign_without_a_welcome_says_nothing(context: Any) -> None:
    assert stage(welcomes=[context(welcome="  ")]).messages == 0


def test_media_alone_is_a_welcome(context: Any) -> None:
    assert stage(welcomes=[context(welcome="", media="img_1")]).messages == 1


def fault_of(campaign: int) -> str:
    row = db.session.get_one(Campaign, campaign, populate_existing=True)
    fault = row.welcome_fault
    db.session.commit()
    return fault


@pytest.mark.parametrize(
    ("welcome", "fault"),
    [
        ("a *lone mark", "Can't find end"),
        ("[in](https://intranet/x)", "https://intranet/x"),
        ("*" + "long " * 900 + "*", "4096"),
        ("*fine*", ""),
    ],
)
def test_a_welcome_with_a_fault_is_staged_and_its_campaign_flagged(
    context: Any, welcome: str, fault: str
) -> None:
    lead = context(welcome=welcome)
    assert stage(welcomes=[lead]).messages == 1
    told = fault_of(lead.campaign.id)
    assert fault in told
    assert bool(told) is bool(fault)
    assert isinstance(told, TranslatableText) is bool(fault)


def test_a_button_that_is_no_address_costs_itself_alone(context: Any) -> None:
    lead = context(welcome="Hi", button_text="Go", button_url="https://{click}/")
    assert stage(welcomes=[lead]).messages == 1
    assert db.session.scalar(select(Message.markup)) == ""
    fault = fault_of(lead.campaign.id)
    assert "button_url" in fault
    assert isinstance(fault, TranslatableText)


def test_a_campaign_whose_welcome_was_edited_meanwhile_is_not_flagged(context: Any) -> None:
    lead = context(welcome="a *lone mark")
    db.session.get_one(Campaign, lead.campaign.id).welcome = "mended"
    db.session.commit()
    stage(welcomes=[lead])
    assert fault_of(lead.campaign.id) == ""


def test_a_caption_is_cut_with_its_entities(context: Any) -> None:
    stage(welcomes=[context(welcome="*" + "b" * 2000 + "*", media="img_1")])
    message = db.session.scalars(select(Message)).one()
    assert (len(message.text), message.parse_mode) == (1024, "")
    assert json.loads(message.entities) == [{"type": "bold", "offset": 0, "length": 1024}]
