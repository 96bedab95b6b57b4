"""Rules of the desk: the first that fits decides, and without one a person does. Pure."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from app.domain.join_requests import conditions
from app.domain.join_requests.facts import Facts

MOST_RULES: Final = 20
LONGEST_DELAY: Final = 86_400


class Verdict(enum.IntEnum):
    """What is to be done about a request. Stored, so the numbers stay."""

    HOLD = 0
    APPROVE = 1
    DECLINE = 2
    ASK = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. The delay is between `delay_from` and `delay_to` seconds.

    ASK waits for an answer for `delay_to` seconds (0: as long as it takes), then does
    what `otherwise` says.
    """

    id: int
    conditions: Mapping[str, Any]
    action: Verdict
    otherwise: Verdict = Verdict.HOLD
    delay_from: int = 0
    delay_to: int = 0


@dataclass(frozen=True, slots=True)
class RuleDecision:
    """What is decided of a request, and by which rule (0: by none).

    `delay` is in seconds; None if nothing happens by itself. `asks`: an answer approves it.
    """

    action: Verdict
    rule_id: int = 0
    delay: float | None = None
    asks: bool = False


BY_NOBODY: Final = RuleDecision(Verdict.HOLD)


def first_fit(rules: Sequence[Rule], facts: Facts) -> Rule | None:
    """Return the first rule whose conditions all hold, None if there is none."""
    return next((rule for rule in rules if conditions.hold(rule.conditions, facts)), None)


def decide(rules: Sequence[Rule], facts: Facts, chance: float) -> RuleDecision:
    """Decide a request by rules in their order. `chance` in [0, 1) chooses the delay."""
    rule = first_fit(rules, facts)
    if rule is None:
        return BY_NOBODY
    if rule.action is Verdict.ASK:
        lasts = rule.otherwise is Verdict.HOLD or not rule.delay_to
        action = Verdict.HOLD if lasts else rule.otherwise
        return RuleDecision(action, rule.id, None if lasts else float(rule.delay_to), asks=True)
    if rule.action is Verdict.HOLD:
        return RuleDecision(Verdict.HOLD, rule.id)
    span = max(0, rule.delay_to - rule.delay_from)
    return RuleDecision(rule.action, rule.id, rule.delay_from + span * chance)


def let_all_in(facts: Facts) -> RuleDecision:
    """Decide without rules: all are approved at once, but blocked people wait for a person."""
    return BY_NOBODY if facts.is_blocked else RuleDecision(Verdict.APPROVE, delay=0.0)


def minute_and_weekday(moment: float, zone: tzinfo) -> tuple[int, int]:
    """Return the minute of the day and the weekday (1 is Monday) of Unix seconds in a zone."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(zone)
    return local.hour * 60 + local.minute, local.isoweekday()


def after_quiet(moment: float, zone: tzinfo, quiet: tuple[int, int]) -> float:
    """Return `moment`, or the end of the quiet time if it lies in it.

    `quiet` is from and to, in minutes of a day of the zone; equal ones are no time. The
    answer is exact to the minute: a clock that is changed in that night may shift it.
    """
    minute, _ = minute_and_weekday(moment, zone)
    if not conditions.is_within(*quiet, minute):
        return moment
    left = (quiet[1] - minute) % conditions.MINUTES_OF_DAY
    return moment - moment % 60 + left * 60
