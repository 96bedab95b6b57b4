"""Repeated answers of Altcraft: new tries and new Request-IDs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Response, Verdict
from plugins.testing import sample_event
from plugins.trackers.altcraft import attempts
from tests.support.altcraft import ACTIONS, SUCCESS, error, follow, judged, verdicts


def test_a_goal_whose_profile_is_not_found_yet_is_tried_three_times_more():
    seen = follow([error(404)] * 4)
    assert verdicts(seen) == [Verdict.RETRY] * 3 + [Verdict.REJECTED]
    assert len({key for key, _ in seen}) == 4  # the 404 might be replayed
    assert seen[0][0] == sample_event().step_key("goal")


def test_other_failures_do_not_use_up_the_tries_of_a_missing_profile():
    seen = follow([error(404), error(500), error(429), error(404), error(404), SUCCESS])
    assert verdicts(seen) == [Verdict.RETRY] * 5 + [Verdict.DELIVERED]
    keys = [key for key, _ in seen]
    assert keys[1] == keys[2] == keys[3]
    assert len(set(keys)) == 4


def test_only_a_profile_that_was_just_written_is_waited_for():
    assert verdicts(follow([error(404)], mode="goal")) == [Verdict.REJECTED]
    assert verdicts(follow([error(404)], "profile")) == [Verdict.REJECTED]


def test_an_answer_that_cannot_be_read_is_asked_for_twice_more_under_one_request_id():
    seen = follow([Response(200, {}, b"<html>")] * 3)
    assert verdicts(seen) == [Verdict.RETRY, Verdict.RETRY, Verdict.REJECTED]
    assert len({key for key, _ in seen}) == 1  # it may have been done


def test_what_one_step_counted_is_nothing_to_the_next():
    (_, outcome), *_ = follow([Response(200, {}, b"<html>")], "profile")
    event = sample_event(state=outcome.state)
    seen = follow([Response(200, {}, b"<html>")] * 3, "goal", event)
    assert verdicts(seen) == [Verdict.RETRY, Verdict.RETRY, Verdict.REJECTED]


def test_other_failures_do_not_forget_the_answered_profile():
    event = sample_event(state={"profile": "5f4fa1a5ce"})
    cut, replayed = Response(200, {}, b"{"), error(500, **{"duplicate-request": "true"})
    for answer in (cut, replayed, error(500), SUCCESS):
        (_, outcome), *_ = follow([answer], event=event)
        state = event.state if outcome.state is None else outcome.state
        assert state["profile"] == "5f4fa1a5ce"


@pytest.mark.parametrize("name", ["duplicate-request", "x-duplicate-request"])
def test_both_marks_of_a_duplicate_are_known(name: str):
    assert judged(error(0, 200, **{name: "true"})).verdict is Verdict.DUPLICATE
    assert judged(error(450, 200, **{name: "true"})).verdict is Verdict.REJECTED


def test_a_replayed_failure_goes_once_under_a_new_request_id():
    replayed = error(500, 200, **{"duplicate-request": "true"})
    seen = follow([error(500), replayed, error(500), replayed])
    assert verdicts(seen) == [Verdict.RETRY] * 3 + [Verdict.REJECTED]
    first, second, third, fourth = (key for key, _ in seen)
    assert first == second != third == fourth
    assert "resend" in seen[-1][1].reason


@pytest.mark.parametrize("code", [401, 402, 403])
def test_a_replayed_refusal_of_the_account_is_asked_anew_and_ends_nothing(code: int):
    replayed = error(code, 200, **{"duplicate-request": "true"})
    seen = follow([replayed] * 9)
    assert {(one.verdict, one.disable_destination) for _, one in seen} == {(Verdict.RETRY, False)}
    assert len({key for key, _ in seen}) == 9


def _answer(code: int | None, replayed: bool) -> Response:
    marks = {"duplicate-request": "true"} if replayed else {}
    return Response(200, marks, b"<html>" if code is None else error(code).body)


@given(
    answers=st.lists(
        st.tuples(st.sampled_from([None, 0, 401, 402, 404, 429, 450, 500]), st.booleans()),
        max_size=12,
    )
)
def test_a_request_id_changes_only_when_nothing_was_done_under_it(
    answers: list[tuple[int | None, bool]],
):
    """Otherwise a goal could be counted twice."""
    seen = follow(_answer(*one) for one in answers)
    for (code, replayed), (key, outcome), (after, _) in zip(answers, seen, seen[1:], strict=False):
        if outcome.verdict is Verdict.RETRY and key != after:
            assert code is not None
            assert code == 404 or replayed


def test_an_action_waits_for_its_profile_as_a_goal_does():
    seen = follow([error(404)] * 4, "workflow", **ACTIONS)
    assert verdicts(seen) == [Verdict.RETRY] * 3 + [Verdict.REJECTED]


def test_a_step_keeps_its_request_id_until_it_counted_a_turn():
    event = sample_event()
    assert attempts.request_id(event, "goal") == event.step_key("goal")
    turned = sample_event(state={"at": "goal", "turn": 1})
    assert attempts.request_id(turned, "goal") == event.step_key("goal|r1")
    assert attempts.request_id(turned, "trigger") == event.step_key("trigger")
