"""The border: whatever foreign code does ends as AdapterFailed, and says why."""

import sys
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import marshmallow
import pytest
from marshmallow import fields

from plugins.contract import (
    DeliveryPolicy,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    translatable,
)
from plugins.registry import Adapter, AdapterFailed, make_adapter
from plugins.testing import AdapterContract, sample_event

GOOD = Request("GET", "https://t.example/")
DELIVERED = Outcome(Verdict.DELIVERED)
SETTINGS = {"token": "s3cr&t-token"}


def act(answer: Any) -> Any:
    """Return the answer, raise it if it is an exception, call it if it can be called."""
    if isinstance(answer, BaseException) or (
        isinstance(answer, type) and issubclass(answer, BaseException)
    ):
        raise answer
    return answer() if callable(answer) else answer


def make(
    build: Any = GOOD,
    classify: Any = DELIVERED,
    seconds: float = 2.0,
    **optional: Any,
) -> Adapter:
    class Form(marshmallow.Schema):
        token = fields.String(required=True, metadata={"secret": True})

    class Plugin:
        @hookimpl
        def settings_schema(self):
            return Form()

        @hookimpl
        def build_request(self, event, settings):
            return act(build)

        @hookimpl
        def classify_response(self, response):
            return act(classify)

    for name, answer in optional.items():
        if name == "classify_probe":
            setattr(Plugin, name, hookimpl(lambda self, response, answer=answer: act(answer)))
        else:
            setattr(Plugin, name, hookimpl(lambda self, settings, answer=answer: act(answer)))
    return make_adapter("a_plugin", Plugin(), seconds=seconds)


def reason_of_building(build: Any, seconds: float = 2.0) -> str:
    with pytest.raises(AdapterFailed) as caught:
        make(build, seconds=seconds).build(sample_event(), SETTINGS)
    return caught.value.reason


def spin() -> None:
    while True:
        time.sleep(0)


def dive() -> None:
    dive()


def swallow() -> None:
    while True:
        try:  # noqa: SIM105  # suppress() would be another loop
            time.sleep(60)
        except BaseException:  # noqa: BLE001, S110  # what a bad plugin does
            pass


class Unprintable(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (ValueError("bad click"), "build_request raised ValueError: bad click"),
        (SystemExit(1), "build_request raised SystemExit: 1"),
        (sys.exit, "build_request raised SystemExit"),
        (GeneratorExit, "build_request raised GeneratorExit"),
        (Unprintable(), "build_request raised Unprintable"),
        (marshmallow.ValidationError("no"), "build_request raised ValidationError: no"),
        (None, "build_request returned nothing instead of a Request"),
        ("https://t.example/", "build_request returned str instead of a Request"),
        ([GOOD], "build_request returned list instead of a Request"),
        ((GOOD, None), "build_request returned nothing instead of a Request"),
        ((GOOD, GOOD), "build_request gave two steps the same name"),
        ((GOOD,) * 17, "build_request returned more than 16 steps"),
    ],
)
def test_a_wrong_answer_is_named(build: Any, reason: str):
    assert reason_of_building(build) == reason


@pytest.mark.parametrize("build", [spin, swallow])
def test_an_endless_loop_ends(build: Any):
    assert reason_of_building(build, seconds=0.5).startswith("build_request raised TimeUp")


def test_endless_recursion_ends():
    assert reason_of_building(dive).startswith("build_request raised RecursionError")


def test_the_operator_may_interrupt():
    with pytest.raises(KeyboardInterrupt):
        make(KeyboardInterrupt()).build(sample_event(), SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "/pb"},
        {"url": "ftp://t.example/"},
        {"url": "https://me@t.example/"},
        {"url": "https://t.example/a b"},
        {"url": "https://t.example/\r\nHost: x"},
        {"url": "https://t.example/é"},
        {"url": "https://t.example/" + "a" * 8192},
        {"url": None},
        {"method": "get"},
        {"method": "CONNECT"},
        {"body": "text"},
        {"body": b"x" * 300_000},
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"X Y": "a"}},
        {"headers": {"X": 5}},
        {"headers": [("X", "a")]},
        {"step": "a" * 33},
        {"step": "a\n"},
        {"idempotency_key": "a" * 129},
        {"idempotency_key": "a\nb"},
        {"secrets": ["a"]},
        {"secrets": (5,)},
    ],
)
def test_a_request_that_cannot_be_sent_is_refused(wrong: dict[str, Any]):
    given: dict[str, Any] = {"method": "GET", "url": "https://t.example/", **wrong}
    assert reason_of_building(Request(**given)).startswith(
        "build_request returned a request wi"
    ) or (reason_of_building(Request(**given)).startswith("build_request returned a request whose"))


def test_keys_and_secrets_are_filled_in():
    steps = (
        GOOD,
        Request("POST", "https://t.example/2", step="two", idempotency_key="mine", secrets=("x",)),
    )
    one, two = make(steps).build(sample_event(), SETTINGS)
    assert one.idempotency_key == sample_event().step_key("")
    assert two.idempotency_key == "mine"
    assert {"s3cr&t-token", "s3cr%26t-token"} <= set(one.secrets)
    assert two.secrets[0] == "x"


