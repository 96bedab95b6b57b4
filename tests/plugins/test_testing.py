"""The conformance suite finds what it is there to find."""

import os
import socket
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import marshmallow
import pytest

import plugins
from plugins.contract import Event, Outcome, Request, Response, Verdict, hookimpl
from plugins.registry import AdapterFailed, make_adapter
from plugins.testing import AdapterContract, sample_event
from tests.support import ROOT


def suite(
    build: Any, classify: Any = lambda response: Outcome(Verdict.DELIVERED)
) -> AdapterContract:
    plugin = SimpleNamespace(
        settings_schema=hookimpl(lambda: marshmallow.Schema(many=False)),
        build_request=hookimpl(build),
        classify_response=hookimpl(classify),
    )

    class Suite(AdapterContract):
        adapter = make_adapter("tried", plugin)
        example_settings: dict[str, Any] = {}  # noqa: RUF012
        success_sample = Response(200)

    return Suite()


def good(event: Event) -> Request:
    return Request("GET", "https://t.example/?c=1")


def by_the_clock(event: Event) -> Request:
    return Request("GET", f"https://t.example/?t={time.time()}")


def by_the_environment(event: Event) -> Request:
    return Request("GET", f"https://t.example/?t={len(os.environ.get('HOME', ''))}")


def by_a_socket(event: Event) -> Request:
    socket.socket().close()
    return Request("GET", "https://t.example/")


def by_a_file(event: Event) -> Request:
    with open(os.devnull) as file:  # noqa: PTH123
        return Request("GET", f"https://t.example/?t={file.read()}")


@pytest.mark.parametrize("build", [by_the_clock, by_the_environment, by_a_socket, by_a_file])
def test_a_hook_that_looks_outside_is_found(build: Any):
    with pytest.raises(AssertionError, match="more than describe"):
        suite(build).test_hooks_touch_neither_network_nor_files_nor_clock()


def test_a_pure_hook_passes():
    suite(good).test_hooks_touch_neither_network_nor_files_nor_clock()


@pytest.mark.parametrize(
    "place", ["https://t.example/?c={}", "https://t.example/{}/x", "https://{}.example/"]
)
def test_a_value_that_leaves_its_place_is_found(place: str):
    with pytest.raises((AssertionError, AdapterFailed)):
        suite(
            lambda event: Request("GET", place.format(event.click))
        ).test_hostile_text_stays_in_its_place()


def test_an_adapter_that_never_sends_is_found():
    with pytest.raises(AssertionError):
        suite(lambda event: ()).test_some_event_is_sent()


def test_changing_requests_are_found():
    count = iter(range(100))
    with pytest.raises(AssertionError):
        suite(
            lambda event: Request("GET", f"https://t.example/{next(count)}")
        ).test_the_same_event_gives_the_same_requests()


def test_an_answer_that_breaks_the_reading_is_found():
    broken = suite(good, lambda response: Outcome(Verdict(response.json()["status"])))
    with pytest.raises(AdapterFailed):
        broken.test_every_answer_gets_an_outcome()


@pytest.mark.parametrize("field", ["now", "tries"])
def test_a_key_that_changes_with_the_try_is_found(field: str):
    with pytest.raises(AssertionError):
        suite(
            lambda event: Request(
                "GET", "https://t.example/", idempotency_key=str(getattr(event, field))
            )
        ).test_a_retry_goes_under_the_same_keys()


def in_two_steps(event: Event) -> tuple[Request, ...]:
    address = f"https://t.example/{event.state.get('id', 'none')}"
    return Request("GET", "https://t.example/1", step="first"), Request("GET", address, step="then")


def by_step(response: Response, request: Request) -> Outcome:
    if response.body == b"bad" or request.url.endswith("/none"):
        return Outcome(Verdict.REJECTED, "no")
    good = response.body == {"first": b"made", "then": b"ok"}[request.step]
    return Outcome(Verdict.DELIVERED if good else Verdict.RETRY, state={"id": "5f"})


def test_steps_are_walked_with_their_samples_and_the_state_of_those_before():
    steps = suite(in_two_steps, by_step)
    steps.success_samples = {  # type: ignore[misc]
        "first": Response(200, {}, b"made"),
        "then": Response(200, {}, b"ok"),
    }
    steps.test_its_own_success_is_delivered()
    steps.success_samples = {"first": Response(200, {}, b"made")}  # type: ignore[misc]
    with pytest.raises(AssertionError, match="then"):
        steps.test_its_own_success_is_delivered()


def test_a_failure_that_counts_as_a_success_or_says_nothing_is_found():
    failing = suite(good)
    failing.test_its_own_failure_is_not_delivered()
    failing.failure_sample = Response(200, {}, b"bad")  # type: ignore[misc]
    with pytest.raises(AssertionError):
        failing.test_its_own_failure_is_not_delivered()
    silent = suite(good, lambda response: Outcome(Verdict.REJECTED))
    silent.failure_sample = Response(200)  # type: ignore[misc]
    with pytest.raises(AssertionError):
        silent.test_its_own_failure_is_not_delivered()


def test_a_sample_of_a_probe_is_read_as_good_and_needs_a_probe():
    nobody_asks = suite(good)
    nobody_asks.test_a_probe_and_its_answers_are_understood()
    nobody_asks.probe_sample = Response(200)  # type: ignore[misc]
    with pytest.raises(AssertionError, match="no probe"):
        nobody_asks.test_a_probe_and_its_answers_are_understood()


def test_steps_that_depend_on_the_state_are_found():
    def build(event: Event) -> tuple[Request, ...]:
        first = Request("GET", "https://t.example/1", step="first")
        return () if event.state else (first,)

    def classify() -> Outcome:
        return Outcome(Verdict.DELIVERED, state={"id": "5f"})

    with pytest.raises(AssertionError):
        suite(build, classify).test_the_state_changes_no_steps()
    suite(good, classify).test_the_state_changes_no_steps()


def test_the_documented_way_to_carry_keeps_the_contract():
    """docs/plugins.md shows it: an id for the next step, and a count of its own."""
    text = (ROOT / "docs" / "plugins.md").read_text()
    source = text.partition("is counted:\n\n```python\n")[2].partition("```")[0]
    known = {name: getattr(plugins, name) for name in plugins.__all__}
    exec(source, known)  # noqa: S102  # our own text
    classify = known["classify_response"]
    person, deal = (Request("GET", "https://t.example/", step=one) for one in ("person", "deal"))
    event = sample_event()
    carried = classify(Response(200, {}, b'{"id": "5f"}'), person, event).state
    assert carried == {"person": "5f"}
    verdicts = []
    for _ in range(4):
        outcome = classify(Response(404), deal, replace(event, state=carried))
        carried = outcome.state
        verdicts.append(outcome.verdict)
    assert verdicts == [Verdict.RETRY] * 3 + [Verdict.REJECTED]
    assert carried == {"person": "5f", "misses": 4}
    assert classify(Response(200), deal, event).verdict is Verdict.DELIVERED
