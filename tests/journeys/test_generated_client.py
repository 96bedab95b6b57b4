"""A client that a public generator made from our document does the main job."""

import importlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from app.config import Settings
from app.local import run
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble
from tests.support.waiting import PATIENCE

GENERATOR = str(Path(sys.executable).with_name("openapi-python-client"))
PACKAGE = "made_of_our_document"
TOKEN = "7000000001:AAF-a-token"
BOT = Person(7_000_000_001, "Flowers", username="flowers_bot", language="", is_bot=True)
CHAT = Chat(-1001234567890, "Flower Deals")
ANN = Person(987654321, "Ann", "Lee", "ann_lee", "en")


@pytest.fixture
def bot_api() -> Iterator[BotApiDouble]:
    double = BotApiDouble()
    double.add_bot(TOKEN, BOT.username, BOT.first_name)
    with running(double) as double.url:
        yield double


@pytest.fixture
def tracker() -> Iterator[TrackerDouble]:
    double = TrackerDouble()
    with running(double) as double.url:
        yield double


@pytest.fixture
def system(bot_api, tmp_path):
    names = {field.name.upper() for field in fields(Settings)}
    environ = {name: text for name, text in os.environ.items() if name not in names}
    environ |= {"TELEGRAM_API_URL": bot_api.url, "OUTBOUND_ALLOW": "127.0.0.0/8"}
    environ |= {"WEB_CONCURRENCY": "1", "LOG_LEVEL": "warning"}
    with run.running(environ, tmp_path) as system:
        yield system


class Caller:
    """Calls functions of the generated package by their operation's name."""

    def __init__(self, url: str, key: str) -> None:
        made = importlib.import_module(PACKAGE)
        self._models = importlib.import_module(f"{PACKAGE}.models")
        self._client = made.AuthenticatedClient(base_url=url, token=key)

    def __call__(self, operation: str, **arguments: Any) -> Any:
        group = operation.partition("_")[0]
        module = importlib.import_module(f"{PACKAGE}.api.{group}.{operation}")
        return module.sync(client=self._client, **arguments)

    def send(self, operation: str, model: str, **members: Any) -> Any:
        """The body as one of the generated models."""
        return self(operation, body=getattr(self._models, model)(**members))

    def until(self, operation: str, holds: Callable[[Any], bool], **arguments: Any) -> Any:
        end = time.monotonic() + PATIENCE
        while not holds((answer := self(operation, **arguments)).data):
            assert time.monotonic() < end, answer
            time.sleep(0.05)
        return answer.data

    def close(self) -> None:
        self._client.get_httpx_client().close()


@pytest.fixture
def call(system, tmp_path, monkeypatch):
    answer = requests.get(f"{system.url}/api/openapi.json", timeout=120)
    document, config = tmp_path / "openapi.json", tmp_path / "generator.json"
    document.write_bytes(answer.content)
    config.write_bytes(orjson.dumps({"post_hooks": []}))
    subprocess.run(
        [
            *(GENERATOR, "generate", "--fail-on-warning", "--meta", "none"),
            *("--path", str(document), "--config", str(config)),
            *("--output-path", str(tmp_path / PACKAGE)),
        ],
        check=True,
        capture_output=True,
    )
    for source in (tmp_path / PACKAGE / "api").rglob("*.py"):
        # openapi-python-client 0.29 forgets to import Unset where a body has two types.
        source.write_text(f"from __future__ import annotations\n{source.read_text()}")
    monkeypatch.syspath_prepend(tmp_path)
    caller = Caller(system.url, system.key)
    yield caller
    caller.close()
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def test_a_generated_client_takes_a_lead_from_link_to_postback(call, bot_api, tracker):
    bot = call.send("bots_add", "BotAdd", token=TOKEN).data
    assert bot.username == BOT.username
    now = int(time.time())
    bot_api.push(TOKEN, people.bot_rights(CHAT, True, now, bot=BOT))
    (chat,) = call.until("bots_chats", bool, id=bot.id)
    assert chat.title == CHAT.title

    url = f"{tracker.url}/postback?cid={{click}}&status={{status}}"
    wanted = {"bot": bot.id, "chat": chat.id, "pb_wait": url, "pb_approve": url}
    campaign = call.send("camp_add", "CampaignAdd", **wanted).data
    link = call("camp_link", id=campaign.id, click="c1").data.link
    assert link == f"https://t.me/{BOT.username}?start={campaign.code}-c1"

    bot_api.push(TOKEN, people.start(ANN, f"{campaign.code}-c1", now))
    bot_api.push(TOKEN, people.join(ANN, CHAT, now + 1, people.ADMIN))
    (lead,) = call.until("leads_list", lambda rows: rows and rows[0].status == 2)
    assert (lead.click, lead.username) == ("c1", ANN.username)

    def all_delivered(rows: list[Any]) -> bool:
        return len(rows) == 2 and all(row.state == "delivered" for row in rows)

    rows = call.until("postbacks_list", all_delivered, lead=lead.id)
    story = call("postbacks_get", id=rows[0].id).data
    assert [attempt.status for attempt in story.attempts] == [200]
    assert [row.event for row in rows] == ["approve", "wait"]

    assert call.send("camp_edit", "CampaignEditForm", id=campaign.id, welcome="Hi!").status == "ok"
    assert call("camp_get", id=campaign.id).data.welcome == "Hi!"
    wrong = call("camp_get", id=campaign.id + 1)
    assert (wrong.status, wrong.error) == ("error", "notfound")
