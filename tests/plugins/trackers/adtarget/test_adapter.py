"""The built-in adapter for AdTarget, without a network."""

import json
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins import samples
from plugins.contract import ConversionKind, Event, EventKind, Outcome, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import AdapterContract
from plugins.trackers.adtarget import adapter

KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"
ADAPTER = make_adapter("adtarget_capi", adapter)
SUCCESS = Response(
    200, {}, b'{"conversionId":"j97x","capiStatus":"pending","coldLead":false,"dispatched":true}'
)


def sample_event(kind: EventKind | ConversionKind = EventKind.APPROVE, **changes: Any) -> Event:
    """A sample of somebody whose click id stood in a start link; with `touch` of another."""
    return samples.sample_event(kind, **{"touch": {}, **changes})


def settings(**more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"key": KEY, "site": "atid_1", **more})


def conversion(event: Event, **more: Any) -> dict[str, Any]:
    (request,) = ADAPTER.build(event, settings(**more))
    body = json.loads(request.body)
    assert isinstance(body, dict)
    return body


def judged(response: Response) -> Outcome:
    kept = settings()
    (request,) = ADAPTER.build(sample_event(), kept)
    return ADAPTER.classify(response, request, sample_event(), kept)


def error(status: int, code: str, **headers: str) -> Response:
    body = {"error": {"code": code, "message": "so they say"}}
    return Response(status, headers, json.dumps(body).encode())


class TestAsItComes(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {"key": KEY, "site": "atid_1"}
    success_sample = SUCCESS


class TestEverythingOn(AdapterContract):
    adapter = ADAPTER
    example_settings: ClassVar[dict[str, Any]] = {
        "key": KEY,
        "site": "j97site",
        "channel": "-100500",
        "currency": "EUR",
        "click_type": "fbclid",
        "send_names": True,
        "events": {
            "wait": {"type": "Custom"},
            "hold": {"type": "CompleteRegistration"},
            "approve": {"type": "Purchase", "value": 2.5},
            "cancel": {"type": "Custom", "name": "Gone"},
            "trash": {"type": "Custom"},
        },
    }
    success_sample = Response(200, {"x-idempotent-replay": "true"}, SUCCESS.body)


def test_a_join_is_a_subscription_with_the_documented_fields():
    (request,) = ADAPTER.build(sample_event(), settings())
    assert (request.method, request.url) == (
        "POST",
        "https://adtarget.io/api/v1/events/conversion",
    )
    assert request.headers == {
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "Idempotency-Key": sample_event().step_key(),
    }
    assert json.loads(request.body) == {
        "telegramUserId": 987654321,
        "channelId": "-1001234567890",
        "websiteId": "atid_1",
        "eventType": "Subscribe",
        "contentName": "abc123",
        "eventTime": 1_790_000_000_000,
        "externalUserId": "Click_1-2",
    }


@pytest.mark.parametrize(
    ("kind", "conversion_type"),
    [
        (EventKind.WAIT, None),
        (EventKind.HOLD, "Lead"),
        (EventKind.APPROVE, "Subscribe"),
        (EventKind.CANCEL, None),
        (EventKind.TRASH, None),
    ],
)
def test_only_good_news_is_told_by_default(kind: EventKind, conversion_type: str | None):
    requests = ADAPTER.build(sample_event(kind), settings())
    assert [json.loads(one.body)["eventType"] for one in requests] == (
        [conversion_type] if conversion_type else []
    )


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (EventKind.WAIT, "BotStart"),
        (EventKind.HOLD, "JoinRequest"),
        (EventKind.CANCEL, "ChannelLeave"),
        (EventKind.TRASH, "ChannelBan"),
    ],
)
def test_a_custom_event_has_a_name_even_if_none_is_given(kind: EventKind, name: str):
    body = conversion(sample_event(kind), events={kind.value: {"type": "Custom"}})
    assert (body["eventType"], body["customEventName"]) == ("Custom", name)


