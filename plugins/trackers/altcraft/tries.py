"""What one answer of Altcraft means after those before it: counts and new Request-IDs.

A count belongs to one step, `at`; `turn` is how often that step changed its
Request-ID. `profile` is the id that the first step answered, for the others.
"""

from __future__ import annotations

from typing import Final

from plugins.contract import Event, Outcome, Response, Verdict
from plugins.trackers.altcraft.answers import (
    error_code,
    is_replayed,
    is_unreadable,
    judge,
    profile_id,
)

MISSES: Final = 3  #: times that a profile of ours may not be found yet
UNREADABLE: Final = 2  #: times that a success may be no answer of Altcraft's

Carry = dict[str, str | int]


def request_id(event: Event, step: str) -> str:
    """The Request-ID of a step: the same on every retry until its turn is over."""
    turn = _counts(event, step).get("turn", 0)
    return event.step_key(f"{step}|r{turn}" if turn else step)


def weigh(response: Response, event: Event, step: str, *, just_written: bool) -> Outcome:
    """Judge an answer by what came before it. `just_written`: its profile was, by this event."""
    outcome, counts = judge(response, step), _counts(event, step)
    if outcome.verdict.is_success:
        verdict = Verdict.DUPLICATE if is_replayed(response) else outcome.verdict
        reason = "Altcraft had this already" if is_replayed(response) else outcome.reason
        return Outcome(verdict, reason, carry=_known(event, response))
    if just_written and step != "profile" and error_code(response) == 404:
        return _missed(outcome, counts)
    if is_unreadable(response):
        return _unread(outcome, counts, event)
    if is_replayed(response) and outcome.verdict is Verdict.RETRY:
        return _replayed(outcome, counts, event)
    return outcome


def _counts(event: Event, step: str) -> Carry:
    """What is carried of this step; that of another step is over."""
    if event.carried.get("at") != step:
        return {"at": step}
    return {name: value for name, value in event.carried.items() if name != "profile"}


def _profile(event: Event) -> Carry:
    return {"profile": event.carried["profile"]} if "profile" in event.carried else {}


def _known(event: Event, response: Response) -> Carry:
    """For the steps that follow: whose profile it is."""
    told = profile_id(response)
    return {"profile": told} if told else _profile(event)


def _missed(outcome: Outcome, counts: Carry) -> Outcome:
    """Nothing was done, so a fresh Request-ID is safe; the 404 might be replayed otherwise.

    The id that was answered is forgotten: that profile may be gone, and
    another be found by the customer's own field.
    """
    misses = int(counts.get("misses", 0)) + 1
    if misses > MISSES:
        return outcome
    reason = f"not found yet: {outcome.reason}"
    return Outcome(Verdict.RETRY, reason, carry=_next_turn(counts) | {"misses": misses})


def _unread(outcome: Outcome, counts: Carry, event: Event) -> Outcome:
    """It may have been done, so the Request-ID stays: it guards against a second time."""
    unread = int(counts.get("unread", 0)) + 1
    if unread > UNREADABLE:
        return Outcome(Verdict.REJECTED, outcome.reason)
    carry = counts | {"unread": unread} | _profile(event)
    return Outcome(Verdict.RETRY, outcome.reason, carry=carry)


def _replayed(outcome: Outcome, counts: Carry, event: Event) -> Outcome:
    """A failure that was stored: asked anew under another Request-ID, once.

    What it says of the token or the tariff did nothing and may be mended by
    now, so that neither stops nor ends anything, however often it comes.
    """
    carry = _next_turn(counts) | _profile(event)
    said = f"Altcraft repeats a stored answer ({outcome.reason})"
    if outcome.stop:
        return Outcome(Verdict.RETRY, said, carry=carry)
    if "renewed" in counts:
        return Outcome(Verdict.REJECTED, f"{said} under a new Request-ID too; resend the event")
    return Outcome(Verdict.RETRY, said, carry=carry | {"renewed": 1})


def _next_turn(counts: Carry) -> Carry:
    return counts | {"turn": int(counts.get("turn", 0)) + 1}
