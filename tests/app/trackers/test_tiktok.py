"""TikTok's adapter against TikTok's double, over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.sandbox.faults import Manner
from app.sandbox.serving import running
from app.sandbox.tiktok import TiktokDouble, error
from app.sandbox.vendor import Said
from plugins import tiktok_events
from plugins.contract import Event, EventKind, Outcome, Verdict
from plugins.registry import make_adapter
from plugins.testing import sample_event

from .conftest import Courier

ADAPTER = make_adapter("tiktok_events", tiktok_events)


@pytest.fixture
def tiktok() -> TiktokDouble:
    return TiktokDouble()


@pytest.fixture
def base(tiktok: TiktokDouble) -> Iterator[str]:
    with running(tiktok) as url:
        yield url


@pytest.fixture
def typed(tiktok: TiktokDouble, base: str) -> dict[str, Any]:
    return {
        "pixel_code": tiktok.pixel,
        "access_token": tiktok.token,
        "base_url": base,
    }


def recent(kind: EventKind = EventKind.APPROVE, **changes: Any) -> Event:
    return sample_event(kind, **{"time": int(time.time()) - 5, **changes})


@pytest.fixture
def tell(courier: Courier):
    """Send an event with settings, and say what the answer means."""

    def told(event: Event, settings: dict[str, Any]) -> Outcome:
        (outcome,) = courier(ADAPTER, event, settings)
        return outcome

    return told


def settled(typed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({**typed, **more})


def test_each_of_the_five_events_is_taken_under_its_name(tiktok, typed, tell):
    for number, kind in enumerate(EventKind):
        outcome = tell(recent(kind, id=f"event-{number}"), settled(typed))
        assert outcome.verdict is Verdict.DELIVERED
    names = [event["event"] for event in tiktok.counted()]
    assert names == ["Contact", "SubmitForm", "Subscribe", "Unsubscribe", "Kicked"]


def test_everything_we_can_say_is_accepted(tiktok, typed, tell):
    settings = settled(
        typed, values={"approve": 1}, currency="USD", page_url="https://landing.example/?a=1"
    )
    assert tell(recent(click="E.C.P.AbC"), settings).verdict is Verdict.DELIVERED
    (said,) = tiktok.counted()
    assert said["user"]["ttclid"] == "E.C.P.AbC"
    assert said["properties"] == {"value": 1, "currency": "USD"}
    assert said["page"] == {"url": "https://landing.example/?a=1"}


def test_a_retry_is_taken_and_counted_once(tiktok, typed, tell):
    tiktok.order(error(50000, "System error"))
    event = recent()
    verdicts = [tell(event, settled(typed)).verdict for _ in range(3)]
    assert verdicts == [Verdict.RETRY, Verdict.DELIVERED, Verdict.DELIVERED]
    assert len(tiktok.counted()) == 1


def test_an_answer_that_got_lost_is_no_second_event(tiktok, typed, tell):
    tiktok.order(Manner.MALFORMED)
    verdicts = [tell(recent(), settled(typed)).verdict for _ in range(2)]
    assert verdicts == [Verdict.RETRY, Verdict.DELIVERED]
    assert len(tiktok.taken()) == 2
    assert len(tiktok.counted()) == 1


def test_what_is_too_old_for_tiktok_is_just_what_we_would_not_send(typed, tell):
    limit = ADAPTER.oldest(settled(typed))
    assert limit
    outcome = tell(recent(time=int(time.time() - limit) - 60), settled(typed))
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, False)


def test_a_test_event_is_shown_and_not_counted(tiktok, typed, tell):
    tell(recent(), settled(typed, test_event_code="TEST5"))
    assert [one.test for one in tiktok.taken()] == ["TEST5"]
    assert tiktok.counted() == []


@pytest.mark.parametrize(
    "wrong", [{"access_token": "a-wrong-token"}, {"pixel_code": "C0WRONGPIXEL"}]
)
def test_a_wrong_token_or_pixel_parks_the_destination(typed, wrong, tell):
    outcome = tell(recent(), settled(typed, **wrong))
    assert (outcome.verdict, outcome.stop) == (Verdict.RETRY, True)
    assert "a-wrong-token" not in outcome.reason


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (error(40100, "Too many requests", **{"Retry-After": "2"}), 2),
        (Said(200, b"<html>captive portal</html>"), None),
        (Said(502, b""), None),
    ],
)
def test_a_passing_failure_is_tried_again(tiktok, typed, reply, wait, tell):
    tiktok.order(reply)
    outcome = tell(recent(), settled(typed))
    assert (outcome.verdict, outcome.stop) == (Verdict.RETRY, False)
    assert outcome.retry_after == wait
