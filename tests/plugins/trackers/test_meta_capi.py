"""Meta's dialect. Meta's own library builds the same request."""

import functools
import json
from typing import Any, ClassVar

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize
from facebook_business.adobjects.serverside.user_data import UserData
from facebook_business.apiconfig import ads_api_config
from hypothesis import example, given
from hypothesis import strategies as st
from marshmallow import ValidationError

from plugins import samples
from plugins.contract import ConversionKind, Event, EventKind, Response, Verdict
from plugins.kit.ad_platforms import normalized_hash
from plugins.registry import make_adapter
from plugins.testing import AdapterContract
from plugins.trackers import meta_capi
from tests.support import adapters

ADAPTER = make_adapter("meta_capi", meta_capi)
TYPED: dict[str, Any] = {"pixel_id": "123456789012345", "access_token": "EAAB+secret/token"}
TAKEN = Response(200, {}, b'{"events_received":1,"messages":[],"fbtrace_id":"A"}')
VALUED: dict[str, Any] = {
    **TYPED,
    "values": {"approve": 2.5},
    "currency": "EUR",
    "click_type": "external_id",
    "send_names": True,
    "test_event_code": "TEST1",
}


class TestMeta(AdapterContract):
    adapter = ADAPTER
    example_settings = TYPED
    success_sample = TAKEN


class TestMetaWithEverything(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = VALUED
    success_sample = TAKEN


def sample_event(kind: EventKind | ConversionKind = EventKind.APPROVE, **changes: Any) -> Event:
    """A sample of somebody whose click id stood in a start link; with `touch` of another."""
    return samples.sample_event(kind, **{"touch": {}, **changes})


def sent(event: Event, **typed: Any) -> dict[str, Any]:
    (request,) = ADAPTER.build(event, ADAPTER.check_settings({**TYPED, **typed}))
    (conversion,) = json.loads(request.body)["data"]
    return conversion


judged = functools.partial(adapters.judged, ADAPTER, TYPED)


def failed(code: int, subcode: int = 0, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "error_subcode": subcode, "message": "words", **more}}


def test_the_request_goes_to_the_pixel_with_the_token():
    (request,) = ADAPTER.build(sample_event(), ADAPTER.check_settings(TYPED))
    address, _, query = request.url.partition("?")
    assert address == "https://graph.facebook.com/v26.0/123456789012345/events"
    assert query == "access_token=EAAB%2Bsecret%2Ftoken"
    assert "secret" not in request.redacted()


def test_the_version_is_the_one_of_metas_own_library():
    assert ads_api_config["API_VERSION"] == meta_capi.VERSION


@pytest.mark.parametrize(("kind", "name"), meta_capi.NAMES.items())
def test_each_event_has_its_name(kind, name):
    assert sent(sample_event(kind))["event_name"] == name


def test_an_event_is_told_when_and_where_it_happened_and_once():
    event = sample_event()
    conversion = sent(event)
    assert conversion["event_time"] == event.time
    assert conversion["event_id"] == event.id
    assert conversion["action_source"] == "chat"
    assert "custom_data" not in conversion


def test_a_value_is_told_with_its_currency():
    conversion = sent(sample_event(), values={"approve": 2.5}, currency="EUR")
    assert conversion["custom_data"] == {"value": 2.5, "currency": "EUR"}
    assert "custom_data" not in sent(sample_event(EventKind.HOLD), **VALUED)


def test_fbc_is_made_of_the_earliest_time_we_know_and_the_click_in_its_own_case():
    event = sample_event(click="IwAR0abcDEF-_x", time=1_790_000_000, joined=1_789_999_000)
    assert sent(event)["user_data"]["fbc"] == "fb.1.1789999000000.IwAR0abcDEF-_x"
    waiting = sample_event(click="IwAR0", time=1_790_000_000, joined=None)
    assert sent(waiting)["user_data"]["fbc"] == "fb.1.1790000000000.IwAR0"


def test_a_click_that_is_an_fbc_already_stays_as_it_is():
    conversion = sent(sample_event(click="fb.1.1554763741205.AbCdEf"))
    assert conversion["user_data"]["fbc"] == "fb.1.1554763741205.AbCdEf"


def test_a_click_of_our_own_is_one_more_hashed_id():
    people = sent(sample_event(click="Mine-1"), click_type="external_id")["user_data"]
    assert people == {"external_id": [normalized_hash("987654321"), normalized_hash("mine-1")]}


