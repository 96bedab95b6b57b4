"""How often the API may be called: by account, and by address without a good key."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import redis

from app.errors import TooManyRequests
from app.extensions import wakeup
from app.token_buckets import Rate, TokenBuckets

#: Seconds of the processor for which a caller has tokens that only work takes: with one token, that
#: is soon there, nobody may begin what takes forty. Hardly any call takes longer.
WORK_IN_RESERVE: Final = 4.0
#: So many tokens are taken at once for work, as long as so many are left.
_MANY: Final = 50


@dataclass(slots=True)
class Limit:
    """`burst` calls at once, `per_minute` calls in the long run, for each caller.

    `name` goes into the keys in Redis. Where work is counted, `work` seconds of the processor are
    worth one call. `clock` returns Unix seconds, `processor` those that this thread has worked,
    and `shared` the Redis in which all processes count.
    """

    name: str
    per_minute: float
    burst: int
    work: float = 0.025
    clock: Callable[[], float] = time.time
    processor: Callable[[], float] = time.thread_time
    shared: Callable[[], redis.Redis] = lambda: wakeup.redis
    buckets: TokenBuckets = field(init=False)

    def __post_init__(self) -> None:
        self.buckets = TokenBuckets(f"gatepost:limit:{self.name}", self.shared)

    def hit(self, caller: str, count: int = 1) -> None:
        """Count one call, as `count` of them. Raises TooManyRequests with the seconds to wait."""
        rate = Rate(self.per_minute, self.burst)
        self._require(self.buckets.take(caller, rate, self.clock(), count))

    @staticmethod
    def _require(wait: float) -> None:
        if wait > 0:
            raise TooManyRequests(math.ceil(round(wait, 6)))

    @contextlib.contextmanager
    def hit_for_work(self, caller: str) -> Iterator[None]:
        """Count the block as one call, and as many more as the processor works in it for.

        Raises TooManyRequests before the block, never behind it: what was done is done.
        """
        reserve = int(WORK_IN_RESERVE / self.work)
        rate = Rate(self.per_minute, self.burst + reserve)
        self._require(self.buckets.take(caller, rate, self.clock(), keep=reserve))
        began = self.processor()
        try:
            yield
        finally:
            owed = int((self.processor() - began) / self.work)
            for count in (_MANY, 1):
                while owed >= count and not self.buckets.take(caller, rate, self.clock(), count):
                    owed -= count


#: With a good key or session, by account: a page of the dashboard asks ten things at
#: once, and a script reads pages for hours.
AUTHENTICATED: Final = Limit("callers", per_minute=6000, burst=1000)
#: Without a good key, by address.
ANONYMOUS: Final = Limit("strangers", per_minute=600, burst=300)
#: Looks at the metrics, by address: each counts rows of the whole installation.
SCRAPES: Final = Limit("scrapes", per_minute=60, burst=60)
#: Calls that make us ask somebody else's server, by account, on top of AUTHENTICATED.
OUTBOUND: Final = Limit("outward", per_minute=120, burst=60)
#: Test sends, by account, whether they send or not: settings of 60 KB with thousands of secrets
#: take a second to check, to fill in and to mask. So many calls are three seconds a minute.
TESTS: Final = Limit("tests", per_minute=120, burst=60)
#: Calls that show or change settings of trackers, by account, on top of AUTHENTICATED: 200 of them
#: may be 10 MB, in which every word is looked at. So many calls are twelve seconds a minute.
SETTINGS: Final = Limit("settings", per_minute=6000, burst=1000, work=0.002)
#: Looks at pages of sites, by account, on top of OUTBOUND: whoever serves a page says how it is
#: packed and what is in it. So many calls are three seconds a minute.
PAGES: Final = Limit("pages", per_minute=120, burst=60)
#: Calls that send postbacks again, ten thousand of them each, by account.
RESENDS: Final = Limit("resends", per_minute=60, burst=60)
#: Erasures, by account: each looks through all that Telegram brought in days.
ERASURES: Final = Limit("erasures", per_minute=120, burst=120)
#: Calls that decide or try over many requests to join, by account: each may read and change all
#: that wait in a chat, again and again. One takes 500 by their ids, or all that a filter finds.
DECISIONS: Final = Limit("decisions", per_minute=120, burst=300)
#: Calls that make something new, or a notice, by account: deleted things do not count as stored.
CREATIONS: Final = Limit("creations", per_minute=120, burst=300)
#: Megabytes of new media, by account, on top of CREATIONS: as many at once as it may store.
UPLOADS: Final = Limit("uploads", per_minute=100, burst=1024)
#: Events and values that are reported with the account's key: each writes rows that are kept for
#: months, and may set postbacks off. As many as a key for events may bring.
REPORTS: Final = Limit("reports", per_minute=1200, burst=600)
CREATING_ENDPOINTS: Final = (
    "campaigns.add", "destinations.add", "event_keys.add", "exports.add", "media.upload",
    "profile.apikey",
    "sites.add", "sources.add",
    "transfer.bot", "transfer.camp", "transfer.cancel",
)  # fmt: skip
#: Endpoints with a limit of their own. `postbacks.test` is not here: it counts what it takes, and
#: what it really sends, in `trackers/test_send.py`.
EXPENSIVE_ENDPOINTS: Final[Mapping[str, Limit]] = {
    **dict.fromkeys(
        (
            "bots.add",
            "destinations.check",
            "media.remove",
            "profile.connect",
            "sites.check",
            "tariffs.buy",
        ),
        OUTBOUND,
    ),
    **dict.fromkeys(CREATING_ENDPOINTS, CREATIONS),
    **dict.fromkeys(
        (
            "adtarget.conversion",
            "adtarget.lead_event",
            "adtarget.value",
            "events.add",
            "events.value",
        ),
        REPORTS,
    ),
    **dict.fromkeys(("requests.decide", "requests.undo", "rules.try_out"), DECISIONS),
    "postbacks.resend": RESENDS,
    "leads.erase": ERASURES,
}
#: Endpoints that count as what they take of the processor: they look at each word that was typed,
#: several times over, or at a page. `destinations.edit` counts itself, since it reads first.
WORKING_ENDPOINTS: Final[Mapping[str, Limit]] = {
    **dict.fromkeys(
        (
            "campaigns.add",
            "campaigns.edit",
            "destinations.add",
            "destinations.check",
            "profile.postbacks",
        ),
        SETTINGS,
    ),
    "sites.check": PAGES,
}


def work_counted(endpoint: str, caller: str) -> contextlib.AbstractContextManager[None]:
    """Count what a call of an endpoint takes, if that counts. Raises TooManyRequests at once."""
    limit = WORKING_ENDPOINTS.get(endpoint)
    return limit.hit_for_work(caller) if limit else contextlib.nullcontext()
