"""adtarget_capi against AdTarget's double."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram.faults import Manner
from app.sandbox.vendors.adtarget import BURST, AdTargetDouble
from app.sandbox.vendors.vendor import Reply
from plugins.contract import ConversionKind, EventKind, Verdict
from plugins.registry import make_adapter
from plugins.testing import HOSTILE, sample_event
from plugins.trackers.adtarget import adapter
from tests.support.courier import Clock, Courier

KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"
OTHER = "atk_live_87654321_abcdefghijklmnopqrstuvwxyz012345"
ADAPTER = make_adapter("adtarget_capi", adapter)
CONVERSION = "/events/conversion"
ALL_ON = {
    "wait": {"type": "Custom"},
    "approve": {"type": "Purchase", "value": 5},
    "cancel": {"type": "Custom"},
    "trash": {"type": "Custom", "name": "Banned"},
}

Make = Callable[..., AdTargetDouble]


@pytest.fixture
def make_double(clock: Clock) -> Iterator[Make]:
    running_ones = []

    def make(**options: Any) -> AdTargetDouble:
        double = AdTargetDouble(clock=clock, **options)
        double.ring.add(KEY)
        double.ring.add(OTHER)
        double.account.sites = {"atid_1"}
        served = running(double)
        double.url = served.__enter__()
        running_ones.append(served)
        return double

    yield make
    for served in running_ones:
        served.__exit__(None, None, None)


@pytest.fixture
def double(make_double: Make) -> AdTargetDouble:
    return make_double()


def settings(double: AdTargetDouble, **more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"key": KEY, "site": "atid_1", "base_url": double.url, **more})


@pytest.mark.parametrize("old", [False, True])
def test_each_of_the_five_events_arrives_as_its_conversion(
    courier: Courier, make_double: Make, old: bool
):
    double = make_double(old=old)
    kept = settings(double, events=ALL_ON, currency="USD", send_names=True)
    for kind in EventKind:
        (outcome,) = courier(ADAPTER, sample_event(kind, key=kind.value), kept)
        assert outcome.verdict is Verdict.DELIVERED
        assert "not seen before" in outcome.reason
    told = [(one["eventType"], one.get("customEventName")) for one in double.account.conversions]
    assert told == [
        ("Custom", "BotStart"),
        ("Lead", None),
        ("Purchase", None),
        ("Custom", "ChannelLeave"),
        ("Custom", "Banned"),
    ]


def test_a_retry_is_recognised_by_its_key(courier: Courier, double: AdTargetDouble):
    first, second = (courier(ADAPTER, sample_event(), settings(double))[0] for _ in range(2))
    assert (first.verdict, second.verdict) == (Verdict.DELIVERED, Verdict.DUPLICATE)
    assert len(double.account.conversions) == 1
    one, other = double.calls(CONVERSION)
    assert one.headers["idempotency-key"] == other.headers["idempotency-key"]


def test_nothing_is_counted_twice_when_the_answer_is_lost(courier: Courier, double: AdTargetDouble):
    double.order(Manner.RESET)
    (lost,) = courier(ADAPTER, sample_event(), settings(double))
    (found,) = courier(ADAPTER, sample_event(), settings(double))
    assert (lost.verdict, found.verdict) == (Verdict.RETRY, Verdict.DUPLICATE)
    assert len(double.account.conversions) == 1


def test_a_cut_receipt_is_asked_for_again_under_the_same_key(
    courier: Courier, double: AdTargetDouble
):
    double.order(Manner.MALFORMED)
    (outcome,) = courier(ADAPTER, sample_event(), settings(double))
    assert outcome.verdict is Verdict.RETRY
    assert "not AdTarget's" in outcome.reason
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict.is_success


def test_a_server_that_hangs_is_tried_again(
    make_courier: Callable[..., Courier], double: AdTargetDouble
):
    courier = make_courier(total_seconds=0.3)
    double.order(Manner.HANG)
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.RETRY
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.DELIVERED


def test_beyond_the_limit_we_are_told_to_wait(
    courier: Courier, double: AdTargetDouble, clock: Clock
):
    kept = settings(double)
    outcomes = [
        courier(ADAPTER, sample_event(key=str(number)), kept)[0] for number in range(BURST + 1)
    ]
    assert [one.verdict for one in outcomes[:BURST]] == [Verdict.DELIVERED] * BURST
    assert (outcomes[BURST].verdict, outcomes[BURST].retry_after) == (Verdict.RETRY, 1.0)
    other = settings(double, key=OTHER)
    assert courier(ADAPTER, sample_event(key="x"), other)[0].verdict is Verdict.DELIVERED
    clock.now += 1
    late = courier(ADAPTER, sample_event(key=str(BURST)), kept)[0]
    assert late.verdict is Verdict.DELIVERED


def test_an_unpaid_account_is_parked_and_goes_on_when_paid(
    courier: Courier, double: AdTargetDouble
):
    double.ring.keys[KEY].state = "unpaid"
    (outcome,) = courier(ADAPTER, sample_event(), settings(double))
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    double.ring.keys[KEY].state = "active"
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.DELIVERED


def test_a_revoked_key_parks_the_destination_until_there_is_another(
    courier: Courier, double: AdTargetDouble
):
    double.ring.keys[KEY].state = "revoked"
    (outcome,) = courier(ADAPTER, sample_event(), settings(double))
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    assert "revoked" in outcome.reason
    mended = settings(double, key=OTHER)
    assert courier(ADAPTER, sample_event(), mended)[0].verdict is Verdict.DELIVERED


def test_an_unknown_channel_and_site_are_named(courier: Courier, double: AdTargetDouble):
    double.account.channels = {"-1"}
    assert "channel" in courier(ADAPTER, sample_event(), settings(double))[0].reason
    (outcome,) = courier(ADAPTER, sample_event(), settings(double, site="atid_2"))
    assert outcome.verdict is Verdict.REJECTED
    assert "siteId" in outcome.reason


def test_a_disabled_api_is_waited_for(courier: Courier, double: AdTargetDouble):
    double.ring.disabled = True
    (outcome,) = courier(ADAPTER, sample_event(), settings(double))
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, False)
    assert outcome.retry_after == 1800


def test_a_failure_of_theirs_is_tried_again_under_the_same_key(
    courier: Courier, double: AdTargetDouble
):
    double.order(Reply(500, {"error": {"code": "INTERNAL_ERROR", "message": "oops"}}))
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.RETRY
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.DELIVERED
    keys = {call.headers["idempotency-key"] for call in double.calls()}
    assert len(keys) == 1


def test_a_stored_failure_is_final(courier: Courier, make_double: Make):
    double = make_double(stores_errors=True)
    double.account.channels = {"-1"}
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.REJECTED
    double.account.channels = None
    assert courier(ADAPTER, sample_event(), settings(double))[0].verdict is Verdict.REJECTED
    resent = sample_event(key="018f-sample-key|2")
    assert courier(ADAPTER, resent, settings(double))[0].verdict is Verdict.DELIVERED


def test_a_stored_failure_of_theirs_is_left_behind_under_another_key(
    courier: Courier, make_double: Make, clock: Clock
):
    double, event = make_double(stores_errors=True), sample_event()
    oops = Reply(500, {"error": {"code": "INTERNAL_ERROR", "message": "oops"}})
    key = double.ring.keys[KEY]
    key.stored[event.step_key()] = clock.now, oops
    for _ in range(2):
        (outcome,) = courier(ADAPTER, event, settings(double))
        assert outcome.verdict is Verdict.RETRY
        event = replace(event, state=outcome.state or {})
    assert courier(ADAPTER, event, settings(double))[0].verdict is Verdict.DELIVERED
    assert [call.headers["idempotency-key"][36:] for call in double.calls()] == ["", "", ":r1"]
    assert len(double.account.conversions) == 1


def test_an_account_without_ad_platforms_is_told_so(courier: Courier, double: AdTargetDouble):
    double.account.platforms = ()
    (outcome,) = courier(ADAPTER, sample_event(), settings(double))
    assert outcome.verdict is Verdict.DELIVERED
    assert "not forwarded" in outcome.reason


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_write_is_accepted_as_text(
    courier: Courier, double: AdTargetDouble, text: str
):
    event = sample_event(click=text, first_name=text, campaign="abc")
    event = replace(event, touch={})
    kept = settings(double, send_names=True, click_type="fbclid")
    assert courier(ADAPTER, event, kept)[0].verdict is Verdict.DELIVERED
    assert set(double.account.conversions[0]) >= {"telegramUserId", "fbc", "pii"}


def test_the_probe_tells_a_good_key_from_a_bad_one(courier: Courier, double: AdTargetDouble):
    assert courier.probe(ADAPTER, settings(double)).verdict is Verdict.DELIVERED
    double.ring.keys[KEY].state = "revoked"
    assert courier.probe(ADAPTER, settings(double)).verdict is Verdict.REJECTED
    assert double.account.conversions == []


def test_a_visit_its_fbp_and_its_invite_link_come_before_the_conversion(
    courier: Courier, double: AdTargetDouble
):
    event = replace(sample_event(), touch={**sample_event().touch, "how": "link"})
    outcomes = courier(ADAPTER, event, settings(double, send_visit=True))
    assert [outcome.verdict for outcome in outcomes] == [Verdict.DELIVERED] * 4
    (visit,) = double.account.visits.values()
    assert visit["href"] == event.touch["landing"]
    assert (visit["fbp"], visit["invited"]) == (event.touch["fbp"], True)
    (conversion,) = double.account.conversions
    assert conversion["fbc"] == event.touch["fbc"]


def test_an_older_server_without_visits_takes_the_conversion(
    courier: Courier, double: AdTargetDouble
):
    double.order(Reply(404, b"Not Found"), path="/events/visit")
    outcomes = courier(ADAPTER, sample_event(), settings(double, send_visit=True))
    assert outcomes[-1].verdict is Verdict.DELIVERED
    assert len(double.account.conversions) == 1


def test_a_corrected_value_changes_the_conversion_and_adds_none(
    courier: Courier, double: AdTargetDouble
):
    event = sample_event(ConversionKind.PURCHASE, value="50")
    kept = settings(double)
    courier(ADAPTER, event, kept)
    corrected = replace(event, value="60", revision=1)
    first = courier(ADAPTER, corrected, kept)[0]
    assert first.state is not None
    (outcome,) = courier(ADAPTER, replace(corrected, state=first.state), kept, done=1)
    assert outcome.verdict is Verdict.DELIVERED
    (conversion,) = double.account.conversions
    assert conversion["value"] == 60