def test_names_are_sent_only_when_asked_for():
    assert not {"fn", "ln"} & sent(sample_event())["user_data"].keys()
    people = sent(sample_event(last_name=""), send_names=True)["user_data"]
    assert people["fn"] == [normalized_hash("ann")]
    assert "ln" not in people


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example(" Ann ")
@example("ÉLODIE")
@example("İ")
@example("D41D8CD98F00B204E9800998ECF8427E")
@example("a" * 64)
@example("a" * 64 + "\n")
@pytest.mark.parametrize("field", ["fn", "ln"])
def test_hashing_agrees_with_metas_own_library(field, text):
    if text.strip():
        assert normalized_hash(text) == Normalize.normalize_field(field, text)


def test_what_we_know_of_a_person_reads_as_metas_own_library_says_it():
    event = sample_event(first_name=" Élodie ", last_name="D'Arc", click="IwAR0x")
    people = sent(event, send_names=True)["user_data"]
    theirs = UserData(
        first_name=" Élodie ",
        last_name="D'Arc",
        external_id=normalized_hash(str(event.subscriber)),
        fbc=people["fbc"],
    ).normalize()
    assert people == theirs


@pytest.mark.parametrize(
    ("status", "answer", "verdict", "stop"),
    [
        (400, failed(190, 463), Verdict.RETRY, True),
        (400, failed(102), Verdict.RETRY, True),
        (403, failed(200), Verdict.RETRY, True),
        (400, failed(100, 33), Verdict.RETRY, True),
        (400, failed(100, 2804003), Verdict.REJECTED, False),
        (400, failed(100), Verdict.REJECTED, False),
        (400, failed(4), Verdict.RETRY, False),
        (500, failed(2), Verdict.RETRY, False),
        (400, failed(987654), Verdict.REJECTED, False),
        (400, failed(987654, is_transient=True), Verdict.RETRY, False),
        (503, failed(987654), Verdict.RETRY, False),
        (200, failed(190), Verdict.RETRY, True),
        (200, {"events_received": 0, "messages": ["why"]}, Verdict.REJECTED, False),
        (200, b"{}", Verdict.RETRY, False),
    ],
)
def test_metas_answers_are_read_by_their_code(status, answer, verdict, stop):
    outcome = judged(status, answer)
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)
    assert outcome.reason


def test_metas_own_words_reach_the_owner():
    reason = judged(400, failed(100, 2804003, error_user_title="Event Timestamp Too Old")).reason
    assert "Event Timestamp Too Old" in reason
    assert "7 days" in reason


def test_the_probe_asks_whose_token_it_is():
    settings = ADAPTER.check_settings(TYPED)
    request = ADAPTER.probe(settings, 1_790_000_000)
    assert request
    assert request.method == "GET"
    assert request.url.startswith("https://graph.facebook.com/v26.0/me?access_token=")
    good = ADAPTER.classify_probe(Response(200, {}, b'{"id":"99"}'), settings)
    bad = ADAPTER.classify_probe(Response(400, {}, json.dumps(failed(190)).encode()), settings)
    strange = ADAPTER.classify_probe(Response(200, {}, b"hello"), settings)
    assert [one.verdict.is_success for one in (good, bad, strange)] == [True, False, False]


def test_what_is_older_than_seven_days_is_not_worth_building():
    assert ADAPTER.delivery_policy(ADAPTER.check_settings(TYPED)).max_event_age == 7 * 86400


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("pixel_id", {"pixel_id": "my pixel"}),
        ("version", {"version": "26"}),
        ("action_source", {"action_source": "website"}),
    ],
)
def test_a_wrong_setting_is_named(field, wrong):
    with pytest.raises(ValidationError) as caught:
        ADAPTER.check_settings({**TYPED, **wrong})
    assert field in caught.value.normalized_messages()


@pytest.mark.parametrize(
    ("code", "stop"),
    [
        *[(code, False) for code in (1, 2, 4, 17, 32, 341, 613, 80004)],
        *[(code, True) for code in (3, 10, 102, 190, 200, 299)],
    ],
)
def test_every_code_that_passes_or_can_be_mended_keeps_the_event(code: int, stop: bool):
    answer = Response(400, {}, b'{"error": {"code": %d, "message": "so they say"}}' % code)
    outcome = meta_capi.classify_response(answer, sample_event())
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, stop)


