"""A path is looked up once in a few seconds, with others, and an unknown one each time."""

import threading
from concurrent.futures import ThreadPoolExecutor

from app.services.bots.webhook_paths import FEW, SECONDS, WebhookPaths


class Lookup:
    """Bots by path, and what was asked for."""

    def __init__(self, **bots: int) -> None:
        self.bots = bots
        self.asked: list[str] = []

    def __call__(self, path: str, beside: bool) -> dict[str, int]:
        self.asked.append(path)
        if path not in self.bots:
            return {}
        return dict(self.bots) if beside else {path: self.bots[path]}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_known_path_is_asked_for_again_when_its_seconds_are_over():
    lookup, clock = Lookup(a=1), Clock()
    paths = WebhookPaths(lookup, clock=clock)
    assert [paths.bot_id("a"), paths.bot_id("a")] == [1, 1]
    assert lookup.asked == ["a"]
    clock.now += SECONDS
    lookup.bots = {}
    assert paths.bot_id("a") is None
    assert lookup.asked == ["a", "a"]


def test_an_unknown_path_is_not_remembered():
    lookup = Lookup()
    paths = WebhookPaths(lookup, clock=Clock())
    assert paths.bot_id("new") is None
    lookup.bots["new"] = 7
    assert paths.bot_id("new") == 7


def test_no_more_paths_are_remembered_than_allowed():
    lookup = Lookup(a=1, b=2, c=3)
    paths = WebhookPaths(lookup, clock=Clock(), max_paths=2)
    for path in "abcb":
        paths.bot_id(path)
    assert lookup.asked == ["a", "b", "c", "b"]


def test_after_a_few_looks_others_are_read_along_and_kept_for_as_long():
    bots = {f"bot{number}": number for number in range(100)}
    lookup, clock = Lookup(**bots), Clock()
    paths = WebhookPaths(lookup, clock=clock)
    assert [paths.bot_id(path) for path in bots] == [*range(100)]
    assert len(lookup.asked) == FEW + 1
    clock.now += SECONDS - 1
    assert paths.bot_id("bot99") == 99
    assert len(lookup.asked) == FEW + 1
    lookup.bots = {}
    clock.now += 1
    assert paths.bot_id("bot99") is None, "it was read as long ago as the others"


def test_bots_that_send_now_and_then_are_looked_up_one_by_one():
    lookup, clock = Lookup(**{f"bot{number}": number for number in range(100)}), Clock()
    paths = WebhookPaths(lookup, clock=clock)
    for number in range(50):
        assert paths.bot_id(f"bot{number}") == number
        clock.now += 1
    assert len(lookup.asked) == 50


def test_a_bot_that_is_deleted_while_it_is_read_is_known_no_longer_than_its_seconds():
    clock = Clock()

    def slow(path: str, _beside: bool) -> dict[str, int]:
        clock.now += 2
        return {path: 1}

    paths = WebhookPaths(slow, clock=clock)
    assert paths.bot_id("a") == 1
    assert paths._bots["a"] == (1, 100 + SECONDS)


def test_of_those_who_ask_at_the_same_time_one_looks():
    entered, go = threading.Event(), threading.Event()
    asked: list[str] = []

    def look(path: str, _beside: bool) -> dict[str, int]:
        asked.append(path)
        entered.set()
        assert go.wait(20)
        return {"a": 1, "b": 2}

    paths = WebhookPaths(look, clock=Clock())
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(paths.bot_id, "a")
        assert entered.wait(20)
        second = threads.submit(paths.bot_id, "b")
        go.set()
        assert (first.result(20), second.result(20)) == (1, 2)
    assert asked == ["a"]


def test_a_path_without_a_bot_leads_to_what_is_asked_and_nothing_is_kept():
    lookup = Lookup(a=1)
    paths = WebhookPaths(lookup, clock=Clock())
    for _ in range(2 * FEW):
        assert paths.bot_id("unknown") is None
    assert lookup.asked == ["unknown"] * 2 * FEW
    assert paths._bots == {}