def test_joins_stay_off_where_adtarget_reports_them_itself():
    kept = settings(tracked_by_adtarget=True)
    assert ADAPTER.build(sample_event(), kept) == ()
    chosen = settings(tracked_by_adtarget=True, events={"approve": {"type": "Subscribe"}})
    assert len(ADAPTER.build(sample_event(), chosen)) == 1


def test_a_purchase_carries_value_and_currency():
    body = conversion(
        sample_event(), currency="USD", events={"approve": {"type": "Purchase", "value": 12.5}}
    )
    assert (body["eventType"], body["value"], body["currency"]) == ("Purchase", 12.5, "USD")


def test_an_event_without_a_value_names_no_currency():
    assert "currency" not in conversion(sample_event(), currency="USD")


@pytest.mark.parametrize("name", ["fbc", "gclid", "ttclid", "sccid"])
def test_the_click_goes_where_the_owner_says(name: str):
    body = conversion(sample_event(), click_type=name)
    assert (body[name], body["externalUserId"]) == ("Click_1-2", "12")


def test_a_facebook_click_is_spelled_as_meta_spells_it():
    assert conversion(sample_event(), click_type="fbclid")["fbc"] == "fb.1.1789999000000.Click_1-2"


def test_without_a_click_the_lead_is_the_external_id():
    body = conversion(sample_event(click=""), click_type="gclid")
    assert body["externalUserId"] == "12"
    assert "gclid" not in body


def test_names_leave_only_when_asked():
    assert "pii" not in conversion(sample_event())
    assert conversion(sample_event(last_name=""), send_names=True)["pii"] == {"firstName": "Ann"}


def test_names_that_leave_are_not_kept_in_the_log():
    (request,) = ADAPTER.build(sample_event(first_name="Жанна"), settings(send_names=True))
    assert '"pii": ***' in request.redacted()
    assert "Lee" not in request.redacted()


def test_an_internal_site_id_goes_under_its_own_name():
    body = conversion(sample_event(), site="j97abc", channel="kx7")
    assert (body["siteId"], body["channelId"]) == ("j97abc", "kx7")
    assert "websiteId" not in body


def test_the_same_key_is_used_on_every_retry_and_another_for_a_resend():
    (one,) = ADAPTER.build(sample_event(), settings())
    (other,) = ADAPTER.build(sample_event(key="018f-sample-key|2"), settings())
    assert one.idempotency_key != other.idempotency_key
    assert len(one.idempotency_key) <= 128


@given(
    first=st.text(max_size=64),
    click=st.text(max_size=64),
    person=st.integers(min_value=1, max_value=2**52),
)
def test_whatever_people_are_called_the_body_is_json_of_numbers_and_texts(
    first: str, click: str, person: int
):
    event = sample_event(first_name=first, click=click, subscriber=person)
    body = conversion(event, send_names=True)
    assert body["telegramUserId"] == person
    assert all(value not in ("", None, {}) for value in body.values())
    json.dumps(body, ensure_ascii=False).encode()  # no half characters


def test_both_documented_answers_are_successes():
    old = {"conversionId": "j1", "capiStatus": "pending", "coldLead": True, "sends": []}
    outcome = judged(Response(200, {}, json.dumps(old).encode()))
    assert outcome.verdict is Verdict.DELIVERED
    assert "j1" in outcome.reason
    assert "not seen before" in outcome.reason
    assert judged(SUCCESS).reason == "conversion j97x"


@pytest.mark.parametrize("detail", [{"capiStatus": "skipped"}, {"dispatched": False}])
def test_what_was_accepted_but_not_forwarded_says_so(detail: dict[str, Any]):
    outcome = judged(Response(200, {}, json.dumps({"conversionId": "j1", **detail}).encode()))
    assert outcome.verdict is Verdict.DELIVERED
    assert "not forwarded" in outcome.reason


