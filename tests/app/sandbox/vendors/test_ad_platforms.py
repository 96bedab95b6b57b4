"""Meta's and TikTok's adapters against their doubles, over HTTP.

What every adapter has to keep is in tests/app/services/delivery/test_connected.py.
"""

import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from app.sandbox.serving import running
from app.sandbox.vendors import catalogue, meta, tiktok
from app.sandbox.vendors.vendor import Reply
from plugins.contract import Event, EventKind, Outcome, Verdict
from plugins.kit.ad_platforms import normalized_hash
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers import meta_capi, tiktok_events
from tests.support.courier import Courier

WRONG_TOKEN = "EAAwrong-token"


def recent(kind: EventKind = EventKind.APPROVE, **changes: Any) -> Event:
    now = int(time.time())
    return sample_event(kind, **{"time": now - 5, "joined": now - 5, "now": now, **changes})


class Platform:
    """One adapter and its double, and how to tell it something."""

    def __init__(self, module: ModuleType, vendor: catalogue.Vendor, url: str, courier: Courier):
        self.adapter = make_adapter(vendor.tracker, module)
        self.double: Any = vendor.double
        self.courier = courier
        self._typed = vendor.settings(url)

    def settings(self, **more: Any) -> dict[str, Any]:
        return self.adapter.check_settings({**self._typed, **more})

    def tell(self, event: Event, **more: Any) -> Outcome:
        """What the answer means."""
        (outcome,) = self.courier(self.adapter, event, self.settings(**more))
        return outcome


@pytest.fixture(params=[meta_capi, tiktok_events], ids=["meta", "tiktok"])
def platform(request: pytest.FixtureRequest, courier: Courier) -> Iterator[Platform]:
    """Each of the two in turn."""
    name = request.param.__name__.rpartition(".")[2]
    (vendor,) = (one for one in catalogue.every() if one.tracker == name)
    with running(vendor.double) as url:
        yield Platform(request.param, vendor, url, courier)


on_meta = pytest.mark.parametrize("platform", [meta_capi], indirect=True, ids=["meta"])
on_tiktok = pytest.mark.parametrize("platform", [tiktok_events], indirect=True, ids=["tiktok"])


@on_meta
def test_everything_we_can_tell_meta_is_accepted(platform: Platform):
    event = recent(click="IwAR0-abcDEF_", username="", last_name="\ud800 Ёж", touch={})
    outcome = platform.tell(event, send_names=True, values={"approve": 2.5}, currency="EUR")
    assert outcome.verdict is Verdict.DELIVERED
    (said,) = platform.double.counted()
    assert said["custom_data"] == {"value": 2.5, "currency": "EUR"}
    assert said["user_data"]["fbc"].endswith(".IwAR0-abcDEF_")
    assert said["user_data"]["fn"] == [normalized_hash("Ann")]


@on_meta
def test_meta_takes_what_is_known_of_a_click_as_a_website_event(platform: Platform):
    event = recent(click="external-7")
    assert platform.tell(event).verdict is Verdict.DELIVERED
    (said,) = platform.double.counted()
    assert said["action_source"] == "website"
    assert said["event_source_url"] == event.touch["landing"]
    names = {"client_ip_address": "ip", "client_user_agent": "ua", "fbc": "fbc", "fbp": "fbp"}
    assert {name: said["user_data"][name] for name in names} == {
        name: event.touch[field] for name, field in names.items()
    }


@on_tiktok
def test_everything_we_can_tell_tiktok_is_accepted(platform: Platform):
    page = "https://landing.example/?a=1"
    more = {"values": {"approve": 1}, "currency": "USD", "page_url": page}
    assert platform.tell(recent(click="E.C.P.AbC", touch={}), **more).verdict is Verdict.DELIVERED
    (said,) = platform.double.counted()
    assert said["user"]["ttclid"] == "E.C.P.AbC"
    assert said["properties"] == {"value": 1, "currency": "USD"}
    assert said["page"] == {"url": page}


@on_tiktok
def test_tiktok_takes_what_is_known_of_a_click(platform: Platform):
    event = recent(click="external-7")
    assert platform.tell(event).verdict is Verdict.DELIVERED
    (said,) = platform.double.counted()
    names = {"ttclid": "ttclid", "ttp": "ttp", "ip": "ip", "user_agent": "ua"}
    assert {name: said["user"][name] for name in names} == {
        name: event.touch[field] for name, field in names.items()
    }
    assert said["page"]["url"] == event.touch["landing"]


def test_what_is_too_old_for_the_platform_is_just_what_we_would_not_send(platform: Platform):
    limit = platform.adapter.delivery_policy(platform.settings()).max_event_age
    assert limit
    edge = int(time.time() - limit)
    assert platform.tell(recent(time=edge + 60)).verdict is Verdict.DELIVERED
    outcome = platform.tell(recent(time=edge - 60))
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.REJECTED, False)
    assert "old" in outcome.reason


def test_a_test_event_is_shown_and_not_counted(platform: Platform):
    platform.tell(recent(), test_event_code="TEST5")
    assert [one.test for one in platform.double.taken()] == ["TEST5"]
    assert platform.double.counted() == []


@pytest.mark.parametrize(
    ("platform", "wrong", "reason"),
    [
        (meta_capi, {"access_token": WRONG_TOKEN}, "token"),
        (meta_capi, {"pixel_id": "99999999"}, "does not exist"),
        (tiktok_events, {"access_token": WRONG_TOKEN}, "token"),
        (tiktok_events, {"pixel_code": "C0WRONGPIXEL"}, "may not send to this pixel"),
    ],
    indirect=["platform"],
)
def test_a_wrong_token_or_pixel_parks_the_destination_and_is_not_shown(
    platform: Platform, wrong: dict[str, Any], reason: str
):
    outcome = platform.tell(recent(), **wrong)
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    assert reason in outcome.reason
    assert WRONG_TOKEN not in outcome.reason


@on_meta
def test_the_probe_tells_a_good_token_from_a_bad_one(platform: Platform):
    for token, good in [(platform.double.token, True), (WRONG_TOKEN, False)]:
        settings = platform.settings(access_token=token)
        outcome = platform.courier.probe(platform.adapter, settings)
        assert outcome.verdict.is_success is good
    assert platform.double.taken() == []


@pytest.mark.parametrize(
    ("platform", "reply", "wait"),
    [
        (meta_capi, meta.error(4, 0, "Application request limit reached"), None),
        (meta_capi, Reply(429, b"", {"Retry-After": "30"}), 30),
        (meta_capi, Reply(200, b"<html>captive portal</html>"), None),
        (meta_capi, Reply(503, b""), None),
        (tiktok_events, tiktok.error(40100, "Too many", **{"Retry-After": "2"}), 2),
        (tiktok_events, Reply(200, b"<html>captive portal</html>"), None),
        (tiktok_events, Reply(502, b""), None),
    ],
    indirect=["platform"],
)
def test_a_passing_failure_is_tried_again(platform: Platform, reply: Reply, wait: float | None):
    platform.double.order(reply)
    outcome = platform.tell(recent())
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, False)
    assert outcome.retry_after == wait
