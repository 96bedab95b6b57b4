"""Meta's adapter against Meta's double, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.sandbox.faults import Manner
from app.sandbox.meta import MetaDouble, error
from app.sandbox.serving import running
from app.sandbox.vendor import Said
from plugins import meta_capi
from plugins.contract import Event, EventKind, Outcome, Verdict
from plugins.conversions import hashed
from plugins.registry import make_adapter
from plugins.testing import sample_event

from .conftest import Courier

ADAPTER = make_adapter("meta_capi", meta_capi)


@pytest.fixture
def meta() -> MetaDouble:
    return MetaDouble()


@pytest.fixture
def base(meta: MetaDouble) -> Iterator[str]:
    with running(meta) as url:
        yield url


@pytest.fixture
def typed(meta: MetaDouble, base: str) -> dict[str, Any]:
    return {"pixel_id": meta.pixel, "access_token": meta.token, "base_url": base}


def recent(kind: EventKind = EventKind.APPROVE, **changes: Any) -> Event:
    now = int(time.time())
    return sample_event(kind, **{"time": now - 5, "joined": now - 5, "now": now, **changes})


@pytest.fixture
def tell(courier: Courier):
    """Send an event with settings, and say what the answer means."""

    def told(event: Event, settings: dict[str, Any]) -> Outcome:
        (outcome,) = courier(ADAPTER, event, settings)
        return outcome

    return told


def settled(typed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({**typed, **more})


def test_each_of_the_five_events_is_received_under_its_name(meta, typed, tell):
    for number, kind in enumerate(EventKind):
        outcome = tell(recent(kind, id=f"event-{number}"), settled(typed))
        assert outcome.verdict is Verdict.DELIVERED
    names = [event["event_name"] for event in meta.counted()]
    assert names == ["Contact", "SubmitApplication", "Subscribe", "Unsubscribe", "Kicked"]


def test_everything_we_can_say_is_accepted(meta, typed, tell):
    event = recent(click="IwAR0-abcDEF_", username="", last_name="\ud800 Ёж")
    settings = settled(typed, send_names=True, values={"approve": 2.5}, currency="EUR")
    assert tell(event, settings).verdict is Verdict.DELIVERED
    (said,) = meta.counted()
    assert said["custom_data"] == {"value": 2.5, "currency": "EUR"}
    assert said["user_data"]["fbc"].endswith(".IwAR0-abcDEF_")
    assert said["user_data"]["fn"] == [hashed("Ann")]


def test_a_retry_is_received_and_counted_once(meta, typed, tell):
    meta.order(error(2, 0, "An unexpected error has occurred.", status=500))
    event = recent()
    verdicts = [tell(event, settled(typed)).verdict for _ in range(3)]
    assert verdicts == [Verdict.RETRY, Verdict.DELIVERED, Verdict.DELIVERED]
    assert len(meta.taken()) == 2
    assert len(meta.counted()) == 1


def test_an_answer_that_got_lost_is_no_second_event(meta, typed, tell):
    meta.order(Manner.MALFORMED)
    verdicts = [tell(recent(), settled(typed)).verdict for _ in range(2)]
    assert verdicts == [Verdict.RETRY, Verdict.DELIVERED]
    assert len(meta.taken()) == 2
    assert len(meta.counted()) == 1


def test_what_is_too_old_for_meta_is_just_what_we_would_not_send(meta, typed, tell):
    limit = ADAPTER.oldest(settled(typed))
    assert limit
    young, old = int(time.time() - limit) + 60, int(time.time() - limit) - 60
    assert tell(recent(time=young), settled(typed)).verdict is Verdict.DELIVERED
    outcome = tell(recent(time=old), settled(typed))
    assert outcome.verdict is Verdict.REJECTED
    assert "7 days" in outcome.reason
    assert not outcome.stop


def test_a_test_event_is_shown_and_not_counted(meta, typed, tell):
    tell(recent(), settled(typed, test_event_code="TEST5"))
    assert [one.test for one in meta.taken()] == ["TEST5"]
    assert meta.counted() == []


def test_a_wrong_token_parks_the_destination_and_does_not_show_it(typed, tell):
    settings = settled(typed, access_token="EAAwrong-token")
    outcome = tell(recent(), settings)
    assert (outcome.verdict, outcome.stop) == (Verdict.RETRY, True)
    assert "EAAwrong-token" not in outcome.reason


def test_a_wrong_pixel_parks_the_destination(typed, tell):
    outcome = tell(recent(), settled(typed, pixel_id="99999999"))
    assert (outcome.verdict, outcome.stop) == (Verdict.RETRY, True)
    assert "does not exist" in outcome.reason


def test_the_probe_tells_a_good_token_from_a_bad_one(meta, typed, courier):
    for token, good in [(meta.token, True), ("EAAwrong-token", False)]:
        settings = settled(typed, access_token=token)
        outcome = courier.probe(ADAPTER, settings)
        assert outcome.verdict.is_success is good
    assert meta.taken() == []


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (error(4, 0, "Application request limit reached"), None),
        (Said(429, b"", {"Retry-After": "30"}), 30),
        (Said(200, b"<html>captive portal</html>"), None),
        (Said(503, b""), None),
    ],
)
def test_a_passing_failure_is_tried_again(meta, typed, reply, wait, tell):
    meta.order(reply)
    outcome = tell(recent(), settled(typed))
    assert (outcome.verdict, outcome.stop) == (Verdict.RETRY, False)
    assert outcome.retry_after == wait