def test_nothing_to_send_is_an_empty_tuple():
    assert make(()).build(sample_event(), SETTINGS) == ()


def test_no_secret_is_told_in_a_reason():
    assert reason_of_building(ValueError("cannot use s3cr&t-token")) == (
        "build_request raised ValueError: cannot use ***"
    )
    adapter = make(classify=Outcome(Verdict.REJECTED, "bad\x00 key s3cr%26t-token\n" + "a" * 999))
    (request,) = adapter.build(sample_event(), SETTINGS)
    outcome = adapter.classify(Response(200), request, sample_event(), SETTINGS)
    assert outcome.reason.startswith("bad key ***")
    assert len(outcome.reason) == 300


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (
            translatable("HTTP %(status)d: redirects are not followed", status=302),
            "HTTP 302: redirects are not followed",
        ),
        (
            translatable("it says: %(message)s", message="redir, it says"),
            "it says: ***, ***",
        ),
        (
            translatable("again: %(reason)s", reason=translatable("says %(what)s", what="redir")),
            "again: says ***",
        ),
        (translatable("says %(what)s", what="it says " + "a" * 999), "says *** " + "a" * 291),
        (translatable("redirected by %(number)d", number=77123456), "***ected by ***"),
        ("it says: redirects", "***: ***ects"),
        (translatable("it says\x00%(what)s", what="redirects"), "*** ***ects"),
    ],
    ids=["ours", "theirs", "nested", "long", "a number", "plain", "odd"],
)
def test_of_a_sentence_of_ours_only_what_is_foreign_in_it_is_masked(reason: str, shown: str):
    secrets = ("redir", "it says", "77123456")
    request = replace(GOOD, secrets=secrets)
    adapter = make(classify=Outcome(Verdict.REJECTED, reason))
    outcome = adapter.classify(Response(200), request, sample_event(), SETTINGS)
    assert outcome.reason == shown


def test_the_hook_that_raised_is_named_whatever_is_masked():
    adapter = make(ValueError("built by request"))
    with pytest.raises(AdapterFailed) as caught:
        adapter.build(sample_event(), {"token": "request"})
    assert caught.value.reason == "build_request raised ValueError: built by ***"


@pytest.mark.parametrize(
    "classify",
    [
        None,
        True,
        "delivered",
        RuntimeError(),
        SystemExit(),
        Outcome("delivered"),  # type: ignore[arg-type]
        Outcome(Verdict.RETRY, retry_after=float("nan")),
        Outcome(Verdict.RETRY, retry_after=-1),
        Outcome(Verdict.RETRY, retry_after="5"),  # type: ignore[arg-type]
        Outcome(Verdict.RETRY, reason=None),  # type: ignore[arg-type]
        Outcome(Verdict.RETRY, disable_destination=1),  # type: ignore[arg-type]
        Outcome(Verdict.RETRY, state="text"),  # type: ignore[arg-type]
        Outcome(Verdict.RETRY, state=["text"]),  # type: ignore[arg-type]
        Outcome(Verdict.RETRY, state={1: "text"}),  # type: ignore[dict-item]
        Outcome(Verdict.RETRY, state={"x": None}),  # type: ignore[dict-item]
        Outcome(Verdict.RETRY, state={"x": True}),
        Outcome(Verdict.RETRY, state={"x": 0.5}),  # type: ignore[dict-item]
        Outcome(Verdict.RETRY, state={"x": {}}),  # type: ignore[dict-item]
        Outcome(Verdict.RETRY, state={"x": 2**53 + 1}),
        Outcome(Verdict.RETRY, state={"x": "a" * 1024}),
        Outcome(Verdict.RETRY, state={str(number): 1 for number in range(17)}),
    ],
)
def test_a_nonsense_outcome_fails(classify: Any):
    with pytest.raises(AdapterFailed, match="classify_response"):
        make(classify=classify).classify(Response(200), GOOD, sample_event(), SETTINGS)


def test_what_is_carried_stays_with_an_outcome_whose_reason_is_cleaned():
    carry = {"profile": "5f\x00\ud800", "tries": 3}
    adapter = make(
        classify=Outcome(Verdict.RETRY, "two\nlines", disable_destination=True, state=carry)
    )
    outcome = adapter.classify(Response(200), GOOD, sample_event(), SETTINGS)
    kept = {"profile": "5f\x00?", "tries": 3}  # JSON holds no half characters
    assert outcome == Outcome(Verdict.RETRY, "two lines", disable_destination=True, state=kept)


def test_a_secret_is_not_carried():
    adapter = make(classify=Outcome(Verdict.RETRY, state={"x": "my s3cr&t-token"}))
    (request,) = adapter.build(sample_event(), SETTINGS)
    with pytest.raises(AdapterFailed, match="secret"):
        adapter.classify(Response(200), request, sample_event(), SETTINGS)


def test_a_probe_that_would_park_a_destination_says_no():
    refused = Outcome(Verdict.RETRY, "the key is refused", disable_destination=True)
    adapter = make(build_probe=GOOD, classify_probe=refused)
    outcome = adapter.classify_probe(Response(401), SETTINGS)
    assert (outcome.verdict, outcome.reason) == (Verdict.REJECTED, "the key is refused")


