"""Conditions of the desk's rules: one table of what each takes, and when it holds. Pure.

Nothing guesses where somebody is from by a name, and nobody looks at photos.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from app.domain.join_requests.facts import Came, Facts
from app.domain.storable_text import UNSTORABLE
from plugins.contract import translatable

MOST_VALUES: Final = 100
MINUTES_OF_DAY: Final = 1440
_LARGEST: Final = 2**63 - 1
_LINK: Final = re.compile(
    r"https?://|\bt\.me/|\bwww\.|\b[\w-]+\.(?:com|net|org|ru|io|me|site)\b", re.IGNORECASE
)
_LINK_OR_NAME: Final = re.compile(rf"@\w|{_LINK.pattern}", re.IGNORECASE)
_CAME: Final = frozenset(kind.word for kind in Came)


class Condition(NamedTuple):
    """`check` returns a value as it is kept, or raises ValueError; `holds` judges facts by it."""

    check: Callable[[Any], Any]
    holds: Callable[[Any, Facts], bool]


def check(conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Return conditions as they are kept. Raises ValueError with a sentence for people."""
    checked = {}
    for name, value in conditions.items():
        if name not in CONDITIONS:
            raise ValueError(translatable("there is no condition %(name)s", name=repr(name)[:40]))
        try:
            checked[name] = CONDITIONS[name].check(value)
        except ValueError as error:
            fault = translatable("%(name)s: %(doubt)s", name=name, doubt=str(error))
            raise ValueError(fault) from None
    return checked


def hold(conditions: Mapping[str, Any], facts: Facts) -> bool:
    """Whether all of them hold; an unknown one, of a later release, never does."""
    return all(
        name in CONDITIONS and CONDITIONS[name].holds(value, facts)
        for name, value in conditions.items()
    )


def share_of(facts: Facts) -> int:
    """A number from 0 to 99 that is always the same for one person in one campaign."""
    name = f"{facts.campaign}:{facts.subscriber}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8]) % 100


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(translatable("must be true or false"))  # noqa: TRY004 - a wrong value
    return value


def _number(low: int, high: int) -> Callable[[Any], int]:
    def check_number(value: Any) -> int:
        if type(value) is not int or not low <= value <= high:
            raise ValueError(translatable("must be from %(low)d to %(high)d", low=low, high=high))
        return value

    return check_number


def _list_of(each: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def check_list(value: Any) -> list[Any]:
        if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
            raise ValueError(
                translatable("must be a list of at most %(most)d values", most=MOST_VALUES)
            )
        return [each(item) for item in value]

    return check_list


def _word(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 64 or UNSTORABLE.search(value):
        raise ValueError(translatable("must be text"))
    return value.lower()


def _way(value: Any) -> str:
    if not isinstance(value, str) or value not in _CAME:
        words = ", ".join(sorted(_CAME))
        raise ValueError(translatable("must be one of %(words)s", words=words))
    return value


def _hours(value: Any) -> list[int]:
    limits: list[int] = _list_of(_number(0, 24))(value)
    if len(limits) != 2:
        raise ValueError(translatable("must be two hours, from and to"))
    return limits


def _is_like(pattern: str, text: str) -> bool:
    """Whether a name matches a pattern in which `*` stands for anything.

    No regular expression: with a dozen stars one would try for years where to put them. The
    first place of each part is as good as any later one.
    """
    first, *others = pattern.split("*")
    text = text.lower()
    if not others:
        return text == first
    last = others.pop()
    if not text.startswith(first) or not text.endswith(last):
        return False
    place, end = len(first), len(text) - len(last)
    for part in others:
        start = text.find(part, place, end)
        if start < 0:
            return False
        place = start + len(part)
    return place <= end


def is_within(start: int, end: int, minute: int) -> bool:
    """Whether a minute of a day lies in a time that may go over midnight; equal ends: none."""
    if start <= end:
        return start <= minute < end
    return minute >= start or minute < end


def _within_hours(limits: list[int], facts: Facts) -> bool:
    return is_within(limits[0] * 60, limits[1] * 60, facts.minute)


def _language(facts: Facts) -> str:
    return facts.language.lower().partition("-")[0]


def _was_declined(days: int, facts: Facts) -> bool:
    return facts.declined_days is not None and facts.declined_days <= days


#: Every condition, by its name in `rules/set`.
CONDITIONS: Final[Mapping[str, Condition]] = {
    "how": Condition(_list_of(_way), lambda ways, facts: facts.came.word in ways),
    "source": Condition(
        _list_of(_number(1, _LARGEST)), lambda sources, facts: facts.source in sources
    ),
    "link_name": Condition(_word, lambda pattern, facts: _is_like(pattern, facts.link_name)),
    "premium": Condition(_flag, lambda flag, facts: facts.premium is flag),
    "language": Condition(_list_of(_word), lambda words, facts: _language(facts) in words),
    "language_not": Condition(_list_of(_word), lambda words, facts: _language(facts) not in words),
    "username": Condition(_flag, lambda flag, facts: bool(facts.username) is flag),
    "id_above": Condition(_number(1, _LARGEST), lambda least, facts: facts.subscriber > least),
    "bio_has_link": Condition(
        _flag, lambda flag, facts: bool(_LINK_OR_NAME.search(facts.bio)) is flag
    ),
    "name_has_link": Condition(
        _flag, lambda flag, facts: bool(_LINK_OR_NAME.search(facts.name)) is flag
    ),
    "blocked": Condition(_flag, lambda flag, facts: facts.is_blocked is flag),
    "asked_before": Condition(_number(1, 366), _was_declined),
    "was_member": Condition(_flag, lambda flag, facts: facts.was_member is flag),
    "hours": Condition(_hours, _within_hours),
    "weekday": Condition(_list_of(_number(1, 7)), lambda days, facts: facts.weekday in days),
    "share": Condition(_number(1, 100), lambda share, facts: share_of(facts) < share),
}
