"""A campaign ready to receive updates, and the verbs to drive it."""

from __future__ import annotations

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
    Campaign,
    Destination,
    JournalEntry,
    Lead,
    Postback,
    Role,
    Update,
)
from app.services.leads import process
from app.services.updates import inbox
from plugins.contract import EventKind

_numbers = itertools.count(1)
ALL_EVENTS = (1 << len(EventKind)) - 1
NOW = 1_800_000_000


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
            count += process.process_updates(seconds=10)
        return count

    def lead(self, subscriber: int) -> Lead | None:
        wanted = select(Lead).where(
            Lead.campaign_id == self.campaign, Lead.subscriber == subscriber
        )
        return next(iter(_rows(wanted)), None)

    def postbacks(self) -> list[Postback]:
        wanted = select(Postback).where(Postback.campaign_id == self.campaign)
        return _rows(wanted.order_by(Postback.id))

    def kinds(self) -> list[str]:
        return [row.kind for row in self.postbacks()]

    def journal(self) -> list[JournalEntry]:
        return _rows(select(JournalEntry).order_by(JournalEntry.id))

    def updates(self) -> list[Update]:
        return _rows(select(Update).order_by(Update.id))


def _rows(wanted: Any) -> list[Any]:
    """Read and let go: an open transaction is a lock on SQLite."""
    db.session.expire_all()
    rows = list(db.session.scalars(wanted))
    db.session.expunge_all()
    db.session.commit()
    return rows


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