def test_a_success_without_a_receipt_is_not_sent_again():
    outcome = judged(Response(200, {}, b'{"ok":true}'))
    assert outcome.verdict is Verdict.DELIVERED
    assert "no conversion id" in outcome.reason


@pytest.mark.parametrize(
    "body", [b'{"status":"error"}', b'{"error":"x"}', b'{"success":false}', b'{"ok":false}']
)
def test_a_success_that_speaks_of_a_failure_is_tried_again(body: bytes):
    """A server in front of AdTarget says so, and the same Idempotency-Key cannot count twice."""
    outcome = judged(Response(200, {}, body))
    assert outcome.verdict is Verdict.RETRY
    assert "not AdTarget's" in outcome.reason


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[]", b"{}", b"OK"])
def test_a_success_that_is_not_json_is_tried_again_under_the_same_key(body: bytes):
    """The same Idempotency-Key cannot count twice, and nobody knows what this answer means."""
    outcome = judged(Response(200, {}, body))
    assert outcome.verdict is Verdict.RETRY
    assert "not AdTarget's" in outcome.reason
    assert not outcome.state


@pytest.mark.parametrize(
    ("status", "verdict", "stop"),
    [
        (400, Verdict.REJECTED, False),
        (401, Verdict.RETRY, True),
        (402, Verdict.RETRY, True),
        (403, Verdict.REJECTED, False),
        (404, Verdict.REJECTED, False),
        (408, Verdict.RETRY, False),
        (429, Verdict.RETRY, False),
        (500, Verdict.RETRY, False),
        (502, Verdict.RETRY, False),
        (503, Verdict.RETRY, False),
    ],
)
def test_a_page_of_some_proxy_is_judged_by_its_status(status: int, verdict: Verdict, stop: bool):
    outcome = judged(Response(status, {}, b"<html>"))
    assert (outcome.verdict, outcome.disable_destination) == (verdict, stop)


def test_the_wait_that_was_asked_for_is_passed_on():
    assert judged(error(429, "RATE_LIMITED", **{"retry-after": "7"})).retry_after == 7
    assert judged(error(503, "API_DISABLED")).retry_after == 1800


def test_a_replayed_receipt_is_a_duplicate():
    outcome = judged(Response(200, {"x-idempotent-replay": "true"}, SUCCESS.body))
    assert outcome.verdict is Verdict.DUPLICATE


STORED = {"x-idempotent-replay": "true"}


def follow(answers: Iterable[Response]) -> list[tuple[str, Outcome]]:
    """Try one event again and again: the key it went under and what came of it."""
    event, kept, seen = sample_event(), settings(), []
    for number, answer in enumerate(answers):
        event = replace(event, tries=number)
        (request,) = ADAPTER.build(event, kept)
        assert request.headers["Idempotency-Key"] == request.idempotency_key
        outcome = ADAPTER.classify(answer, request, event, kept)
        seen.append((request.idempotency_key, outcome))
        if outcome.state is not None:
            event = replace(event, state=outcome.state)
    return seen


def test_after_two_stored_failures_another_key_is_tried_once():
    stored, fresh = error(500, "INTERNAL_ERROR", **STORED), error(500, "INTERNAL_ERROR")
    seen = follow([fresh, stored, fresh, stored, fresh, stored, stored])
    key = sample_event().step_key()
    assert [used for used, _ in seen] == [key] * 4 + [f"{key}:r1"] * 3
    assert [one.verdict for _, one in seen] == [Verdict.RETRY] * 6 + [Verdict.REJECTED]
    assert "resend" in seen[-1][1].reason


def test_under_another_key_the_event_arrives():
    stored = error(503, "x", **STORED)
    *_, (key, outcome) = follow([stored, stored, SUCCESS])
    assert key.endswith(":r1")
    assert outcome.verdict is Verdict.DELIVERED


