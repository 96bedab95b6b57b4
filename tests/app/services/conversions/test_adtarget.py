"""Conversions by AdTarget's API, as a worker of theirs reports them."""

import json
import time

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Conversion, ConversionDay, Postback
from app.services.conversions import cold
from app.services.trackers.url_templates import events_mask
from plugins.contract import ALL_KINDS
from tests.support.adtarget_worker import Worker, key_of, refused

PERSON = 987_654_321


@pytest.fixture
def worker(client, account):
    return Worker(client, key_of(account))


@pytest.fixture
def campaign(world):
    return world.campaign(chat_id=-1_001_234_567_890)


@pytest.fixture
def lead(world, campaign):
    return world.lead(campaign, subscriber=PERSON, click="c-1", how=1)


@pytest.fixture
def destination(world, campaign):
    return world.destination(campaign_id=campaign, events=events_mask(ALL_KINDS))


@pytest.mark.parametrize(
    ("event", "recorded"),
    [
        (("Lead", {}), ("register", "Lead")),
        (("CompleteRegistration", {}), ("register", "")),
        (("Subscribe", {"value": 5, "currency": "EUR"}), ("custom", "Subscribe")),
        (("Purchase", {"value": 49.5, "currency": "USD"}), ("purchase", "")),
        (("Custom", {"customEventName": "Deposit"}), ("custom", "Deposit")),
    ],
)
def test_each_type_of_event_is_recorded_and_reported(worker, lead, destination, event, recorded):
    (event_type, fields), (kind, name) = event, recorded
    answer = worker.conversion(PERSON, event_type, eventTime=1_700_000_000_123, **fields)
    assert (answer["capiStatus"], answer["coldLead"], answer["dispatched"]) == (
        "pending",
        False,
        True,
    )
    (postback,) = db.session.scalars(select(Postback))
    assert answer["sends"] == [{"sendId": str(postback.id), "platform": "url_template"}]
    row = db.session.get(Conversion, int(answer["conversionId"]))
    assert (row.kind, row.name, row.lead_id, row.time) == (kind, name, lead, 1_700_000_000)
    assert json.loads(postback.event)["kind"] == kind
    (shown,) = worker.lead(PERSON)["conversions"]
    assert (shown["eventType"], shown["customEventName"]) == (
        event_type,
        fields.get("customEventName"),
    )
    assert (shown["value"], shown["currency"]) == (fields.get("value"), fields.get("currency"))


def test_without_a_destination_nothing_is_dispatched(worker, lead):
    answer = worker.conversion(PERSON, "Lead")
    assert (answer["capiStatus"], answer["dispatched"], answer["sends"]) == ("skipped", False, [])


def test_under_one_key_there_is_one_conversion_and_without_two(worker, lead, destination):
    buy = {"value": 10, "currency": "USD"}
    first = worker.conversion(PERSON, "Purchase", idempotency_key="tg1:5:purchase:1", **buy)
    assert not worker.replayed
    again = worker.conversion(PERSON, "Purchase", idempotency_key="tg1:5:purchase:1", **buy)
    assert (again, worker.replayed) == (first, True)
    worker.conversion(PERSON, "Purchase", **buy)
    worker.conversion(PERSON, "Purchase", **buy)
    assert len(db.session.scalars(select(Conversion)).all()) == 3
    other = refused(worker.conversion, PERSON, "Lead", idempotency_key="tg1:5:purchase:1")
    assert (other.status, other.code) == (409, "IDEMPOTENCY_CONFLICT")
    long = refused(worker.conversion, PERSON, "Lead", idempotency_key="k" * 129)
    assert (long.status, long.code) == (400, "INVALID_PAYLOAD")


def test_a_refused_call_is_not_replayed_once_it_is_right(worker, lead):
    assert refused(worker.conversion, PERSON, "Purchase", idempotency_key="k").status == 400
    worker.conversion(PERSON, "Purchase", idempotency_key="k", value=1, currency="USD")
    assert not worker.replayed


