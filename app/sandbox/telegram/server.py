"""A Bot API server on loopback that behaves as Telegram's, faults included.

Everything public here may be called from any thread. State changes happen
under one lock and never wait for the network.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from typing import Any, Final

from aiohttp import web

from app.sandbox.telegram.bot.shop import Checkout
from app.sandbox.telegram.bot.state import BotState, new_bot
from app.sandbox.telegram.call import Rules
from app.sandbox.telegram.control import routes
from app.sandbox.telegram.core import Core
from app.sandbox.telegram.endpoint import PATH, Endpoint
from app.sandbox.telegram.faults import Fault, by_name
from app.sandbox.telegram.log import Call, SentMessage
from app.sandbox.telegram.methods.payments import open_checkout
from app.sandbox.telegram.methods.webhooks import get_webhook_info
from app.sandbox.telegram.people import Chat, Person

MAX_UPLOAD: Final = 55 * 1024 * 1024


class BotApiDouble:
    """Bots, their webhooks and what they sent.

    `time_scale` multiplies every wait of the webhook sender. `local` speaks as an
    own Bot API server, which accepts plain http and any port for webhooks; without
    it the rules of the cloud hold. `pace` is the least number of seconds between two changes of
    one bot's webhook. `clock` gives Unix seconds; it decides how long a join
    request lets a bot write, and what an invite link is worth.
    """

    def __init__(
        self,
        *,
        time_scale: float = 1.0,
        local: bool = True,
        pace: float = 0.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._core = Core(Rules(local=local, pace=pace), time_scale, clock)
        self._runner: web.AppRunner | None = None
        self._pages: list[web.RouteDef] = []

    @property
    def violations(self) -> list[str]:
        """Answers to webhooks that asked Telegram to run a method, as sentences."""
        return self._core.log.violations

    @property
    def failures(self) -> Counter[int]:
        """How often a webhook answered what is no 2xx, by status; 0 is no answer."""
        return self._core.log.failures

    def add_bot(self, token: str, username: str, name: str = "A bot") -> None:
        """Make a bot known. Its id is what stands before the colon of the token.

        The first update gets a number that is drawn for the token. Raises ValueError if no
        number stands before the colon.
        """
        first = random.Random(token).randrange(10**8, 9 * 10**8)
        bot = new_bot(token, username, name, first)
        with self._core.lock:
            self._core.bots[token] = bot

    def push(self, token: str, update: dict[str, Any]) -> int:
        """Let an update happen: it gets an id unless it has one, and waits for delivery.

        Returns the id, or 0 when the bot did not ask for this kind: Telegram
        drops it before it is numbered. Raises KeyError for an unknown bot, and
        ValueError for a person who comes by a link that lets nobody in.
        """
        return self._core.push(token, update)

    def sent(self, token: str | None = None) -> list[SentMessage]:
        """Return the messages that one bot or all bots sent, oldest first."""
        return self._core.log.sent(token)

    def calls(self, token: str | None = None, method: str | None = None) -> list[Call]:
        """Return the calls that came in, also refused ones, oldest first."""
        return self._core.log.calls(token, method)

    def follow(self) -> SimpleQueue[SentMessage | Call]:
        """Return a queue that gets each message from now on, and each call that succeeded."""
        return self._core.log.follow()

    def fail(
        self,
        token: str,
        method: str,
        fault: Fault | str,
        times: int = 1,
        *,
        chat: int | None = None,
        user: int | None = None,
    ) -> None:
        """Order a fault for the next calls of a method, or of all with `*`.

        `times` below zero never ends; `chat` and `user` mean only calls with this
        `chat_id` and `user_id`. Raises ValueError for the name of a fault that
        does not exist.
        """
        fault = by_name(fault) if isinstance(fault, str) else fault
        with self._core.lock:
            self._core.bots[token].faults.add(method, fault, times, chat=chat, user=user)

    def pending(self, token: str) -> int:
        """Return how many updates are not delivered yet."""
        return len(self._core.bots[token].backlog)

    def drained(self, timeout: float = 60.0) -> bool:
        """Wait until every bot's updates are delivered. False after `timeout` seconds."""
        end = time.monotonic() + timeout
        while any(len(bot.backlog) for bot in list(self._core.bots.values())):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def webhook_info(self, token: str) -> dict[str, Any]:
        """Return what getWebhookInfo would answer."""
        return dict(self._core.run(get_webhook_info, self._core.bots[token]).value)

    def webhook_secret(self, token: str) -> str:
        """Return the secret that the bot's owner gave; Telegram never shows it."""
        return self._core.bots[token].subscription.webhook.secret

    def pay(self, token: str, invoice: str, person: Person) -> Checkout:
        """A person presses Pay: on a link, or on the message `chat/message`. Raises KeyError."""
        checkout, update = self._core.run(
            lambda call: open_checkout(call, invoice, person.user()), self._core.bots[token]
        )
        self.push(token, update)
        return checkout

    def join_requests(self, token: str, chat: Chat) -> list[int]:
        """Return the ids of the people who wait to be let in, the longest waiting first."""
        with self._core.lock:
            return self._core.bots[token].chats.requests.of(chat.id)

    def withdraw(self, token: str, person: Person, chat: Chat) -> bool:
        """The person takes a request back, or another administrator declines it.

        No update tells the bot. Returns False if there was no request.
        """
        with self._core.lock:
            return self._core.bots[token].chats.requests.pop(chat.id, person.id) is not None

    def contact(self, token: str, person: Person, chat: Chat) -> None:
        """Another administrator writes to a person who waits: the bot may not any more.

        Raises KeyError if the person does not wait.
        """
        with self._core.lock:
            self._core.bots[token].chats.requests.contact(chat.id, person.id)

    def bots(self) -> list[BotState]:
        """Return the bots, in the order they became known; hold `locked` to look at them."""
        return list(self._core.bots.values())

    @property
    def locked(self) -> AbstractContextManager[Any]:
        """The lock that guards the bots."""
        return self._core.lock

    def restore(self, bot: BotState) -> None:
        """Make a bot known as it was. Call it before the double is served."""
        with self._core.lock:
            self._core.bots[bot.token] = bot

    def serve(self, pages: Iterable[web.RouteDef]) -> None:
        """Serve further routes beside the Bot API. Call it before the double is served."""
        self._pages.extend(pages)

    async def start(self, host: str, port: int) -> int:
        """Listen; 0 takes a free port. Returns the port, raises OSError if taken."""
        app = web.Application(client_max_size=MAX_UPLOAD)
        app.add_routes([*routes(self), *self._pages])
        app.router.add_route("*", PATH, Endpoint(self._core).answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        await self._core.senders.open()
        for bot in list(self._core.bots.values()):
            await self._core.senders.reset(bot)
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; undelivered updates are kept for the next start."""
        await self._core.senders.close()
        for bot in self._core.bots.values():
            bot.polling.news = asyncio.Event()
        if self._runner:
            await self._runner.cleanup()
