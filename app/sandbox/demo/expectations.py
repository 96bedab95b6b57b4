"""Whether every expected postback arrived, and no other. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from app.sandbox.demo.scenario import COFFEE, MARKET, SHOWS, Action
from app.sandbox.vendors.tracker import Hit

Expected = tuple[str, str, str, str]  # prefix, subscriber, click, status


def expected_of(actions: Iterable[Action]) -> Counter[Expected]:
    """What trackers must hear of these actions."""
    return Counter(
        (action.show.prefix, str(action.person.id), action.click, status)
        for action in actions
        for status in action.reports
    )


def said_by(hit: Hit) -> Expected:
    """What one request told."""
    prefix = next((show.prefix for show in SHOWS if hit.path.startswith(show.prefix)), hit.path)
    query = hit.query
    return prefix, query.get("subscriber", ""), query.get("click", ""), query.get("status", "")


def differences(actions: Sequence[Action], hits: Sequence[Hit]) -> list[str]:
    """What is wrong, in sentences; empty when all is well.

    The flaky tracker must hear everything twice, once refusing it; the dead
    one must hear everything at least once and take nothing.
    """
    expected = expected_of(actions)
    to_the_dead = Counter({one: n for one, n in expected.items() if one[0] == MARKET.prefix})
    to_the_flaky = Counter({one: n for one, n in expected.items() if one[0] == COFFEE.prefix})
    taken = Counter(said_by(hit) for hit in hits if hit.status == 200)
    refused = Counter(said_by(hit) for hit in hits if hit.status != 200)
    refused_by_dead = Counter({one: 1 for one in refused if one[0] == MARKET.prefix})
    refused_by_others = Counter({one: n for one, n in refused.items() if one[0] != MARKET.prefix})
    return [
        *_told("never arrived", (expected - to_the_dead) - taken),
        *_told("arrived but is expected by nobody", taken - (expected - to_the_dead)),
        *_told("was not tried at the dead tracker", to_the_dead - refused_by_dead),
        *_told("was tried at the dead tracker for no reason", refused_by_dead - to_the_dead),
        *_told("was not refused first", to_the_flaky - refused_by_others),
        *_told("was refused once too often", refused_by_others - to_the_flaky),
    ]


def _told(what: str, these: Counter[Expected]) -> list[str]:
    return [
        f"{status} of {click or subscriber} at {prefix} {what}" + (f" ({n} times)" * (n > 1))
        for (prefix, subscriber, click, status), n in sorted(these.items())
    ]
