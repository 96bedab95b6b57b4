"""A visit that is to be stored, and what became of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.domain.clicks.link_query import QueryFlag
from app.domain.time_ranges import DAY

#: The columns of a click that begins when its link is pressed.
COLUMNS: Final = (
    "account_id source_id campaign_id token visitor created pressed external referrer country"
    " ids utm subs ad flags"
).split()
COUNTERS: Final = ("clicks", "repeats", "previews", "paused", "visits", "fallbacks")
#: Visits of one statement, so that no estimate of the database goes beyond.
MOST: Final = 100

#: How often what happened: (source, day, counter).
Counts = Counter[tuple[int, int, str]]


class PoolOrder(NamedTuple):
    """A link of the pool that a visitor wants, for the click `token`.

    `kind` is an InviteKind. The link must live `link_ttl` seconds at least.
    """

    bot_id: int
    chat_id: int
    kind: int
    link_ttl: int
    token: str

    @property
    def pool(self) -> tuple[int, int, int]:
        """What names the pool."""
        return self.bot_id, self.chat_id, self.kind


class Visit(NamedTuple):
    """One visit to be counted as `counter` of a source, and its click if it became one.

    `now` is in Unix seconds; `click` has the values of `COLUMNS` by name. Its account is
    looked up again when it is stored: a transfer may have come in between. With an `order`
    nothing is stored or counted unless there is a link for it. An empty `counter` counts
    nothing.
    """

    source_id: int
    counter: str
    now: float
    click: Mapping[str, Any] | None = None
    order: PoolOrder | None = None

    @property
    def day(self) -> int:
        """The UTC day, in days since 1970-01-01."""
        return int(self.now // DAY)

    @property
    def counters(self) -> list[str]:
        """What it counts as."""
        is_fallback = self.click is not None and self.click["flags"] & QueryFlag.FALLBACK
        return [
            counter for counter in (self.counter, "fallbacks" if is_fallback else "") if counter
        ]


class Stored(NamedTuple):
    """What became of a visit. `link` is that of its order as it is stored, None without one.

    `is_repeat`: a click of this token was there before, and nothing is stored or counted again.
    """

    link: str | None = None
    expires: int | None = None
    is_repeat: bool = False


def counts_of(visits: Sequence[Visit]) -> Counts:
    """Count visits."""
    return Counter(
        (visit.source_id, visit.day, counter) for visit in visits for counter in visit.counters
    )


def rounds(visits: Sequence[tuple[int, Visit]]) -> Iterator[list[tuple[int, Visit]]]:
    """Split numbered visits so that in each part no token comes twice.

    And of a pool only links of one length of life are wanted in it.
    """
    waiting = list(visits)
    while waiting:
        part: list[tuple[int, Visit]] = []
        later: list[tuple[int, Visit]] = []
        tokens: set[str] = set()
        lives: dict[tuple[int, int, int], int] = {}
        for number, visit in waiting:
            order = visit.order
            token = order.token if order else visit.click["token"] if visit.click else ""
            fits = len(part) < MOST and (not token or token not in tokens)
            if fits and order and lives.setdefault(order.pool, order.link_ttl) != order.link_ttl:
                fits = False
            (part if fits else later).append((number, visit))
            if fits:
                tokens.add(token)
        yield part
        waiting = later
