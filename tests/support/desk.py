"""The operator's own bot, beside a double of Telegram, and people who use it."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Bot, Campaign, Message, Notice
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.services import messages
from app.services.bots import webhooks
from app.services.leads import process
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import ALLOW, digest, logins
from app.services.service_bot import bot as service_bot
from app.services.service_bot.logins import Browser
from app.services.updates import inbox

TOKEN = "5151:AAservice-bots-own_token"
NONCE = "n" * 15 + "_-7"
ANN = Person(987_654_321, "Ann", "Lee", "ann_lee", "en")
IVAN = Person(123_456_789, "Иван", "", "", "ru")
BROWSER = Browser("203.0.113.5", "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0", "k" * 40)
WALKERS = [Person(1000 + number, f"W{number}") for number in range(8)]


@dataclass
class Desk:
    """What people do with the service bot, and what it says to them."""

    telegram: Any
    uid: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def bot_id(self) -> int:
        found = service_bot.find()
        assert found is not None
        number = found.id
        db.session.commit()
        return number

    def receive(self, *updates: dict[str, Any], bot: int | None = None) -> None:
        """Updates come to the service bot, or to another one, and are processed."""
        for one in updates:
            one.setdefault("update_id", next(self.uid))
            inbox.store_updates(bot or self.bot_id, [json.dumps(one).encode()])
            process.process_updates(seconds=60)

    def fetch(self) -> int:
        """What Telegram has for the service bot comes and is processed. How much it was.

        As the poller asks: with our kinds of updates, confirming what was there.
        """
        api = webhooks.api_of(TOKEN)
        updates = api.call("getUpdates", allowed_updates=webhooks.ALLOWED_UPDATES)
        if updates:
            last = updates[-1]["update_id"]
            api.call("getUpdates", offset=last + 1)
        self.receive(*updates)
        CALLBACK_ANSWERS.join()
        return len(updates)

    def start(self, person: Person, payload: str = "") -> None:
        self.receive(people.start(person, payload))

    def press(self, person: Person, data: str) -> str:
        """Press a button; returns the toast that was shown, if any."""
        press = {"id": "77", "from": person.user(), "data": data, "chat_instance": "1"}
        before = len(self.telegram.calls(TOKEN, "answerCallbackQuery"))
        self.receive({"callback_query": press})
        CALLBACK_ANSWERS.join()
        calls = self.telegram.calls(TOKEN, "answerCallbackQuery")[before:]
        return calls[-1].params["text"] if calls else ""

    def agree(self, person: Person) -> str:
        """Press Yes under the last question whether a page may log in."""
        return self.press(person, self.button(person, ALLOW))

    def button(self, person: Person, verb: str) -> str:
        """The data of the last button of this verb that was staged for a person; "" for none."""
        texts = [one.markup for one in self.staged() if one.chat_id == person.id]
        data = [
            button["callback_data"]
            for markup in filter(None, texts)
            for row in json.loads(markup)["inline_keyboard"]
            for button in row
        ]
        return next((one for one in reversed(data) if one.startswith(f"{verb}:")), "")

    def log_in(self, person: Person, nonce: str = NONCE, browser: Browser = BROWSER) -> str:
        """A page asks, the person opens its link and agrees. Returns the session token."""
        logins.poll(nonce, browser)
        self.start(person, f"login-{nonce}")
        self.agree(person)
        token = logins.poll(nonce, browser).token
        assert token is not None
        return token

    def tell(self, now: float | None = None) -> int:
        """What one tick of the clock makes of the notices."""
        return digest.flush(time.time() if now is None else now)

    def speak(self) -> None:
        messages.send(seconds=60.0)

    def sent_to(self, person: Person) -> list[Any]:
        return [one for one in self.telegram.sent(TOKEN) if one.chat_id == person.id]

    def staged(self) -> list[Message]:
        return rows(select(Message).order_by(Message.id))

    def notices(self) -> list[Notice]:
        return rows(select(Notice).order_by(Notice.id))

    def account_of(self, person: Person) -> Account | None:
        return next(iter(rows(select(Account).where(Account.tg_id == person.id))), None)


def rows(wanted: Any) -> list[Any]:
    """Read and let go: an open transaction is a lock on SQLite."""
    db.session.expire_all()
    found = list(db.session.scalars(wanted))
    for row in found:
        db.session.expunge(row)
    db.session.commit()
    return found


@pytest.fixture
def desk(live_app: Flask, bot_api: Any, change_settings: Callable[..., None]) -> Desk:
    """A service bot that is connected."""
    bot_api.add_bot(TOKEN, "gate_service_bot")
    change_settings(service_bot_token=TOKEN)
    assert service_bot.ensure_connected()
    return Desk(bot_api)


@pytest.fixture
def make_campaign(live_app: Flask) -> Callable[..., tuple[int, int, str]]:
    """`make_campaign(account_id, notify_level=3)`: its bot, its chat and its code."""
    numbers = itertools.count(1)

    def make(account_id: int, **columns: Any) -> tuple[int, int, str]:
        number = next(numbers)
        bot = Bot(
            account_id=account_id,
            tg_id=8_000_000_000 + number,
            username=f"flowers{number}_bot",
            name="Flowers",
            token=f"{8_000_000_000 + number}:{'x' * 35}",
            webhook_path=f"flowers{number}",
            created=1,
        )
        db.session.add(bot)
        db.session.flush()
        chat, code = -100_000_000_000 - number, f"c{number:05d}"
        fields = {"chat_title": f"Flowers {number}", "notify_level": 3, **columns}
        db.session.add(
            Campaign(
                account_id=account_id, bot_id=bot.id, chat_id=chat, code=code, created=1, **fields
            )
        )
        bot_id = bot.id
        db.session.commit()
        return bot_id, chat, code

    return make


@pytest.fixture
def ann(desk: Desk) -> Account | None:
    """Ann's account; the word of her login has long been said."""
    desk.start(ANN, f"login-{NONCE}")
    desk.speak()
    long_ago = time.time() - 3600
    db.session.execute(update(Message).values(created=long_ago, sent=long_ago))
    db.session.commit()
    return desk.account_of(ANN)


@pytest.fixture
def walk(desk: Desk) -> Callable[..., None]:
    """`walk(campaign, person, "start", "join")`: what a person does there."""

    def do(campaign: tuple[int, int, str], person: Person, *steps: str) -> None:
        bot, chat, code = campaign
        there = Chat(chat, "Flowers")
        made = {
            "start": lambda: people.start(person, f"{code}-c1"),
            "request": lambda: people.join_request(person, there),
            "join": lambda: people.join(person, there),
            "leave": lambda: people.leave(person, there),
            "kick": lambda: people.kick(person, there),
        }
        for step in steps:
            desk.receive(made[step](), bot=bot)

    return do
