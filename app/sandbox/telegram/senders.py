"""The senders of all bots: one for each webhook that is set, in the server's event loop."""

import asyncio
from collections.abc import Callable

import aiohttp

from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.log import Log
from app.sandbox.telegram.webhook_sender import Reports, WebhookSender


class Senders:
    """Keeps the senders in line with the webhooks.

    `delete_webhook` is called for a bot whose webhook Telegram would delete.
    """

    def __init__(
        self, time_scale: float, log: Log, delete_webhook: Callable[[BotState], object]
    ) -> None:
        self._time_scale = time_scale
        self._log = log
        self._delete_webhook = delete_webhook
        self._senders: dict[str, WebhookSender] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._session: aiohttp.ClientSession | None = None
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to send, in the event loop that runs."""
        self._loop = asyncio.get_running_loop()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Stop all senders. What is undelivered stays in the backlogs."""
        self._loop = None
        for sender in self._senders.values():
            await sender.stop()
        self._senders.clear()
        if self._session:
            await self._session.close()

    def wake(self, bot: BotState, key: str) -> None:
        """Tell a bot's sender and its poll of a new update. Callable from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, bot, key)

    async def reset(self, bot: BotState) -> None:
        """Close the sender of a bot, and start one for the webhook that is set now."""
        if old := self._senders.pop(bot.token, None):
            await old.stop()
        bot.polling.news.set()
        if not bot.subscription.webhook.url or self._session is None:
            return
        reports = Reports(
            violation=self._log.violations.append,
            failed=lambda status: self._log.failures.update([status]),
            closed=lambda: self._close(bot),
        )
        sender = WebhookSender(bot, self._session, self._time_scale, reports)
        self._senders[bot.token] = sender
        sender.wake()

    def _wake(self, bot: BotState, key: str) -> None:
        bot.polling.news.set()
        if sender := self._senders.get(bot.token):
            sender.wake_queue(key)

    def _close(self, bot: BotState) -> None:
        self._delete_webhook(bot)
        self._closing = asyncio.get_running_loop().create_task(self.reset(bot))