def test_registrations_and_purchases_are_told_with_their_own_money():
    told = sent(sample_event(ConversionKind.PURCHASE), values={"approve": 2.5}, currency="EUR")
    assert told["event_name"] == "Purchase"
    assert told["custom_data"] == {"value": 49.5, "currency": "USD"}
    assert sent(sample_event(ConversionKind.REGISTER))["event_name"] == "CompleteRegistration"


def test_settings_of_before_there_were_conversions_send_them_by_their_usual_names():
    kept = ADAPTER.check_settings(TYPED)
    del kept["events"]["purchase"], kept["events"]["register"]
    (request,) = ADAPTER.build(sample_event(ConversionKind.PURCHASE), kept)
    assert json.loads(request.body)["data"][0]["event_name"] == "Purchase"


@pytest.mark.parametrize("changes", [{"value": "", "currency": ""}, {"revision": 1}])
def test_a_purchase_waits_for_its_value_and_no_correction_is_counted_again(changes):
    event = sample_event(ConversionKind.PURCHASE, **changes)
    assert ADAPTER.build(event, ADAPTER.check_settings(TYPED)) == ()


def test_what_meta_cannot_take_back_is_not_told():
    for kind in (ConversionKind.REFUND, ConversionKind.CUSTOM):
        assert ADAPTER.build(sample_event(kind), ADAPTER.check_settings(TYPED)) == ()


VISIT = {
    "how": "link", "source": "abcd1234", "landing": "https://shop.example/tea", "ip": "203.0.113.7",
    "ua": "Mozilla/5.0 (Linux; Android 14)", "country": "DE",
    "fbc": "fb.1.1789998000000.IwAR0_x-Y", "fbp": "fb.1.1789997000000.1098115397",
}  # fmt: skip


def test_a_click_whose_page_and_browser_are_known_makes_a_website_event():
    conversion = sent(sample_event(click="external-7", touch=VISIT))
    assert conversion["action_source"] == "website"
    assert conversion["event_source_url"] == "https://shop.example/tea"
    assert conversion["user_data"] == {
        "external_id": [normalized_hash("987654321")],
        "client_ip_address": "203.0.113.7",
        "client_user_agent": "Mozilla/5.0 (Linux; Android 14)",
        "fbc": "fb.1.1789998000000.IwAR0_x-Y",
        "fbp": "fb.1.1789997000000.1098115397",
        "country": [normalized_hash("de")],
    }


def test_what_we_know_of_a_browser_reads_as_metas_own_library_says_it():
    theirs = UserData(
        external_id=normalized_hash("987654321"),
        client_ip_address=VISIT["ip"],
        client_user_agent=VISIT["ua"],
        fbc=VISIT["fbc"],
        fbp=VISIT["fbp"],
        country_code=VISIT["country"],
    ).normalize()
    assert sent(sample_event(touch=VISIT))["user_data"] == theirs


@pytest.mark.parametrize("unknown", ["landing", "ua"])
def test_without_the_page_or_the_browser_it_happened_in_the_chat(unknown):
    touch = {name: value for name, value in VISIT.items() if name != unknown}
    conversion = sent(sample_event(touch=touch))
    assert (conversion["action_source"], "event_source_url" in conversion) == ("chat", False)
    assert conversion["user_data"]["fbc"] == VISIT["fbc"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("fbc", "IwAR0"),
        ("fbc", "fb.1.1789998000.IwAR0"),
        ("fbc", "fb.1.1789998000000.Iw AR"),
        ("fbp", "fb.1.1789997000000.x"),
        ("ip", "not an address"),
        ("ip", "fe80::1%eth0"),
    ],
)
def test_what_meta_would_not_take_is_left_out(name, wrong):
    people = sent(sample_event(touch={**VISIT, name: wrong}))["user_data"]
    assert wrong not in people.values()
    assert len(people) == 5


def test_a_token_of_our_own_door_is_no_fbclid():
    people = sent(sample_event(click="a1B2c3D4e5F6g7H8", touch={"source": "abcd1234"}))["user_data"]
    assert "fbc" not in people


def test_nothing_of_the_click_is_asked_for_without_the_switch_or_before_there_was_one():
    settings = ADAPTER.check_settings({**TYPED, "send_click": False})
    assert ADAPTER.touch_fields(settings) == {"source"}
    del settings["send_click"]
    assert ADAPTER.touch_fields(settings) == {"source"}
    assert {"ip", "ua", "fbc", "fbp"} <= ADAPTER.touch_fields(ADAPTER.check_settings(TYPED))
