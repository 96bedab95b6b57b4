"""What the Bot API double knows of one bot. Plain data; guarded by the double's lock."""

from __future__ import annotations

import asyncio
import enum
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Any, Final

from app.sandbox.telegram.faults import Fault

#: Everything Telegram may send, as far as we know of it (Bot API 10.3).
KINDS: Final = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
)
#: A bot that asked for nothing gets everything but these.
_ON_REQUEST: Final = {"chat_member", "message_reaction", "message_reaction_count"}
MAX_PENDING: Final = 200_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method, also a failed one."""

    time: float
    token: str
    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message that a bot sent. `text` is the caption of a photo or video.

    `text` is as the bot wrote it, `shown` as a reader sees it. `entities` are
    those that the bot gave, not those of a parse mode.
    """

    time: float
    token: str
    method: str
    chat_id: int
    message_id: int
    text: str
    shown: str
    parse_mode: str
    entities: list[dict[str, Any]]
    reply_markup: Mapping[str, Any]
    params: Mapping[str, Any]


@dataclass(slots=True)
class Ordered:
    """A fault that waits for its calls. `times` below zero never ends."""

    method: str
    fault: Fault
    times: int
    chat: int | None

    def fits(self, method: str, params: Mapping[str, Any]) -> bool:
        """Whether this call is meant."""
        if self.times == 0 or self.method not in ("*", method):
            return False
        return self.chat is None or str(params.get("chat_id")) == str(self.chat)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates go. An empty `url` is none."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    ip_address: str = ""


@dataclass(frozen=True, slots=True)
class StarsInvoice:
    """What is sold. `amount` is in whole Stars."""

    title: str
    description: str
    payload: str
    currency: str
    amount: int


class CheckoutState(enum.StrEnum):
    """What became of a person's wish to pay. LATE: the bot did not answer in time."""

    WAITING = "waiting"
    PAID = "paid"
    REFUSED = "refused"
    LATE = "late"


@dataclass(slots=True)
class Checkout:
    """A person pressed Pay. `message` is the bot's reason to refuse, `charge` Telegram's id."""

    opened: float
    person: dict[str, Any]
    invoice: StarsInvoice
    state: CheckoutState = CheckoutState.WAITING
    message: str = ""
    charge: str = ""


@dataclass(slots=True)
class Charge:
    """Stars that a bot got, and from whom."""

    person: dict[str, Any]
    invoice: StarsInvoice
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class Queued:
    """An update that is not delivered yet."""

    number: int
    update: dict[str, Any]
    key: str
    pushed: float

    @property
    def update_id(self) -> int:
        """Telegram's number of it."""
        return int(self.update["update_id"])


@dataclass(slots=True)
class BotState:
    """One bot: its hook, its undelivered updates, and what went wrong with it."""

    token: str
    id: int
    username: str
    name: str
    next_update_id: int
    webhook: Webhook = field(default_factory=Webhook)
    allowed: tuple[str, ...] = ()
    hook_changed: float = 0.0
    last_error: tuple[int, str] | None = None
    pending: dict[int, Queued] = field(default_factory=dict)
    lanes: dict[str, deque[Queued]] = field(default_factory=dict)
    orders: list[Ordered] = field(default_factory=list)
    standings: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    invoices: dict[str, StarsInvoice] = field(default_factory=dict)
    checkouts: dict[str, Checkout] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    polls: int = 0
    _numbers: Iterator[int] = field(default_factory=count)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _messages: Iterator[int] = field(default_factory=lambda: count(1))

    def wants(self, kind: str) -> bool:
        """Whether the bot asked for this kind. Telegram decides when it happens."""
        return kind in self.allowed if self.allowed else kind not in _ON_REQUEST

    def allow(self, kinds: list[Any]) -> None:
        """Take a list of kinds. Unknown names fall out; nothing left is the default."""
        self.allowed = tuple(dict.fromkeys(kind for kind in kinds if kind in KINDS))

    def enqueue(self, update: dict[str, Any], key: str, now: float) -> Queued:
        """Keep an update until it is delivered. Raises OverflowError when full."""
        with self._lock:
            if len(self.pending) >= MAX_PENDING:
                raise OverflowError(f"bot {self.id} has {MAX_PENDING} undelivered updates")
            queued = Queued(next(self._numbers), update, key, now)
            self.pending[queued.number] = queued
            self.lanes.setdefault(key, deque()).append(queued)
            return queued

    def head(self, key: str) -> Queued | None:
        """The oldest undelivered update of a lane; empty lanes are forgotten."""
        with self._lock:
            lane = self.lanes.get(key)
            while lane and lane[0].number not in self.pending:
                lane.popleft()
            if not lane:
                self.lanes.pop(key, None)
                return None
            return lane[0]

    def settle(self, queued: Queued) -> None:
        """Forget an update: it is delivered or expired."""
        with self._lock:
            self.pending.pop(queued.number, None)

    def waiting(self, limit: int) -> list[Queued]:
        """The oldest undelivered updates over all lanes."""
        with self._lock:
            return list(islice(self.pending.values(), limit))

    def busy_lanes(self) -> list[str]:
        """The queues that hold something."""
        with self._lock:
            return list(self.lanes)

    def confirm(self, offset: int) -> None:
        """Forget what getUpdates confirms by `offset`; below zero keeps that many.

        Ids may restart lower after a quiet week, so everything up to the
        confirmed one goes, whatever its number.
        """
        with self._lock:
            queued = list(self.pending.values())
            ids = [one.update_id for one in queued]
            if offset < 0:
                gone = queued[:offset]
            else:
                last = max((at for at, one in enumerate(ids) if one == offset - 1), default=-1)
                gone = [one for at, one in enumerate(queued) if at <= last or ids[at] < offset]
            for one in gone:
                del self.pending[one.number]

    def forget_all(self) -> None:
        """`drop_pending_updates`."""
        with self._lock:
            self.pending.clear()
            self.lanes.clear()

    def fault_for(self, method: str, params: Mapping[str, Any]) -> Fault | None:
        """Take the next ordered fault that fits this call."""
        for order in self.orders:
            if order.fits(method, params):
                order.times -= 1
                return order.fault
        return None

    def next_message_id(self) -> int:
        """Numbers of messages rise by one."""
        return next(self._messages)

    def me(self) -> dict[str, Any]:
        """The bot as `User`."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.name,
            "username": self.username,
        }
