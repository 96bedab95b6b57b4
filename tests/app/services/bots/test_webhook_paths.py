"""A path is looked up once in a few seconds, and an unknown one each time."""

from app.services.bots.webhook_paths import SECONDS, WebhookPaths


class Lookup:
    """Bots by path, and what was asked for."""

    def __init__(self, **bots: int) -> None:
        self.bots = bots
        self.asked: list[str] = []

    def __call__(self, path: str) -> int | None:
        self.asked.append(path)
        return self.bots.get(path)


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