def test_an_event_of_a_person_who_is_not_known_waits_for_them(
    worker, world, campaign, destination, monkeypatch
):
    monkeypatch.setattr(cold, "_after", {})
    monkeypatch.setitem(cold._last, "attached", 0)
    answer = worker.conversion(
        PERSON, "Purchase", value=20, currency="USD", channelId="-1001234567890",
        fbc="fb.1.1790000000000.abc", clientIp="203.0.113.9", pii={"email": "a@b.example"},
        externalUserId="somebody",
    )  # fmt: skip
    assert (answer["coldLead"], answer["capiStatus"], answer["sends"]) == (True, "skipped", [])
    world.lead(world.campaign(), subscriber=PERSON)  # of another channel
    world.lead(campaign, click="somebody")  # another person
    cold.attach(time.time())
    row = db.session.get(Conversion, int(answer["conversionId"]), populate_existing=True)
    assert row.lead_id is None
    lead = world.lead(campaign, subscriber=PERSON)
    cold.attach(time.time())
    db.session.refresh(row)
    assert (row.lead_id, row.subscriber) == (lead, None)
    assert [row.lead_id for row in db.session.scalars(select(Postback))] == [lead]


def test_what_waits_for_a_person_is_erased_with_them(worker, world, api, campaign, monkeypatch):
    monkeypatch.setattr(cold, "_after", {})
    monkeypatch.setitem(cold._last, "attached", 0)
    answer = worker.conversion(PERSON, "Lead", externalUserId="user-7")
    api.post("leads/erase", subscriber=PERSON)
    row = db.session.get(Conversion, int(answer["conversionId"]), populate_existing=True)
    assert (row.subscriber, row.click, row.lead_id) == (None, "", None)
    world.lead(campaign, subscriber=PERSON)
    cold.attach(time.time())
    db.session.refresh(row)
    assert row.lead_id is None


@pytest.mark.parametrize(
    ("event_type", "fields"),
    [
        ("Purchase", {"currency": "USD"}),
        ("Purchase", {"value": 5}),
        ("Purchase", {"value": "much", "currency": "USD"}),
        ("Purchase", {"value": 1e300, "currency": "USD"}),
        ("Purchase", {"value": True, "currency": "USD"}),
        ("Purchase", {"value": 5, "currency": "dollars"}),
        ("Custom", {}),
        ("Deposit", {}),
        ("Lead", {"telegramUserId": 0}),
        ("Lead", {"telegramUserId": "ann"}),
        ("Lead", {"eventTime": "yesterday"}),
        ("Lead", {"websiteId": "atid_none"}),
    ],
)
def test_what_cannot_be_is_an_invalid_payload_and_nothing_is_kept(worker, lead, event_type, fields):
    error = refused(worker.conversion, PERSON, event_type, **fields)
    assert (error.status, error.code) == (400, "INVALID_PAYLOAD")
    assert db.session.scalars(select(Conversion)).all() == []


def test_a_number_keeps_its_digits(worker, lead):
    for value, micro in ((0.1, 100_000), (49, 49_000_000), ("12.345678", 12_345_678)):
        answer = worker.conversion(PERSON, "Purchase", value=value, currency="USD")
        row = db.session.get(Conversion, int(answer["conversionId"]))
        assert row.value_micro == micro


def test_an_event_of_a_known_lead_needs_the_lead(worker, world, campaign, lead, destination):
    assert worker.lead_event(PERSON, "Lead", channelId="-1001234567890")["dispatched"]
    assert refused(worker.lead_event, PERSON + 1, "Lead").code == "LEAD_NOT_FOUND"
    world.campaign(chat_id=-1_009)
    assert refused(worker.lead_event, PERSON, "Lead", channelId="-1009").code == "LEAD_NOT_FOUND"
    assert refused(worker.lead_event, 10**30, "Lead").code == "LEAD_NOT_FOUND"


