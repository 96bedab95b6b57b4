"""The pages that stand for Telegram: what its links open, and what people do there."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import requests

from app.sandbox.play.page import Pages
from app.sandbox.serving import running
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN

TRACKER = "http://127.0.0.1:9"
ALL = ["message", "chat_member", "chat_join_request", "my_chat_member"]


@pytest.fixture
def telegram() -> Iterator[str]:
    double = BotApiDouble(time_scale=0.01)
    double.add_bot(TOKEN, "gate_bot")
    double.serve(Pages(double, TRACKER).routes())
    with running(double) as url:
        asked = {"allowed_updates": ALL}
        requests.post(f"{url}/bot{TOKEN}/getUpdates", json=asked, timeout=20).raise_for_status()
        yield url


def updates(url: str) -> list[str]:
    """What the bot hears of, by kind."""
    told = requests.get(f"{url}/bot{TOKEN}/getUpdates", timeout=20).json()["result"]
    return [next(name for name in update if name != "update_id") for update in told]


def press(url: str, page: str, **values: Any) -> str:
    """Send the form of a page as it stands, but for `values`. Returns the page after it."""
    text = requests.get(f"{url}{page}", timeout=20).text
    typed = dict(re.findall(r'<input[^>]*name="(\w+)" value="([^"]*)"', text))
    target = re.findall(r'<form method="post" action="([^"]*)"', text)[0]
    fields = {name: unescape(value) for name, value in typed.items()} | values
    return requests.post(f"{url}{target}", data=fields, timeout=20).text


def test_the_first_page_has_the_token_and_an_address_of_the_tracker(telegram):
    text = unescape(requests.get(telegram, timeout=20).text)
    assert TOKEN in text
    assert f"{TRACKER}/ok/postback?click={{click}}&status={{status}}" in text


def test_a_link_that_adds_the_bot_makes_it_an_administrator(telegram):
    page = press(telegram, "/t.me/gate_bot?startchannel&admin=invite_users", chat="My Shop")
    assert "administrator of My Shop" in page
    assert updates(telegram) == ["my_chat_member"]
    assert "My Shop" in requests.get(f"{telegram}/t.me/gate_bot/Ann", timeout=20).text


def test_a_start_link_starts_the_bot_and_the_person_comes_and_goes(telegram):
    press(telegram, "/t.me/gate_bot?startgroup&admin=invite_users")
    page = press(telegram, "/t.me/gate_bot?start=abc-c1", person="Vera")
    assert "Vera and @gate_bot" in page
    for verb in ("request", "join", "leave"):
        press(telegram, "/t.me/gate_bot/Vera", do=verb)
    kinds = ["my_chat_member", "message", "chat_join_request", "chat_member", "chat_member"]
    assert updates(telegram) == kinds


def test_what_cannot_be_is_said_on_the_page(telegram):
    press(telegram, "/t.me/gate_bot?startchannel")
    assert "Ann is not in News" in press(telegram, "/t.me/gate_bot/Ann", do="leave")


def test_what_the_bot_says_and_what_people_are_called_is_text(telegram):
    name, chat = "<b>Eve", 6_000_000_000
    page = press(telegram, "/t.me/gate_bot?start=x", person=name)
    assert "<b>Eve" not in page
    assert "&lt;b&gt;Eve" in page
    assert requests.get(f"{telegram}/t.me/other_bot?start={chat}", timeout=20).status_code == 404
