"""A Bot API server on loopback that behaves as Telegram's, faults included.

Everything public here may be called from any thread. State changes happen
under one lock and never wait for the network.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from aiohttp import web

from app.sandbox.telegram.call import Caller, Result, Rules
from app.sandbox.telegram.control import routes
from app.sandbox.telegram.faults import Fault, Refusal, by_name
from app.sandbox.telegram.http import as_json, misbehave, parameters, remember_standing
from app.sandbox.telegram.methods import METHODS, get_webhook_info, poll
from app.sandbox.telegram.payments import open_checkout
from app.sandbox.telegram.people import Person
from app.sandbox.telegram.state import BotState, Call, Checkout, Ordered, SentMessage
from app.sandbox.telegram.webhook_sender import WebhookSender, kind_of, queue_key

MAX_KEPT: Final = 50_000
MAX_UPLOAD: Final = 55 * 1024 * 1024
MAX_POLL_SECONDS: Final = 50
FOREVER: Final = -1


class BotApiDouble:
    """Bots, their webhooks and what they sent.

    `time_scale` multiplies every wait of the webhook sender. `local` speaks
    as an own Bot API server, which accepts plain http and any port for
    webhooks; without it the rules of the cloud hold. `pace` is the least
    number of seconds between two changes of one bot's webhook.
    """

    def __init__(
        self,
        *,
        time_scale: float = 1.0,
        read_seconds: float = 60.0,
        local: bool = True,
        pace: float = 0.0,
    ) -> None:
        self.violations: list[str] = []
        self.failures: Counter[int] = Counter()  #: webhook answers that were no 2xx; 0 is none
        self._rules = Rules(local=local, pace=pace)
        self._time_scale = time_scale
        self._read_seconds = read_seconds
        self._lock = threading.RLock()
        self._bots: dict[str, BotState] = {}
        self._senders: dict[str, WebhookSender] = {}
        self._sent: deque[SentMessage] = deque(maxlen=MAX_KEPT)
        self._calls: deque[Call] = deque(maxlen=MAX_KEPT)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._closing: asyncio.Task[None] | None = None

    # What tests and the demo do.

    def add_bot(self, token: str, username: str, name: str = "A bot") -> None:
        """Make a bot known. Its id is what stands before the colon."""
        number = int(token.partition(":")[0])
        first = random.Random(token).randrange(10**8, 9 * 10**8)
        with self._lock:
            self._bots[token] = BotState(token, number, username, name, first)

    def push(self, token: str, update: dict[str, Any]) -> int:
        """Let an update happen: it gets an id unless it has one, and waits for delivery.

        Returns the id, or 0 when the bot did not ask for this kind: Telegram
        drops it before it is numbered.
        """
        bot = self._bots[token]
        with self._lock:
            if not bot.wants(kind_of(update)) and kind_of(update):
                return 0
            if "update_id" not in update:
                update = {"update_id": bot.next_update_id, **update}
            bot.next_update_id = int(update["update_id"]) + 1
            remember_standing(bot, update)
            queued = bot.enqueue(update, queue_key(update), time.time())
        self._in_loop(self._announce, bot, queued.key)
        return queued.update_id

    def sent(self, token: str | None = None) -> list[SentMessage]:
        """Messages that were sent, oldest first; of one bot or of all."""
        with self._lock:
            return [one for one in self._sent if token in (None, one.token)]

    def calls(self, token: str | None = None, method: str | None = None) -> list[Call]:
        """Calls that came in, also refused ones, oldest first."""
        with self._lock:
            return [
                one
                for one in self._calls
                if token in (None, one.token) and method in (None, one.method)
            ]

    def fail(
        self,
        token: str,
        method: str,
        fault: Fault | str,
        times: int = 1,
        *,
        chat: int | None = None,
    ) -> None:
        """Order a fault for the next calls of a method, or of all with `*`.

        `times=FOREVER` never ends; `chat` means only calls for that chat.
        Raises ValueError for the name of a fault that does not exist.
        """
        fault = by_name(fault) if isinstance(fault, str) else fault
        with self._lock:
            self._bots[token].orders.append(Ordered(method, fault, times, chat))

    def heal(self, token: str) -> None:
        """Cancel every ordered fault of a bot."""
        with self._lock:
            self._bots[token].orders.clear()

    def pending(self, token: str) -> int:
        """How many updates are not delivered yet."""
        return len(self._bots[token].pending)

    def drained(self, timeout: float = 10.0) -> bool:
        """Wait until every bot's updates are delivered. False if time ran out."""
        end = time.monotonic() + timeout
        while any(bot.pending for bot in list(self._bots.values())):
            if time.monotonic() > end:
                return False
            time.sleep(0.005)
        return True

    def webhook_info(self, token: str) -> dict[str, Any]:
        """As getWebhookInfo would answer."""
        with self._lock:
            info = get_webhook_info(Caller(self._bots[token], {}, self._rules)).value
        return dict(info)

    def webhook_secret(self, token: str) -> str:
        """The secret the bot's owner gave; Telegram never shows it."""
        return self._bots[token].webhook.secret

    def pay(self, token: str, invoice: str, person: Person) -> Checkout:
        """A person presses Pay: on a link, or on the message `chat/message`. Raises KeyError."""
        with self._lock:
            caller = Caller(self._bots[token], {}, self._rules)
            checkout, update = open_checkout(caller, invoice, person.user())
        self.push(token, update)
        return checkout

    # What the server does, in its loop.

    async def start(self, host: str, port: int) -> int:
        """Listen. See `app.sandbox.serving.running`."""
        app = web.Application(client_max_size=MAX_UPLOAD)
        app.add_routes(routes(self))
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        for bot in list(self._bots.values()):
            await self._rehook(bot)
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening; undelivered updates are kept for the next start."""
        self._loop = None
        for sender in self._senders.values():
            await sender.stop()
        self._senders.clear()
        for bot in self._bots.values():
            bot.news = asyncio.Event()
        if self._session:
            await self._session.close()
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """One call: `/bot<token>/<method>`."""
        bot = self._bots.get(request.match_info["token"])
        method = request.match_info["method"]
        if bot is None:
            return as_json(Refusal(401, "Unauthorized"))
        params = await parameters(request)
        with self._lock:
            self._calls.append(Call(time.time(), bot.token, method, params))
            fault = bot.fault_for(method, params)
        if fault is None:
            return await self._perform(bot, method, params)
        return await misbehave(fault, request, lambda: self._perform(bot, method, params))

    async def _perform(
        self, bot: BotState, method: str, params: Mapping[str, Any]
    ) -> web.StreamResponse:
        caller = Caller(bot, params, self._rules)
        try:
            if method.lower() == "getupdates":
                return as_json(Result(await self._long_poll(caller)))
            if method.lower() not in METHODS:
                return as_json(Refusal(404, "Not Found"))
            result = self._run(method, caller)
        except Refusal as refusal:
            if method.lower() == "setwebhook":
                await self._rehook(bot)
            return as_json(refusal)
        if result.hook_changed:
            await self._rehook(bot)
        return as_json(result)

    def _run(self, method: str, caller: Caller) -> Result:
        with self._lock:
            result = METHODS[method.lower()](caller)
            if result.sent:
                self._sent.append(result.sent)
        if result.then:
            self.push(caller.bot.token, result.then)
        return result

    async def _long_poll(self, caller: Caller) -> list[dict[str, Any]]:
        """Answer getUpdates. A second one at the same time ends the first."""
        bot = caller.bot
        bot.polls += 1
        mine = bot.polls
        bot.news.set()  # wakes an older poll, which then sees that it is not the last
        end = time.monotonic() + min(max(caller.number("timeout"), 0), MAX_POLL_SECONDS)
        while True:
            bot.news.clear()
            with self._lock:
                updates = poll(caller)
            if updates or (left := end - time.monotonic()) <= 0:
                return updates
            try:
                await asyncio.wait_for(bot.news.wait(), left)
            except TimeoutError:
                return []
            if bot.polls != mine:
                bot.news.set()
                raise by_name("conflict").refusal()

    def _announce(self, bot: BotState, key: str) -> None:
        bot.news.set()
        if sender := self._senders.get(bot.token):
            sender.wake_queue(key)

    async def _rehook(self, bot: BotState) -> None:
        """Bring the sender in line with the hook: the old one closes first."""
        if old := self._senders.pop(bot.token, None):
            await old.stop()
        bot.news.set()
        if not bot.webhook.url or self._session is None:
            return
        sender = WebhookSender(
            bot,
            self._session,
            time_scale=self._time_scale,
            read_seconds=self._read_seconds,
            violation=self.violations.append,
            failed=lambda status: self.failures.update([status]),
            closed=lambda: self._close_hook(bot),
        )
        self._senders[bot.token] = sender
        sender.wake()

    def _close_hook(self, bot: BotState) -> None:
        """The hook answered 410 for a day."""
        METHODS["deletewebhook"](Caller(bot, {}, self._rules))
        self._closing = asyncio.get_running_loop().create_task(self._rehook(bot))

    def _in_loop(self, call: Any, *arguments: Any) -> None:
        """Run something in the server's loop, if it runs."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(call, *arguments)
