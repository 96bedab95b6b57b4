"""Answer rules: what a tracker's answer means, as rules in a list.

A rule is an object. All its conditions must hold, and the first rule that
matches decides.

    {"status": 404, "contains": "click id not found", "outcome": "unknown_click"}
    {"json": "error.code", "equals": [40001, "key"], "outcome": "bad_key"}

`status` is a number, a class such as "2xx", or a list of them. A rule without
it never overrules a status that asks for another try (408, 425, 429, 5xx).
`empty` is true for an answer of nothing but white space. `contains` is a text, or
a list of which one is enough; the case of letters is ignored; `begins` likewise, for an
answer that begins so, whatever it repeats of our request further on. `json` is a path of
names joined by dots, and `equals` the value that must stand there, or a list of them;
without `equals` any value but null, false, "" and 0 will do. Of a list, or of several
objects one after another, one that fits is enough for a failure, and all have to fit
for a success. `reason` and `disable_destination` replace those of the outcome.

An answer that cannot be read (`Response.unreadable`), such as a page, is no success by any rule
but one whose words are markup, such as "<img".

In place of a rule may stand one of the names "unknown_click", "bad_key" and
"duplicate": the phrases that many trackers use for that outcome.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from marshmallow import ValidationError

from plugins.contract import Outcome, Response, Verdict, outcome_by_status, translatable
from plugins.kit.json_bodies import json_objects

Rule = Mapping[str, Any]

#: What an answer can mean, by the words that rules use in `outcome`.
OUTCOMES: Final[Mapping[str, Outcome]] = {
    "delivered": Outcome(Verdict.DELIVERED, translatable("the tracker took it")),
    "duplicate": Outcome(Verdict.DUPLICATE, translatable("the tracker had it already")),
    "unknown_click": Outcome(
        Verdict.REJECTED, translatable("the tracker does not know this click id")
    ),
    # The owner can mend a key, and then the event is still sent.
    "bad_key": Outcome(
        Verdict.RETRY, translatable("the tracker does not accept the key"), disable_destination=True
    ),
    "refused": Outcome(Verdict.REJECTED, translatable("the tracker refused it")),
    "later": Outcome(Verdict.RETRY, translatable("the tracker asks for another try")),
}

#: Rules that may be given by their name: what many trackers answer in the same words.
COMMON_RULES: Final[Mapping[str, Rule]] = {
    "unknown_click": {
        "contains": [
            "incorrect subid", "click id not found", "clickid not found", "click not found",
            "unknown click", "invalid click", "subid not found", "visit not found",
            "no such click",
        ],
        "outcome": "unknown_click",
    },
    "bad_key": {
        "contains": [
            "invalid postback key", "wrong postback key", "invalid token", "wrong token",
            "invalid key", "wrong key",
        ],
        "outcome": "bad_key",
    },
    "duplicate": {
        "contains": ["duplicate", "already exists", "already registered"],
        "outcome": "duplicate",
    },
}  # fmt: skip

MAX_RULES: Final = 32
MAX_TEXT: Final = 256
#: Texts and values in `status`, `contains`, `begins` and `equals` of all rules together: each
#: is looked for in 16 KB of each answer.
MAX_VALUES: Final = 96

_CONDITIONS: Final = frozenset({"status", "contains", "begins", "empty", "json"})
_KEYS: Final = _CONDITIONS | {"equals", "outcome", "reason", "disable_destination"}
_LISTS: Final = ("status", "contains", "begins", "equals")
_CLASSES: Final = frozenset(f"{digit}xx" for digit in range(1, 6))


def classify(response: Response, rules: Sequence[Rule]) -> Outcome | None:
    """What `response` means by the first of `rules` that matches it; None if none does."""
    by_status = outcome_by_status(response)
    answer = _Answer(response)
    for rule in rules:
        if by_status.verdict is Verdict.RETRY and "status" not in rule:
            continue
        if response.unreadable and not _reads_markup(rule):
            continue
        if answer.matches(rule):
            return _outcome(rule, by_status)
    return None


def _reads_markup(rule: Rule) -> bool:
    """Whether `rule` may judge an answer that is a page: by its markup, or as a failure."""
    words = (str(word) for name in ("contains", "begins") for word in _list(rule.get(name, [])))
    return not OUTCOMES[rule["outcome"]].verdict.is_success or any("<" in word for word in words)


def _outcome(rule: Rule, by_status: Outcome) -> Outcome:
    outcome = OUTCOMES[rule["outcome"]]
    return Outcome(
        outcome.verdict,
        rule.get("reason", outcome.reason),
        by_status.retry_after if outcome.verdict is Verdict.RETRY else None,
        rule.get("disable_destination", outcome.disable_destination),
    )


class _Answer:
    """A response whose body is decoded once, and only if a rule asks for it."""

    def __init__(self, response: Response) -> None:
        self._response = response

    def matches(self, rule: Rule) -> bool:
        tests: dict[str, Callable[[Any], bool]] = {
            "status": self._has_status,
            "contains": self._contains,
            "begins": self._begins,
        }
        for name, test in tests.items():
            if name in rule and not any(map(test, _list(rule[name]))):
                return False
        if "empty" in rule and self._is_empty() is not rule["empty"]:
            return False
        return "json" not in rule or self._has_value(rule)

    def _has_status(self, expected: int | str) -> bool:
        status = self._response.status
        return expected in (status, f"{status // 100}xx")

    def _contains(self, text: str) -> bool:
        return text.casefold() in self._folded

    def _begins(self, text: str) -> bool:
        return self._folded.lstrip().startswith(text.casefold())

    @cached_property
    def _folded(self) -> str:
        return self._response.text.casefold()

    @cached_property
    def _objects(self) -> list[Mapping[str, Any]]:
        return json_objects(self._response)

    def _is_empty(self) -> bool:
        return not self._response.unreadable and not self._response.text.strip()

    def _has_value(self, rule: Rule) -> bool:
        """Whether one object of the answer fits; for a success all of them have to."""
        is_success = OUTCOMES[rule["outcome"]].verdict.is_success
        fitting = (_fits(item, rule) for item in self._objects)
        return bool(self._objects) and (all(fitting) if is_success else any(fitting))


def _fits(value: Any, rule: Rule) -> bool:
    for name in rule["json"].split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if "equals" not in rule:
        return bool(value)
    return any(
        type(value) is type(expected) and value == expected for expected in _list(rule["equals"])
    )


def check_rules(raw: object) -> list[dict[str, Any]]:
    """A checked copy of the rules. Raises ValidationError, naming the rule that is wrong."""
    if not isinstance(raw, list) or not 0 < len(raw) <= MAX_RULES:
        raise ValidationError(
            translatable(
                "must be the name of a reader, or a list of 1 to %(max_rules)s rules",
                max_rules=MAX_RULES,
            )
        )
    rules: list[Any] = [
        COMMON_RULES.get(rule, rule) if isinstance(rule, str) else rule for rule in raw
    ]
    for number, rule in enumerate(rules, start=1):
        if problem := _problem(rule):
            raise ValidationError(
                translatable("rule %(number)s %(problem)s", number=number, problem=problem)
            )
    if sum(len(_list(rule.get(name, []))) for rule in rules for name in _LISTS) > MAX_VALUES:
        raise ValidationError(
            translatable(
                "hold more than %(max_values)s texts and values together", max_values=MAX_VALUES
            )
        )
    return [dict(rule) for rule in rules]


def _problem(rule: object) -> str | None:
    if not isinstance(rule, Mapping):
        return translatable("is not an object")
    if unknown := [name for name in rule if name not in _KEYS]:
        return translatable("has an unknown %(unknown)s", unknown=repr(str(unknown[0])[:MAX_TEXT]))
    if not isinstance(rule.get("outcome"), str) or rule["outcome"] not in OUTCOMES:
        return translatable("must say what it means: %(outcomes)s", outcomes=", ".join(OUTCOMES))
    if not _CONDITIONS & set(rule):
        return translatable("has no condition: status, contains, begins, empty or json")
    return _condition_problem(rule) or _answer_problem(rule)


def _condition_problem(rule: Rule) -> str | None:
    if "status" in rule and not all(map(_is_status, _list(rule["status"]) or [None])):
        return translatable(
            'has a status that is no number from 100 to 599 and no class such as "2xx"'
        )
    for name in ("contains", "begins", "json"):
        texts = _list(rule[name]) if name != "json" and name in rule else [rule.get(name, "x")]
        if not texts or not all(map(_is_text, texts)):
            return translatable(
                "has a %(name)s that is no text of 1 to %(max_text)s characters",
                name=name,
                max_text=MAX_TEXT,
            )
    if not isinstance(rule.get("empty", True), bool):
        return translatable("has an empty that is neither true nor false")
    if "equals" in rule:
        values = _list(rule["equals"])
        if "json" not in rule or not values:
            return translatable("has an `equals` without a path in `json`, or without a value")
        if not all(isinstance(value, str | int | float | None) for value in values):
            return translatable(
                "compares with something that is no text, number, true, false or null"
            )
    return None


def _answer_problem(rule: Rule) -> str | None:
    if "reason" in rule and not _is_text(rule["reason"]):
        return translatable("says no text of 1 to %(max_text)s characters", max_text=MAX_TEXT)
    if not isinstance(rule.get("disable_destination", False), bool):
        return translatable("has a disable_destination that is neither true nor false")
    return None


def _is_status(value: object) -> bool:
    if isinstance(value, bool):
        return False
    return value in _CLASSES if isinstance(value, str) else value in range(100, 600)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
