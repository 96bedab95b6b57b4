"""What the screens of the dashboard cost on a large account, beside the API's calls for the same.

The figure is the time in which 95 of 100 pages are made, within the process; it must stay below
MOST_MS, and below MOST_RATIO times that of the calls whose figures the page shows. Where others
keep the machine busy the ratio of the median processor times of the process tells more.
"""

import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from flask.testing import FlaskClient

from app.services.accounts import rate_limits
from app.services.service_bot import sessions
from bench import system
from bench.measure import heading

ROUNDS: Final = 200
MOST_MS: Final = 50.0
MOST_RATIO: Final = 1.5
#: Each screen, and the calls of `bench.api` that answer the same figures.
SCREENS: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("stats/summary", "stats/daily"),
    "/campaigns": ("camp/list",),
    "/leads": ("leads/list first",),
    "/deliveries": ("postbacks/list first",),
    "/journal": ("journal of all: first",),
    "/statistics": ("stats/summary", "stats/daily", "stats/retention"),
    "/statistics/ads": ("stats/sources",),
}
_TOKEN: Final = re.compile(r'name="csrf" value="([^"]+)"')
_OWN: Final = {"Sec-Fetch-Site": "same-origin"}


class Spent(NamedTuple):
    """What one page or its calls have taken, in milliseconds of the clock and of the processor."""

    ms: float
    cpu: float


class Screen(NamedTuple):
    """A screen: the 95th percentile of its pages and of the calls, both in milliseconds."""

    path: str
    ms: float
    calls_ms: float
    cpu_ratio: float

    @property
    def ratio(self) -> float:
        """How much dearer the page is."""
        return self.ms / self.calls_ms

    @property
    def is_good(self) -> bool:
        """Whether it keeps both bounds."""
        return self.ms <= MOST_MS and self.ratio <= MOST_RATIO


def measure(client: FlaskClient, key: str, ask: Callable[[str], None]) -> list[Screen]:
    """Make each page, in turns with the calls for the same figures; `ask` makes one by its name."""
    sessions.KEY_LOGINS.burst = rate_limits.AUTHENTICATED.burst = sys.maxsize
    _log_in(client, key)
    screens = []
    for path, names in SCREENS.items():
        pages: list[Spent] = []
        calls: list[Spent] = []
        for _ in range(1 + ROUNDS):
            pages.append(_spent(lambda path=path: _page(client, path)))
            calls.append(_spent(lambda names=names: [ask(name) for name in names]))
        screens.append(_screen(path, pages[1:], calls[1:]))
    return screens


def _screen(path: str, pages: list[Spent], calls: list[Spent]) -> Screen:
    cpu = [statistics.median(one.cpu for one in spent) for spent in (pages, calls)]
    ms = [percentile_95([one.ms for one in spent]) for spent in (pages, calls)]
    return Screen(path, ms[0], ms[1], cpu[0] / cpu[1])


def report(screens: list[Screen]) -> int:
    """Print the table; returns how many screens are too dear."""
    heading(
        f"The screens on the large account: 95 of 100 pages are made in so many ms, {ROUNDS} each"
    )
    print(f"{'':28}{'page':>12}{'API':>12}{'ratio':>8}{'of CPU':>8}")
    for screen in screens:
        mark = "" if screen.is_good else " *"
        figures = f"{screen.ms:12.1f}{screen.calls_ms:12.1f}{screen.ratio:8.2f}"
        print(f"{screen.path:28}{figures}{screen.cpu_ratio:8.2f}{mark}")
    dear = sum(not screen.is_good for screen in screens)
    print(f"{dear} of {len(screens)} are above {MOST_MS:g} ms or {MOST_RATIO:g} times the API (*).")
    return dear


def percentile_95(values: list[float]) -> float:
    """Return the value that 95 of 100 do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * 95 // 100) - 1)]


def _log_in(client: FlaskClient, key: str) -> None:
    page = client.get("/login", headers=_OWN).get_data(as_text=True)
    found = _TOKEN.search(page)
    form: dict[str, Any] = {"csrf": found[1] if found else "", "key": key, "next": "/"}
    answer = client.post("/login", data=form, headers=_OWN)
    if answer.status_code != 303:
        raise system.CannotStart(f"/login: {answer.status}")


def _page(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=_OWN)
    if answer.status_code != 200:
        raise system.CannotStart(f"{path}: {answer.status}")


def _spent(work: Callable[[], object]) -> Spent:
    began, cpu = time.perf_counter(), time.thread_time()
    work()
    return Spent(1000 * (time.perf_counter() - began), 1000 * (time.thread_time() - cpu))
