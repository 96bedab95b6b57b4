"""What the Bot API double knows of one bot. The double's lock guards it."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import Any

from app.sandbox.telegram.bot.backlog import Backlog
from app.sandbox.telegram.bot.chats import Chats
from app.sandbox.telegram.bot.shop import Shop
from app.sandbox.telegram.bot.update_kinds import KINDS, ON_REQUEST
from app.sandbox.telegram.faults import FaultOrders


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a bot is. The id is what stands before the colon of the token."""

    token: str
    id: int
    username: str
    name: str

    def user(self) -> dict[str, Any]:
        """Return the bot as a `User`."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.name,
            "username": self.username,
        }


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates go. An empty `url` means that no webhook is set."""

    url: str = ""
    secret: str = ""
    max_connections: int = 40
    ip_address: str = ""


@dataclass(slots=True)
class Subscription:
    """The webhook of a bot and the kinds of updates it asked for.

    `changed` is when the webhook was changed, in Unix seconds; `last_error` is
    the time and the text of the last delivery that failed.
    """

    webhook: Webhook = field(default_factory=Webhook)
    allowed: tuple[str, ...] = ()
    changed: float = 0.0
    last_error: tuple[int, str] | None = None

    def wants(self, kind: str) -> bool:
        """Return whether the bot asked for this kind. Telegram decides when it happens."""
        return kind in self.allowed if self.allowed else kind not in ON_REQUEST

    def allow(self, kinds: list[Any]) -> None:
        """Replace the list of kinds. Unknown names fall out; an empty list is the default."""
        self.allowed = tuple(dict.fromkeys(kind for kind in kinds if kind in KINDS))


@dataclass(slots=True)
class Polling:
    """Who waits in getUpdates. `calls` counts them, so that an older one sees a newer one."""

    news: asyncio.Event = field(default_factory=asyncio.Event)
    calls: int = 0


@dataclass(slots=True)
class BotState:
    """One bot, each duty in a part of its own."""

    identity: Identity
    backlog: Backlog
    chats: Chats
    subscription: Subscription = field(default_factory=Subscription)
    polling: Polling = field(default_factory=Polling)
    faults: FaultOrders = field(default_factory=FaultOrders)
    shop: Shop = field(default_factory=Shop)
    _message_ids: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def token(self) -> str:
        """The token of the bot."""
        return self.identity.token

    def next_message_id(self) -> int:
        """Return the number of the next message; numbers rise by one."""
        return next(self._message_ids)


def new_bot(token: str, username: str, name: str, next_update_id: int) -> BotState:
    """Return a bot of which nothing is known but its token. Raises ValueError for a bad token."""
    identity = Identity(token, int(token.partition(":")[0]), username, name)
    return BotState(identity, Backlog(next_update_id), Chats(identity.user()))


def as_json(bot: BotState) -> dict[str, Any]:
    """Return what a bot should find again after a restart. Undelivered updates are lost."""
    return {
        **asdict(bot.identity),
        "next_update_id": bot.backlog.next_update_id,
        "webhook": asdict(bot.subscription.webhook),
        "allowed": list(bot.subscription.allowed),
        "chats": bot.chats.as_json(),
    }


def from_json(data: dict[str, Any]) -> BotState:
    """Return the bot that `as_json` described. Raises KeyError, TypeError or ValueError."""
    bot = new_bot(data["token"], data["username"], data["name"], int(data["next_update_id"]))
    bot.subscription.webhook = Webhook(**data["webhook"])
    bot.subscription.allow(data["allowed"])
    bot.chats.restore(data["chats"])
    return bot
