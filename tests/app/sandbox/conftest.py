"""The doubles by themselves: nothing here needs the application."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from app.sandbox.serving import running
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble

TOKEN = "123456:ABC-def"


class Bot:
    """One bot of the double, called over HTTP as our client would."""

    def __init__(self, url: str, token: str, session: requests.Session) -> None:
        self.url = url
        self.token = token
        self._session = session

    def __call__(self, method: str, **params: Any) -> dict[str, Any]:
        answer = self._session.post(f"{self.url}/bot{self.token}/{method}", json=params, timeout=60)
        told: dict[str, Any] = answer.json()
        assert told["ok"] is (answer.status_code == 200)
        return told


@pytest.fixture
def double() -> Iterator[BotApiDouble]:
    """A running double with one bot, whose waits are a hundredth of Telegram's."""
    double = BotApiDouble(time_scale=0.01)
    double.add_bot(TOKEN, "gate_bot")
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def bot(double: BotApiDouble, session: requests.Session) -> Bot:
    return Bot(double.url, TOKEN, session)


@pytest.fixture
def tracker() -> Iterator[TrackerDouble]:
    double = TrackerDouble()
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture
def hook(bot: Bot, tracker: TrackerDouble) -> Callable[..., None]:
    """`hook("/dead")` points the bot's webhook at that mode of the tracker double."""

    def set_hook(path: str, **params: Any) -> None:
        params.setdefault("allowed_updates", ["message", "chat_member", "chat_join_request"])
        assert bot("setWebhook", url=tracker.url + path, **params)["ok"]

    return set_hook