def test_a_value_comes_afterwards_and_is_reported_again(worker, lead, destination):
    made = worker.conversion(PERSON, "Lead")["conversionId"]
    answer = worker.set_value(PERSON, made, 99.5, "USD", idempotency_key="late-1")
    assert (answer["conversionId"], answer["value"], answer["currency"]) == (made, 99.5, "USD")
    assert answer["dispatched"]
    assert worker.set_value(PERSON, made, 99.5, "USD", idempotency_key="late-1") == answer
    assert worker.replayed
    worker.set_value(PERSON, made, 50, "USD")
    events = [json.loads(row.event) for row in db.session.scalars(select(Postback))]
    assert [event.get("value", "") for event in events] == ["", "99.5", "50"]
    (day,) = db.session.scalars(select(ConversionDay).where(ConversionDay.count > 0))
    assert (day.count, day.value_micro) == (1, 50_000_000)


def test_a_purchase_gets_no_value_below_zero_afterwards(worker, lead):
    bought = worker.conversion(PERSON, "Purchase", value=5, currency="USD")["conversionId"]
    assert refused(worker.set_value, PERSON, bought, -5, "USD").code == "INVALID_PAYLOAD"


def test_the_value_of_another_persons_conversion_is_not_set(worker, world, campaign, lead):
    world.lead(campaign, subscriber=PERSON + 1)
    made = worker.conversion(PERSON, "Lead")["conversionId"]
    waiting = worker.conversion(PERSON + 9, "Lead")["conversionId"]
    for person, conversion in (
        (PERSON + 1, made), (PERSON, waiting), (PERSON, "999999"), (PERSON, "j97abc"),
        (PERSON, "9" * 40),
    ):  # fmt: skip
        error = refused(worker.set_value, person, conversion, 5, "USD")
        assert error.code == "CONVERSION_NOT_FOUND"
    assert refused(worker.set_value, PERSON + 2, made, 5, "USD").code == "LEAD_NOT_FOUND"
    assert worker.set_value(PERSON + 9, waiting, 5, "USD")["value"] == 5


def test_a_lead_is_read_with_its_conversions(worker, lead, destination):
    worker.conversion(PERSON, "Purchase", value=5, currency="USD", contentName="VIP")
    found = worker.lead(PERSON)
    assert (found["telegramUserId"], found["channelId"]) == (PERSON, "-1001234567890")
    assert (found["state"], found["attribution"], found["attributed"]) == ("approve", "start", True)
    (shown,) = found["conversions"]
    assert (shown["capiStatus"], shown["sends"][0]["status"]) == ("pending", "waiting")
    assert refused(worker.lead, PERSON + 1).code == "LEAD_NOT_FOUND"


@pytest.mark.parametrize(
    ("state", "status"), [(2, "sent"), (4, "failed"), (3, "failed"), (1, "pending")]
)
def test_a_lead_tells_what_became_of_each_event(worker, lead, destination, state, status):
    worker.conversion(PERSON, "Lead")
    db.session.scalars(select(Postback)).one().state = state
    db.session.commit()
    assert worker.lead(PERSON)["conversions"][0]["capiStatus"] == status


def test_nothing_of_another_account_is_told_or_changed(client, other, worker, lead):
    made = worker.conversion(PERSON, "Lead", idempotency_key="same")["conversionId"]
    stranger = Worker(client, key_of(other))
    assert refused(stranger.lead, PERSON).code == "LEAD_NOT_FOUND"
    assert refused(stranger.lead_event, PERSON, "Lead").code == "LEAD_NOT_FOUND"
    assert refused(stranger.set_value, PERSON, made, 5, "USD").code == "LEAD_NOT_FOUND"
    assert stranger.conversion(PERSON, "Lead", idempotency_key="same")["coldLead"]
    assert not stranger.replayed
