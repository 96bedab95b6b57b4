"""What the README tells people to type does what it says."""

import os
import re
import shlex
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import requests

from app.config import Settings
from app.local import run
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble
from tests.support import ROOT
from tests.support.waiting import PATIENCE

README = (ROOT / "README.md").read_text()
TOKEN = "123456:ABC..."
CHAT = Chat(-1001234567890, "A channel")
ANN = Person(4242)

Shell = Callable[[str], dict[str, Any]]


def commands() -> list[str]:
    """Each curl command, on one line."""
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("curl ")]


def curl(command: str, words: dict[str, str]) -> dict[str, Any]:
    """As curl would, with the few options that the README needs."""
    for name, meant in words.items():
        command = command.replace(name, meant)
    address, headers, data = "", {}, []
    arguments = iter(shlex.split(command)[1:])
    for argument in arguments:
        match argument:
            case "-H":
                name, _, value = next(arguments).partition(": ")
                headers[name] = value
            case "-d":  # as it is: an ampersand in it begins another parameter
                data.append(next(arguments))
            case "--data-urlencode":
                name, _, value = next(arguments).partition("=")
                data.append(f"{name}={quote(value, safe='')}")
            case _:
                assert not argument.startswith("-"), argument
                address = argument
    if data:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    with requests.Session() as session:
        session.trust_env = False
        method = "POST" if data else "GET"
        answer = session.request(
            method, address, headers=headers, data="&".join(data) or None, timeout=120
        )
    said: dict[str, Any] = answer.json()
    assert said["status"] == "ok", said
    return said


def until(ask: Callable[[], dict[str, Any]], holds: Callable[[Any], Any]) -> dict[str, Any]:
    end = time.monotonic() + PATIENCE
    while not holds((said := ask())["data"]):
        assert time.monotonic() < end, said
        time.sleep(0.05)
    return said


@pytest.fixture
def surroundings() -> dict[str, str]:
    ours = {field.name.upper() for field in fields(Settings)}
    kept = {name: text for name, text in os.environ.items() if name not in ours}
    return kept | {"OUTBOUND_ALLOW": "127.0.0.0/8", "WEB_CONCURRENCY": "1", "LOG_LEVEL": "warning"}


def test_the_steps_with_a_bot_of_yours_lead_to_a_postback(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    add, chats, track, link, log = commands()
    bot_api, tracker = BotApiDouble(), TrackerDouble()
    token = TOKEN.replace(".", "x")
    bot_api.add_bot(token, "your_bot")
    with running(bot_api) as bot_api_url, running(tracker) as tracker_url:
        surroundings["TELEGRAM_API_URL"] = bot_api_url
        with run.running(surroundings, tmp_path) as system:
            words = {"$GATEPOST": system.url, "$KEY": system.key, TOKEN: token}
            words["https://tracker.example"] = tracker_url
            assert curl(add, words)["data"]["username"] == "your_bot"
            bot_api.push(token, people.bot_rights(CHAT, True))
            until(lambda: curl(chats, words), bool)
            curl(track, words)
            start = urlsplit(curl(link, words)["data"]["link"]).query.removeprefix("start=")
            bot_api.push(token, people.start(ANN, start))
            until(lambda: curl(log.replace("postbacks", "leads"), words), bool)
            bot_api.push(token, people.join(ANN, CHAT))
            (row,) = until(lambda: curl(log, words), _delivered)["data"]
    assert row["event"] == "approve"
    assert [hit.url for hit in tracker.log()] == ["/postback?cid=test1&status=approve"]


def _delivered(rows: list[dict[str, Any]]) -> bool:
    return bool(rows) and all(row["state"] == "delivered" for row in rows)
