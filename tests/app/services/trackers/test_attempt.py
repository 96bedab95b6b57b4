"""One attempt: what an answer means, and how the steps follow one another."""

from typing import Any

import pytest

from app.outbound.result import Answer, Failure
from app.services.trackers.attempt import TrackerAttempt, read, shown
from plugins.contract import Outcome, Request, Response, Verdict, hookimpl
from plugins.registry import make_adapter
from plugins.testing import sample_event
from tests.support.adapters import PlainPlugin

SECRET = "s3cr3t-token-value"


class Steps(PlainPlugin):
    """Two steps, the second with what the first one carried."""

    names = ("first", "second")
    fails = False

    @hookimpl
    def build_request(self, event):
        if self.fails:
            raise ValueError("cannot")
        url = f"https://t.example/{event.state.get('id', '')}"
        return tuple(Request("GET", url, step=name) for name in self.names)

    @hookimpl
    def classify_response(self, response):
        if response.status == 500:
            raise ValueError("unheard of")
        return Outcome(Verdict.DELIVERED, state=response.json())


def begin(plugin: Steps) -> TrackerAttempt:
    adapter, event = make_adapter("steps", plugin), sample_event()
    return TrackerAttempt(
        adapter=adapter, settings={}, event=event, requests=adapter.build(event, {})
    )


def answered(response: Response | None, failure: Failure | None = None) -> Answer:
    reason = "" if failure is None else f"it was {failure}"
    return Answer(None, response, failure, reason, 5, 1000.0)


@pytest.fixture
def plugin() -> Steps:
    return Steps()


@pytest.mark.parametrize("failure", Failure)
def test_a_request_that_cannot_be_sent_is_rejected_and_others_are_tried_again(failure):
    def unasked(_response: Any) -> Outcome:
        raise AssertionError("there is nothing to classify")

    outcome = read(answered(None, failure), unasked)
    never = failure in (Failure.BLOCKED, Failure.INVALID)
    assert outcome.verdict is (Verdict.REJECTED if never else Verdict.RETRY)
    assert outcome.reason == f"it was {failure}"


def test_a_success_goes_on_to_the_next_step_until_the_last(plugin):
    attempt = begin(plugin)
    for name in plugin.names:
        assert not attempt.is_complete
        assert attempt.request.step == name
        attempt.advance(attempt.read(answered(Response(200))))
    assert attempt.is_complete


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.REJECTED])
def test_a_step_that_did_not_succeed_stays_the_next_one(plugin, verdict):
    attempt = begin(plugin)
    attempt.advance(Outcome(verdict))
    assert attempt.request.step == "first"


def test_the_next_step_is_built_with_what_an_answer_carried(plugin):
    attempt = begin(plugin)
    attempt.advance(attempt.read(answered(Response(200, {}, b'{"id": "5f"}'))))
    assert attempt.refresh()
    assert (attempt.request.step, attempt.request.url) == ("second", "https://t.example/5f")
    assert attempt.adapter_state == '{"id": "5f"}'


def test_requests_are_not_built_again_while_nothing_new_is_carried(plugin):
    attempt = begin(plugin)
    requests = attempt.requests
    plugin.fails = True  # it would show
    attempt.advance(Outcome(Verdict.DELIVERED))
    assert attempt.refresh()
    assert attempt.requests is requests


@pytest.mark.parametrize("change", [{"fails": True}, {"names": ("first", "other")}])
def test_steps_that_cannot_be_built_again_leave_the_old_ones(plugin, change):
    attempt = begin(plugin)
    requests = attempt.requests
    vars(plugin).update(change)
    attempt.advance(Outcome(Verdict.DELIVERED, state={"id": "5f"}))
    assert not attempt.refresh()
    assert attempt.requests is requests


def test_an_adapter_that_fails_over_an_answer_is_tried_again_and_named(plugin):
    attempt = begin(plugin)
    outcome = attempt.read(answered(Response(500)))
    assert outcome.verdict is Verdict.RETRY
    assert "unheard of" in outcome.reason
    assert attempt.fault is not None


def test_people_see_an_answer_without_secrets_even_where_it_is_cut():
    request = Request("GET", "https://t.example/", secrets=(SECRET,))
    body = b"x" * (2048 - 5) + SECRET.encode() + b"y" * 50
    text = shown(answered(Response(200, {}, body)), request)
    assert len(text) == 2048
    assert SECRET[:5] not in text


def test_people_see_no_nul_and_nothing_where_there_was_no_answer():
    request = Request("GET", "https://t.example/")
    assert shown(answered(Response(200, {}, b"a\x00b")), request) == "a\ufffdb"
    assert shown(answered(None, Failure.TIMEOUT), request) == ""