@pytest.mark.parametrize(("status", "code"), [(401, "REVOKED_KEY"), (402, "x")])
def test_a_stored_refusal_of_the_account_is_asked_anew_and_ends_nothing(status: int, code: str):
    seen = follow([error(status, code, **STORED)] * 9)
    assert {(one.verdict, one.disable_destination) for _, one in seen} == {(Verdict.RETRY, False)}
    assert len({key for key, _ in seen}) == 9


def test_a_stored_refusal_of_the_event_is_final():
    ((_, outcome),) = follow([error(400, "INVALID_PAYLOAD", **STORED)])
    assert outcome.verdict is Verdict.REJECTED


@given(
    st.lists(
        st.tuples(st.sampled_from([200, 400, 402, 404, 429, 500, 503]), st.booleans()), max_size=12
    )
)
def test_a_key_changes_only_after_a_stored_failure(answered: list[tuple[int, bool]]):
    """A lost answer may have been a success; under a new key it would count twice."""
    answers = [Response(status, STORED if stored else {}) for status, stored in answered]
    seen = follow(answers)
    for (status, stored), (key, _), (after, _) in zip(answered, seen, seen[1:], strict=False):
        assert key == after or (stored and status >= 400)


@pytest.mark.parametrize(
    ("response", "good"),
    [
        (error(404, "LEAD_NOT_FOUND"), True),
        (Response(200, {}, b'{"telegramUserId":1}'), True),
        (error(401, "INVALID_KEY"), False),
        (error(402, "SUBSCRIPTION_INACTIVE"), False),
        (Response(404, {}, b"<html>"), False),
        (Response(200, {}, b"<html>"), False),
        (Response(204, {}, b""), False),
        (error(200, "INVALID_KEY"), False),
    ],
)
def test_the_probe_finds_no_lead_and_thereby_a_good_key(response: Response, good: bool):
    probe = ADAPTER.probe(settings(), 1_790_000_000)
    assert probe is not None
    assert (probe.method, probe.url) == ("GET", "https://adtarget.io/api/v1/leads/1")
    assert KEY not in probe.redacted()
    assert ADAPTER.classify_probe(response, settings()).verdict.is_success is good


def test_retries_end_before_the_key_is_forgotten():
    span = ADAPTER.delivery_policy(settings()).retry_window
    assert span is not None
    assert span < 24 * 3600
    assert ADAPTER.delivery_policy(settings()).send_superseded


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (ConversionKind.REGISTER, {"eventType": "CompleteRegistration"}),
        (ConversionKind.PURCHASE, {"eventType": "Purchase"}),
        (ConversionKind.CUSTOM, {"eventType": "Custom", "customEventName": "deposit"}),
    ],
)
def test_a_conversion_is_told_with_its_own_money(kind: ConversionKind, told: dict[str, str]):
    body = conversion(sample_event(kind))
    assert (told | {"value": 49.5, "currency": "USD"}).items() <= body.items()


def test_a_refund_is_told_only_as_a_custom_event():
    assert ADAPTER.build(sample_event(ConversionKind.REFUND), settings()) == ()
    body = conversion(sample_event(ConversionKind.REFUND), events={"refund": {"type": "Custom"}})
    assert (body["customEventName"], body["value"]) == ("Refund", -49.5)


def test_a_purchase_waits_for_its_value():
    event = sample_event(ConversionKind.PURCHASE, value="", currency="")
    assert ADAPTER.build(event, settings()) == ()
    assert ADAPTER.build(event, settings(empty_purchase="zero")) == ()  # in which currency?


def test_a_purchase_without_a_value_is_sent_with_0_where_its_owner_says_so():
    event = sample_event(ConversionKind.PURCHASE, value="", currency="")
    body = conversion(event, empty_purchase="zero", currency="EUR")
    assert (body["value"], body["currency"]) == (0.0, "EUR")
    later = sample_event(ConversionKind.PURCHASE)
    steps = ADAPTER.build(later, settings(empty_purchase="zero", currency="EUR"))
    assert [step.step for step in steps] == ["", "value"]


