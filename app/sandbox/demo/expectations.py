"""Whether every expected postback arrived, and no other. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from app.sandbox.demo.scenario import COFFEE, MARKET, SHOWS, Action, Show
from app.sandbox.vendors.tracker import Hit

Expected = tuple[str, str, str, str]  # prefix, subscriber, click, status


def expected_of(actions: Iterable[Action]) -> Counter[Expected]:
    """Return what trackers must hear of these actions, and how often."""
    return Counter(
        (action.show.prefix, str(action.person.id), action.click, status)
        for action in actions
        for status in action.reports
    )


def reported_by(hit: Hit) -> Expected:
    """Return what a request reported."""
    prefix = next((show.prefix for show in SHOWS if hit.path.startswith(show.prefix)), hit.path)
    query = hit.query
    return prefix, query.get("subscriber", ""), query.get("click", ""), query.get("status", "")


def differences(actions: Sequence[Action], hits: Sequence[Hit]) -> list[str]:
    """Return what is wrong, in sentences; empty when all is well.

    The flaky tracker must hear everything twice, once refusing it; the dead
    one must hear everything at least once and take nothing.
    """
    expected = expected_of(actions)
    to_the_dead, to_the_flaky = _at(MARKET, expected), _at(COFFEE, expected)
    taken = Counter(reported_by(hit) for hit in hits if hit.status == 200)
    refused = Counter(reported_by(hit) for hit in hits if hit.status != 200)
    refused_by_dead = Counter(set(_at(MARKET, refused)))  # each once, however often it was
    refused_by_others = refused - _at(MARKET, refused)
    return [
        *_sentences("never arrived", (expected - to_the_dead) - taken),
        *_sentences("arrived but is expected by nobody", taken - (expected - to_the_dead)),
        *_sentences("was not tried at the dead tracker", to_the_dead - refused_by_dead),
        *_sentences("was tried at the dead tracker for no reason", refused_by_dead - to_the_dead),
        *_sentences("was not refused first", to_the_flaky - refused_by_others),
        *_sentences("was refused once too often", refused_by_others - to_the_flaky),
    ]


def _at(show: Show, postbacks: Counter[Expected]) -> Counter[Expected]:
    return Counter({postback: n for postback, n in postbacks.items() if postback[0] == show.prefix})


def _sentences(fault: str, postbacks: Counter[Expected]) -> list[str]:
    return [
        f"{status} of {click or subscriber} at {prefix} {fault}" + (f" ({n} times)" * (n > 1))
        for (prefix, subscriber, click, status), n in sorted(postbacks.items())
    ]
