"""What the endpoints act on: a bot that administers chats, leads, postbacks."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from app.extensions import db
from app.models import (
    Attempt,
    Blocked,
    Bot,
    BotChat,
    Campaign,
    Click,
    Conversion,
    Destination,
    EventKey,
    Export,
    ExportKind,
    ExportState,
    JoinRequest,
    JournalEntry,
    Lead,
    Postback,
    Site,
    Source,
    Transfer,
)

_numbers = itertools.count(1)
NOON = 1_780_000_000


class World:
    """Puts rows where the other parts of the system would."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id

    def bot(self, **fields: Any) -> int:
        number = next(_numbers)
        return self._add(
            Bot(
                **{
                    "account_id": self.account_id,
                    "tg_id": 7_000_000_000 + number,
                    "username": f"track{number}bot",
                    "name": "Tracker",
                    "token": f"{number}:token",
                    "webhook_path": f"path{number}",
                    "created": NOON,
                    **fields,
                }
            )
        )

    def chat(self, bot: int, **fields: Any) -> int:
        chat = -1_000_000_000_000 - next(_numbers)
        self._add(
            BotChat(
                **{
                    "bot_id": bot,
                    "chat_id": chat,
                    "title": "My Channel",
                    "type": "channel",
                    "is_admin": True,
                    "changed": NOON,
                    **fields,
                }
            )
        )
        return int(fields.get("chat_id", chat))

    def campaign(self, **fields: Any) -> int:
        bot = fields.pop("bot_id", None) or self.bot()
        return self._add(
            Campaign(
                **{
                    "account_id": self.account_id,
                    "bot_id": bot,
                    "chat_id": -next(_numbers),
                    "chat_title": "My Channel",
                    "code": f"w{next(_numbers):05}",
                    "created": NOON,
                    **fields,
                }
            )
        )

    def transfer(self, bot: int, **fields: Any) -> int:
        """A transfer of a bot that waits; to whom does not matter."""
        return self._add(
            Transfer(
                **{
                    "account_id": self.account_id,
                    "recipient_id": self.account_id,
                    "bot_id": bot,
                    "with_leads": True,
                    "title": "@track_bot",
                    "created": NOON,
                    "due": NOON + 10**9,
                    **fields,
                }
            )
        )

    def source(self, campaign: int, **fields: Any) -> int:
        return self._add(
            Source(
                **{
                    "account_id": self.account_id,
                    "campaign_id": campaign,
                    "code": f"s{next(_numbers):07}",
                    "title": "Reels, June",
                    "click_param": "click",
                    "created": NOON,
                    **fields,
                }
            )
        )

    def site(self, **fields: Any) -> int:
        return self._add(
            Site(
                **{
                    "account_id": self.account_id,
                    "public_id": f"{next(_numbers):016}",
                    "domains": '["shop.example"]',
                    "created": NOON,
                    **fields,
                }
            )
        )

    def click(self, source: int, **fields: Any) -> int:
        campaign = db.session.get_one(Source, source).campaign_id
        return self._add(
            Click(
                **{
                    "account_id": self.account_id,
                    "source_id": source,
                    "campaign_id": campaign,
                    "token": f"{next(_numbers):016}",
                    "created": NOON,
                    **fields,
                }
            )
        )

    def request(self, campaign: int, **fields: Any) -> int:
        number = next(_numbers)
        return self._add(
            JoinRequest(
                **{
                    "account_id": self.account_id,
                    "campaign_id": campaign,
                    "bot_id": 1,
                    "chat_id": -number,
                    "subscriber": 9_876_543_210 + number,
                    "asked": NOON,
                    "user_chat": 9_876_543_210 + number,
                    "username": "alice",
                    **fields,
                }
            )
        )

    def blocked(self, **fields: Any) -> int:
        return self._add(
            Blocked(
                **{
                    "account_id": self.account_id,
                    "username": f"spammer{next(_numbers)}",
                    "created": NOON,
                    **fields,
                }
            )
        )

    def export(self, **fields: Any) -> int:
        return self._add(
            Export(
                **{
                    "account_id": self.account_id,
                    "kind": ExportKind.LEADS,
                    "query": "",
                    "filters": "{}",
                    "zone": "UTC",
                    "state": ExportState.READY,
                    "created": float(NOON),
                    **fields,
                }
            )
        )

    def event_key(self, **fields: Any) -> int:
        return self._add(
            EventKey(
                **{
                    "account_id": self.account_id,
                    "title": "Casino",
                    "key_hash": f"{next(_numbers):064}",
                    "created": NOON,
                    **fields,
                }
            )
        )

    def conversion(self, **fields: Any) -> int:
        return self._add(
            Conversion(
                **{
                    "account_id": self.account_id,
                    "key_id": 0,
                    "kind": "purchase",
                    "value_micro": 49_500_000,
                    "currency": "USD",
                    "tid": f"t{next(_numbers)}",
                    "time": NOON,
                    "created": float(NOON),
                    **fields,
                }
            )
        )

    def lead(self, campaign: int, **fields: Any) -> int:
        return self._add(
            Lead(
                **{
                    "account_id": self.account_id,
                    "campaign_id": campaign,
                    "bot_id": 1,
                    "subscriber": 9_876_543_210 + next(_numbers),
                    "username": "alice",
                    "click": "abc456xyz",
                    "state": 2,
                    "start_time": NOON,
                    "join_time": NOON + 60,
                    "updated": NOON + 60,
                    "last_start_at": NOON,
                    **fields,
                }
            )
        )

    def entry(self, bot: int, chat: int, **fields: Any) -> int:
        return self._add(
            JournalEntry(
                **{
                    "account_id": self.account_id,
                    "bot_id": bot,
                    "chat_id": chat,
                    "campaign_id": 1,
                    "lead_id": None,
                    "subscriber": 5,
                    "action": 1,
                    "time": NOON,
                    "decision": "organic",
                    **fields,
                }
            )
        )

    def destination(self, **fields: Any) -> int:
        return self._add(
            Destination(
                **{
                    "account_id": self.account_id,
                    "campaign_id": None,
                    "role": 1,
                    "tracker": "url_template",
                    "settings": json.dumps({"urls": {}}),
                    "events": 31,
                    "created": NOON,
                    **fields,
                }
            )
        )

    def postback(self, destination: int, **fields: Any) -> int:
        return self._add(
            Postback(
                **{
                    "account_id": self.account_id,
                    "campaign_id": 1,
                    "lead_id": next(_numbers),
                    "destination_id": destination,
                    "sequence": 1,
                    "kind": "approve",
                    "event": json.dumps({"id": "e1", "kind": "approve"}),
                    "state": 4,
                    "due": NOON + 0.5,
                    "created": NOON + 0.25,
                    "settled": NOON + 9.75,
                    **fields,
                }
            )
        )

    def attempt(self, postback: int, **fields: Any) -> int:
        return self._add(
            Attempt(
                **{
                    "postback_id": postback,
                    "occurrence": 0,
                    "number": 1,
                    "started": NOON + 0.5,
                    "ms": 12,
                    "request": "GET https://t.example/?token=***",
                    "status": 500,
                    "answer": "oops",
                    "verdict": "retry",
                    "reason": "HTTP 500",
                    "next_try": NOON + 5.5,
                    **fields,
                }
            )
        )

    @staticmethod
    def _add(row: Any) -> int:
        db.session.add(row)
        db.session.flush()
        number = int(row.id)
        db.session.commit()  # nothing is read after it: on SQLite a reader is a lock
        return number


@pytest.fixture
def world_of() -> type[World]:
    """`world_of(account.id)`: the rows of some account."""
    return World


@pytest.fixture
def world(account: Any) -> World:
    """The rows of `account`."""
    return World(account.id)


@pytest.fixture
def other(make_account: Callable[..., Any]) -> Any:
    """Another tenant, on the largest plan."""
    return make_account(tariff="tiger", paid_until=int(time.time()) + 86400)


@pytest.fixture
def others_world(other: Any) -> World:
    """The rows of `other`."""
    return World(other.id)
