"""A campaign ready to receive updates, and the verbs to drive it."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Bot,
    BotChat,
    Campaign,
    Destination,
    JournalEntry,
    Lead,
    Postback,
    Role,
    Update,
)
from app.outbound.telegram import BotApi
from app.services.leads import process
from app.services.updates import inbox
from plugins.contract import EventKind

_numbers = itertools.count(1)
ALL_EVENTS = (1 << len(EventKind)) - 1
NOW = 1_800_000_000
#: Updates that a bot must ask for by name.
KINDS = ["message", "chat_member", "my_chat_member", "chat_join_request", "callback_query"]


@dataclass
class Stage:
    """One bot, one campaign with templates, and its happenings."""

    bot: int
    campaign: int
    chat: int
    code: str
    destination: int
    account: int
    uid: Any = field(default_factory=lambda: itertools.count(1))

    def receive(self, update: dict[str, Any]) -> None:
        """Store an update as the door does, without processing it."""
        update.setdefault("update_id", next(self.uid))
        inbox.store_updates(self.bot, [json.dumps(update).encode()])

    def play(self, *updates: dict[str, Any]) -> int:
        """Store and process, one after the other."""
        count = 0
        for update in updates:
            self.receive(update)
            count += process.process_updates(seconds=60)
        return count

    def lead(self, subscriber: int) -> Lead | None:
        wanted = select(Lead).where(
            Lead.campaign_id == self.campaign, Lead.subscriber == subscriber
        )
        return next(iter(rows_of(wanted)), None)

    def postbacks(self) -> list[Postback]:
        wanted = select(Postback).where(Postback.campaign_id == self.campaign)
        return rows_of(wanted.order_by(Postback.id))

    def kinds(self) -> list[str]:
        return [row.kind for row in self.postbacks()]

    def journal(self) -> list[JournalEntry]:
        return rows_of(select(JournalEntry).order_by(JournalEntry.id))

    def updates(self) -> list[Update]:
        return rows_of(select(Update).order_by(Update.id))


def rows_of(query: Any) -> list[Any]:
    """Read and let go: an open transaction is a lock on SQLite."""
    db.session.expire_all()
    found = list(db.session.scalars(query))
    db.session.expunge_all()
    db.session.commit()
    return found


def enter_chat(stage: Stage, bot_api: Any) -> str:
    """Let the stage's bot live at the double and be an administrator who may invite; its token."""
    bot = db.session.get_one(Bot, stage.bot)
    token = bot.token
    bot_api.add_bot(token, bot.username)
    BotApi(bot_api.url, token).call("getUpdates", allowed_updates=KINDS)
    db.session.add(
        BotChat(
            bot_id=bot.id, chat_id=stage.chat, title="Club", type="channel",
            is_admin=True, can_invite=True, changed=0,
        )
    )  # fmt: skip
    db.session.commit()
    return token


@pytest.fixture
def make_stage(live_app: Any, make_account: Any) -> Callable[..., Stage]:
    """`make_stage(url="http://…")`: a bot, a campaign and its five templates."""

    def make(*, url: str = "http://127.0.0.2/pb", owner: Any = None, **columns: Any) -> Stage:
        account = owner or make_account(tariff="tiger", paid_until=NOW + 10**9)
        number = next(_numbers)
        bot = Bot(
            account_id=account.id,
            tg_id=7_000_000_000 + number,
            username=f"bot{number}_bot",
            name="Bot",
            token=f"{7_000_000_000 + number}:{'x' * 35}",
            webhook_path=f"path{number}",
            created=NOW,
        )
        db.session.add(bot)
        db.session.flush()
        chat, code = -100_000_000_000 - number, f"c{number:05d}"
        campaign = Campaign(
            **{
                "account_id": account.id,
                "bot_id": bot.id,
                "chat_id": chat,
                "chat_title": "Chat & more",
                "code": code,
                "created": NOW,
                **columns,
            }
        )
        db.session.add(campaign)
        db.session.flush()
        template = f"{url}?click={{click}}&status={{status}}&lead={{lead}}"
        destination = Destination(
            account_id=account.id,
            campaign_id=campaign.id,
            role=Role.TEMPLATE,
            tracker="url_template",
            settings=json.dumps({"urls": dict.fromkeys(map(str, EventKind), template)}),
            events=ALL_EVENTS,
            created=NOW,
        )
        db.session.add(destination)
        db.session.flush()
        made = Stage(bot.id, campaign.id, chat, code, destination.id, account.id)
        db.session.commit()  # on SQLite even a transaction that only read is a lock
        return made

    return make


@pytest.fixture
def stage(make_stage: Callable[..., Stage]) -> Stage:
    """One campaign with templates."""
    return make_stage()