def test_settings_are_checked_and_come_back_as_json():
    assert make().check_settings(SETTINGS) == SETTINGS
    with pytest.raises(marshmallow.ValidationError):
        make().check_settings({})
    with pytest.raises(marshmallow.ValidationError):
        make().check_settings({**SETTINGS, "unknown": 1})


@pytest.mark.parametrize("schema", [None, marshmallow.Schema, object()])
def test_a_schema_that_is_none_is_refused(schema: Any):
    plugin = SimpleNamespace(
        settings_schema=hookimpl(lambda: schema),
        build_request=hookimpl(lambda event: ()),
        classify_response=hookimpl(lambda response: None),
    )
    with pytest.raises(AdapterFailed, match="instead of a Schema instance"):
        make_adapter("a_plugin", plugin)


def test_settings_that_are_no_json_are_the_adapters_fault():
    class Form(marshmallow.Schema):
        when = fields.DateTime()

    plugin = SimpleNamespace(
        settings_schema=hookimpl(lambda: Form(many=False)),
        build_request=hookimpl(lambda event: ()),
        classify_response=hookimpl(lambda response: None),
    )
    with pytest.raises(AdapterFailed, match="settings_schema raised TypeError"):
        make_adapter("a_plugin", plugin).check_settings({"when": "2026-01-01T00:00:00"})


def test_an_adapter_cannot_change_its_settings():
    def build_request(settings: Any) -> Request:
        settings["token"] = "other"
        return GOOD

    plugin = SimpleNamespace(
        settings_schema=hookimpl(lambda: marshmallow.Schema(many=False)),
        build_request=hookimpl(build_request),
        classify_response=hookimpl(lambda response: None),
    )
    with pytest.raises(AdapterFailed, match="TypeError"):
        make_adapter("a_plugin", plugin).build(sample_event(), {"token": "mine"})


def test_optional_hooks_have_their_defaults():
    adapter = make()
    assert adapter.delivery_policy(SETTINGS).send_superseded is False
    assert adapter.delivery_policy(SETTINGS).retry_window is None
    assert adapter.probe(SETTINGS, 1_790_000_000) is None


def test_optional_hooks_are_asked_and_checked():
    adapter = make(
        delivery_policy=DeliveryPolicy(86400, 604800, None, send_superseded=True),
        build_probe=GOOD,
        classify_probe=Outcome(Verdict.DELIVERED),
    )
    assert adapter.delivery_policy(SETTINGS).send_superseded is True
    assert adapter.delivery_policy(SETTINGS).retry_window == 86400.0
    assert adapter.delivery_policy(SETTINGS).max_event_age == 604800.0
    probe = adapter.probe(SETTINGS, 1_790_000_000)
    assert probe is not None
    assert "s3cr&t-token" in probe.secrets
    assert adapter.classify_probe(Response(200), SETTINGS).verdict is Verdict.DELIVERED
    for wrong in (
        None,
        "fast",
        RuntimeError(),
        DeliveryPolicy(send_superseded="yes"),  # type: ignore[arg-type]
        DeliveryPolicy(send_superseded=1),  # type: ignore[arg-type]
        *(DeliveryPolicy(retry_window=seconds) for seconds in ("day", True, -1, float("inf"))),  # type: ignore[arg-type]
        *(DeliveryPolicy(max_event_age=seconds) for seconds in ("day", True, -1, float("inf"))),  # type: ignore[arg-type]
    ):
        with pytest.raises(AdapterFailed):
            make(delivery_policy=wrong).delivery_policy(SETTINGS)


class TestASmallAdapter(AdapterContract):
    adapter = make(
        Request("GET", "https://t.example/?token=s3cr%26t-token"),
        delivery_policy=DeliveryPolicy(send_superseded=True),
        build_probe=GOOD,
        classify_probe=Outcome(Verdict.DELIVERED),
    )
    example_settings = SETTINGS
    success_sample = Response(200)


def test_a_hook_of_several_functions_is_called_as_pluggy_would():
    class Plugin:
        @hookimpl
        def settings_schema(self):
            return marshmallow.Schema()

        @hookimpl(tryfirst=True)
        def build_request(self, event):
            return None if event.premium else GOOD

        @hookimpl(specname="build_request")
        def build_premium(self, settings, event):
            return replace(GOOD, url=f"https://premium.example/{event.lead}")

        @hookimpl
        def classify_response(self):
            return Outcome(Verdict.RETRY)

        @hookimpl(specname="classify_response", wrapper=True)
        def classify_again(self):
            outcome = yield
            return replace(outcome, reason="wrapped")

    adapter = make_adapter("a_plugin", Plugin())
    event = sample_event()
    assert adapter.build(replace(event, premium=False), {})[0].url == GOOD.url
    (premium,) = adapter.build(replace(event, premium=True), {})
    assert premium.url == f"https://premium.example/{event.lead}"
    assert adapter.classify(Response(200), GOOD, event, {}).reason == "wrapped"
