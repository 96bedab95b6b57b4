"""Repeated answers of Altcraft: how often a step is tried again, and under which Request-ID.

The counts are carried from one attempt to the next. They belong to one step, `at`;
`turn` is how often that step changed its Request-ID. `profile` is the id of the
profile, which the first step answered, for the steps after it.
"""

from typing import Final

from plugins.contract import Event, Outcome, Response, Verdict, translatable
from plugins.trackers.altcraft.answers import (
    error_code,
    is_replayed,
    is_unreadable,
    judge,
    profile_id,
)

MAX_MISSES: Final = 3  #: attempts at which a profile that we wrote may not be found yet
MAX_UNREADABLE: Final = 2  #: attempts at which a success may be no answer of Altcraft's

Carry = dict[str, str | int]


def request_id(event: Event, step: str) -> str:
    """The Request-ID of a step: the same on every retry until its turn is over."""
    turn = _counts(event, step).get("turn", 0)
    return event.step_key(f"{step}|r{turn}" if turn else step)


def classify(response: Response, event: Event, step: str, *, just_written: bool) -> Outcome:
    """Judge an answer by those before it.

    `just_written` says that an earlier step of this event wrote the profile.
    """
    outcome, counts = judge(response, step), _counts(event, step)
    if outcome.verdict.is_success:
        verdict = Verdict.DUPLICATE if is_replayed(response) else outcome.verdict
        reason = (
            translatable("Altcraft had this already") if is_replayed(response) else outcome.reason
        )
        return Outcome(verdict, reason, state=_for_next_steps(event, response))
    if just_written and step != "profile" and error_code(response) == 404:
        return _after_miss(outcome, counts)
    if is_unreadable(response, step):
        return _after_unreadable(outcome, counts, event)
    if is_replayed(response) and outcome.verdict is Verdict.RETRY:
        return _after_replay(outcome, counts, event)
    return outcome


def _counts(event: Event, step: str) -> Carry:
    """The counts of this step; those of an earlier step are dropped."""
    if event.state.get("at") != step:
        return {"at": step}
    return {name: value for name, value in event.state.items() if name != "profile"}


def _profile(event: Event) -> Carry:
    return {"profile": event.state["profile"]} if "profile" in event.state else {}


def _for_next_steps(event: Event, response: Response) -> Carry:
    """The profile's id, for the steps that follow."""
    answered = profile_id(response)
    return {"profile": answered} if answered else _profile(event)


def _after_miss(outcome: Outcome, counts: Carry) -> Outcome:
    """Try again under a new Request-ID: nothing was done, and the old one might replay the 404.

    The profile's id is dropped: that profile may be deleted, and another one be
    found by the customer's own field.
    """
    misses = int(counts.get("misses", 0)) + 1
    if misses > MAX_MISSES:
        return outcome
    reason = translatable("not found yet: %(reason)s", reason=outcome.reason)
    return Outcome(Verdict.RETRY, reason, state=_next_turn(counts) | {"misses": misses})


def _after_unreadable(outcome: Outcome, counts: Carry, event: Event) -> Outcome:
    """Try again under the same Request-ID: the request may have been done, and is not repeated."""
    unread = int(counts.get("unread", 0)) + 1
    if unread > MAX_UNREADABLE:
        return Outcome(Verdict.REJECTED, outcome.reason)
    carry = counts | {"unread": unread} | _profile(event)
    return Outcome(Verdict.RETRY, outcome.reason, state=carry)


def _after_replay(outcome: Outcome, counts: Carry, event: Event) -> Outcome:
    """Try a stored failure again under a new Request-ID, once.

    A refusal of the token or the tariff did nothing and may be mended by now, so it
    neither disables the destination nor ends the event, however often it is replayed.
    """
    carry = _next_turn(counts) | _profile(event)
    reason = translatable("Altcraft repeats a stored answer (%(reason)s)", reason=outcome.reason)
    if outcome.disable_destination:
        return Outcome(Verdict.RETRY, reason, state=carry)
    if "renewed" in counts:
        return Outcome(
            Verdict.REJECTED,
            translatable("%(reason)s under a new Request-ID too; resend the event", reason=reason),
        )
    return Outcome(Verdict.RETRY, reason, state=carry | {"renewed": 1})


def _next_turn(counts: Carry) -> Carry:
    return counts | {"turn": int(counts.get("turn", 0)) + 1}