def test_a_corrected_value_goes_to_the_conversion_that_was_told_before():
    event = sample_event(ConversionKind.PURCHASE, value="60", revision=1)
    first = ADAPTER.build(sample_event(ConversionKind.PURCHASE), settings())[0]
    told, value = ADAPTER.build(event, settings())
    assert told.idempotency_key == first.idempotency_key
    assert value.idempotency_key not in ("", told.idempotency_key)
    again = Response(200, {"x-idempotent-replay": "true"}, SUCCESS.body)
    outcome = ADAPTER.classify(again, told, event, settings())
    assert (outcome.verdict, outcome.state) == (Verdict.DUPLICATE, {"conversion": "j97x"})
    _, value = ADAPTER.build(replace(event, state=outcome.state), settings())
    assert value.url == "https://adtarget.io/api/v1/leads/987654321/conversions/j97x/value"
    assert json.loads(value.body) == {"value": 60.0, "currency": "USD"}
    next_one = replace(event, revision=2)
    assert ADAPTER.build(next_one, settings())[1].idempotency_key != value.idempotency_key


def test_a_value_that_comes_after_the_key_was_forgotten_is_not_counted_as_another_conversion():
    event = sample_event(ConversionKind.PURCHASE, revision=1)
    late = replace(event, now=event.time + 23 * 3600 + 1)
    assert ADAPTER.build(late, settings()) == ()


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (Response(200, {}, b"{}"), Verdict.DELIVERED),
        (Response(204), Verdict.DELIVERED),
        (error(404, "CONVERSION_NOT_FOUND"), Verdict.REJECTED),
        (error(500, "INTERNAL_ERROR"), Verdict.RETRY),
    ],
)
def test_the_answer_to_a_value_is_judged_by_its_code(answer: Response, verdict: Verdict):
    event = sample_event(ConversionKind.PURCHASE, revision=1)
    value = ADAPTER.build(event, settings())[1]
    assert ADAPTER.classify(answer, value, event, settings()).verdict is verdict


VISIT = {
    "how": "link", "source": "abcd1234", "click_token": "a1B2c3D4e5F6g7H8", "country": "DE",
    "landing": "https://shop.example/tea", "referrer": "m.facebook.com/", "utm_source": "fb",
    "ip": "203.0.113.7", "ua": "Mozilla/5.0", "gclid": "g1", "ttclid": "E.C.P.x", "sccid": "s1",
    "fbc": "fb.1.1789998000000.IwAR0_x-Y", "fbp": "fb.1.1789997000000.1098115397",
}  # fmt: skip
OF_BROWSER = {
    "clientIp": "203.0.113.7", "userAgent": "Mozilla/5.0", "gclid": "g1", "ttclid": "E.C.P.x",
    "sccid": "s1", "fbc": VISIT["fbc"],
}  # fmt: skip


def test_a_conversion_says_what_is_known_of_its_click():
    body = conversion(sample_event(click="external-7", touch=VISIT))
    assert body.items() >= {**OF_BROWSER, "fbp": VISIT["fbp"]}.items()
    assert body["eventSourceUrl"] == "https://shop.example/tea"
    assert body["externalUserId"] == "external-7"
    for wrong in ({"fbc": "IwAR0"}, {"fbp": "x"}, {"ip": "unknown"}):
        body = conversion(sample_event(touch={**VISIT, **wrong}))
        assert not set(wrong.values()) & set(map(str, body.values()))


def test_a_token_of_our_own_door_is_no_id_of_a_platform_and_of_no_user():
    touch = {"source": "abcd1234", "click_token": "a1B2c3D4e5F6g7H8"}
    for click_type in ("external", "fbclid", "gclid"):
        event = sample_event(click="a1B2c3D4e5F6g7H8", touch=touch)
        body = conversion(event, click_type=click_type)
        assert "a1B2c3D4e5F6g7H8" not in body.values()
        assert body["externalUserId"] == "12"


