"""The sender of webhooks, as Telegram's own (WebhookActor.cpp) behaves.

Every update belongs to a queue. A queue has one update in flight; its head
must be taken or expire before the next one leaves. The first failure is
tried again at once, later ones after 2, 4, 8… seconds. All waits are
multiplied by `scale`, so that a day fits into a test. Not played: fewer
connections to a slow host, and addresses that Telegram remembers for 30 minutes.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from app.sandbox.telegram.bot.backlog import Queued
from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.bot.update_kinds import life_seconds

_GONE_SECONDS: Final = 23 * 3600.0
_MAX_RETRY_AFTER: Final = 3600
_READ_SECONDS: Final = 60.0  # for one answer
_MAX_ANSWER: Final = 64 * 1024
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 a name, not a secret


@dataclass(frozen=True, slots=True)
class Reports:
    """Whom a sender tells.

    `violation` gets a sentence about an answer that asks to run a method,
    `failed` the status of an answer that was no 2xx (0 for none), and `closed`
    is called when Telegram would delete the webhook.
    """

    violation: Callable[[str], None]
    failed: Callable[[int], None]
    closed: Callable[[], None]


class WebhookSender:
    """Sends one bot's updates to its webhook. Lives in the double's loop."""

    def __init__(
        self, bot: BotState, session: aiohttp.ClientSession, scale: float, reports: Reports
    ) -> None:
        self._bot = bot
        self._webhook = bot.subscription.webhook
        self._session = session
        self._scale = scale
        self._reports = reports
        self._free_connections = asyncio.Semaphore(self._webhook.max_connections)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._gone_since: float | None = None

    def wake(self) -> None:
        """Start a task for every queue that holds an update and has none."""
        for key in self._bot.backlog.busy_queues():
            self.wake_queue(key)

    def wake_queue(self, key: str) -> None:
        """Start a task for this queue, unless it has one."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._drain(key))

    async def stop(self) -> None:
        """Close the webhook: what is in flight counts as not delivered."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(self, key: str) -> None:
        while (queued := self._bot.backlog.head(key)) is not None:
            await self._deliver(queued)
            self._bot.backlog.settle(queued)
        del self._tasks[key]  # no await since `head`, so no wake is lost

    async def _deliver(self, queued: Queued) -> None:
        """Try until the update is taken or expired."""
        tries = 0
        while queued in self._bot.backlog:
            async with self._free_connections:
                taken, retry_after = await self._post(queued)
            if taken:
                return
            tries += 1
            wait = self._wait(tries, retry_after)
            if time.time() + wait > queued.pushed + self._life(queued):
                return
            await asyncio.sleep(wait)

    def _wait(self, tries: int, retry_after: int | None) -> float:
        """Return the seconds to the next try. The ceiling is random, as Telegram's is."""
        if retry_after is not None:
            return min(retry_after, _MAX_RETRY_AFTER) * self._scale
        if tries == 1:
            return 0.0
        return float(min(2 ** min(tries - 1, 10), random.randint(60, 120)) * self._scale)

    def _life(self, queued: Queued) -> float:
        """Return the seconds until an update expires.

        Telegram counts from the event's own date. Ours: the push counts, so
        that a play may be set in the past.
        """
        return life_seconds(queued.update) * self._scale

    async def _post(self, queued: Queued) -> tuple[bool, int | None]:
        """Try once. Return whether it was taken, and the seconds that the answer asks to wait."""
        headers = {"Content-Type": "application/json"}
        if self._webhook.secret:
            headers[SECRET_HEADER] = self._webhook.secret
        try:
            async with self._session.post(
                self._webhook.url,
                data=json.dumps(queued.update).encode(),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=_READ_SECONDS),
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(_MAX_ANSWER)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._note(0, f"Connection failed: {type(error).__name__}")
            return False, None
        self._check_for_method(queued, body)
        if 200 <= answer.status < 300:
            self._gone_since = None
            return True, None
        self._note(answer.status, f"Wrong response from the webhook: {answer.status}")
        self._check_for_gone(answer.status)
        asked = answer.headers.get("Retry-After", "")
        return False, int(asked) if asked.isascii() and asked.isdigit() else None

    def _note(self, status: int, text: str) -> None:
        self._bot.subscription.last_error = (int(time.time()), text)
        self._reports.failed(status)

    def _check_for_method(self, queued: Queued, body: bytes) -> None:
        """Report an answer that names a method: Telegram would run it."""
        try:
            content = json.loads(body) if body.strip() else None
        except (ValueError, RecursionError):
            return
        if isinstance(content, dict) and "method" in content:
            self._reports.violation(
                f"the answer to update {queued.update_id} asks to run {content['method']!r}"
            )

    def _check_for_gone(self, status: int) -> None:
        """Close the webhook after 23 hours of nothing but 410."""
        if status != 410:
            self._gone_since = None
            return
        self._gone_since = self._gone_since or time.time()
        if time.time() - self._gone_since >= _GONE_SECONDS * self._scale:
            self._reports.closed()