def test_a_visit_is_told_before_the_first_event_where_its_owner_wants_it():
    kept = settings(send_visit=True)
    steps = ADAPTER.build(sample_event(EventKind.WAIT, touch=VISIT), kept)
    assert [step.step for step in steps] == ["visit", "fbp", "invite"]
    assert len({step.idempotency_key for step in steps}) == 3
    visit, fbp, invite = (json.loads(step.body) for step in steps)
    assert visit.items() >= {**OF_BROWSER, "utmSource": "fb", "country": "DE"}.items()
    assert visit["href"] == visit["landingPage"] == "https://shop.example/tea"
    assert "fbp" not in visit
    assert fbp == {"tempId": visit["tempId"], "fbp": VISIT["fbp"]}
    assert invite == {"tempId": visit["tempId"], "channelId": "-1001234567890"}
    assert str(uuid.UUID(visit["tempId"])) == visit["tempId"]
    joined = ADAPTER.build(sample_event(touch=VISIT, sequence=2), kept)
    assert [step.step for step in joined] == [""]
    started = ADAPTER.build(sample_event(touch={**VISIT, "how": "start", "fbp": ""}), kept)
    assert [step.step for step in started] == ["visit", ""]
    assert len(ADAPTER.build(sample_event(touch=VISIT), settings())) == 1


@pytest.mark.parametrize(
    ("answer", "tries", "verdict"),
    [
        (Response(200, {}, b'{"visitId":"v"}'), 0, Verdict.DELIVERED),
        (Response(404, {}, b"Not Found"), 0, Verdict.DELIVERED),
        (error(400, "INVALID_PAYLOAD"), 0, Verdict.DELIVERED),
        (error(500, "INTERNAL_ERROR"), 0, Verdict.RETRY),
        (error(500, "INTERNAL_ERROR"), 3, Verdict.DELIVERED),
        (error(401, "REVOKED_KEY"), 3, Verdict.RETRY),
    ],
)
def test_a_visit_that_is_not_taken_holds_up_no_conversion(
    answer: Response, tries: int, verdict: Verdict
):
    kept = settings(send_visit=True)
    event = sample_event(touch=VISIT, tries=tries)
    visit = ADAPTER.build(event, kept)[0]
    assert ADAPTER.classify(answer, visit, event, kept).verdict is verdict


@pytest.mark.parametrize("step", [0, 1, 2])
@pytest.mark.parametrize(
    "body",
    [b"<html>login</html>", b"", b"OK", b'{"status":"error"}', b'{"success":false}', b"\x1f\x8bx"],
)
def test_a_visit_is_not_known_by_an_answer_that_is_not_adtargets(step: int, body: bytes):
    kept = settings(send_visit=True)
    for tries in (0, adapter.VISIT_TRIES):
        event = sample_event(EventKind.WAIT, touch=VISIT, tries=tries)
        request = ADAPTER.build(event, kept)[step]
        outcome = ADAPTER.classify(Response(200, {}, body), request, event, kept)
        assert "knows of the visit" not in outcome.reason
        is_over = tries > 0 or body == b'{"success":false}'
        assert outcome.verdict is (Verdict.DELIVERED if is_over else Verdict.RETRY)


def test_what_is_asked_for_is_what_the_switches_say():
    nothing = settings(send_click=False)
    assert ADAPTER.touch_fields(nothing) == {"source", "click_token"}
    assert "utm_source" not in ADAPTER.touch_fields(settings())
    assert ADAPTER.touch_fields(settings(send_visit=True)) >= set(VISIT)


def test_settings_of_before_there_were_conversions_send_them_as_usual():
    kept = settings()
    del kept["events"]["purchase"]
    assert ADAPTER.build(sample_event(ConversionKind.PURCHASE), kept)
