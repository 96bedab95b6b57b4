"""The sender of webhooks, as Telegram's own (WebhookActor.cpp) behaves.

Every update belongs to a queue. A queue has one update in flight; its head
must be taken or expire before the next one leaves. The first failure is
tried again at once, later ones after 2, 4, 8… seconds. All waits are
multiplied by `time_scale`, so that a day fits into a test.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from typing import Any, Final

import aiohttp

from app.domain.time_ranges import DAY
from app.sandbox.telegram.state import BotState, Queued

_CHAT_KINDS: Final = {"message", "edited_message", "channel_post", "edited_channel_post"}
_PERSON_KINDS: Final = {
    "callback_query", "inline_query", "chosen_inline_result", "shipping_query",
    "pre_checkout_query",
}  # fmt: skip
_LIVES: Final = {
    "callback_query": 150.0,
    "shipping_query": 150.0,
    "pre_checkout_query": 150.0,
    "inline_query": 30.0,
    "chosen_inline_result": 600.0,
}

_GONE_SECONDS: Final = 23 * 3600.0
_MAX_RETRY_AFTER: Final = 3600
_MAX_ANSWER: Final = 64 * 1024
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 a name, not a secret


def kind_of(update: dict[str, Any]) -> str:
    """The name of the one field beside `update_id`; empty if there is none."""
    return next((name for name in update if name != "update_id"), "")


def queue_key(update: dict[str, Any]) -> str:
    """The queue of an update: order holds only inside one."""
    kind = kind_of(update)
    if kind == "chat_member":
        return f"member:{_at(update, kind, 'new_chat_member', 'user', 'id')}"
    if kind == "chat_join_request":
        return f"member:{_at(update, kind, 'from', 'id')}"
    if kind in _PERSON_KINDS:
        return f"{kind}:{_at(update, kind, 'from', 'id')}"
    chat = _at(update, kind, "chat", "id")
    return f"chat:{chat}" if kind in _CHAT_KINDS else f"{kind}:{chat}"


def _at(value: Any, *path: str) -> Any:
    """What stands there; None when the update has another shape."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


class WebhookSender:
    """Sends one bot's updates to its webhook. Lives in the double's loop."""

    def __init__(
        self,
        bot: BotState,
        session: aiohttp.ClientSession,
        *,
        time_scale: float,
        read_seconds: float,
        violation: Callable[[str], None],
        failed: Callable[[int], None],
        closed: Callable[[], None],
    ) -> None:
        self._bot = bot
        self._hook = bot.webhook
        self._session = session
        self._scale = time_scale
        self._timeout = aiohttp.ClientTimeout(total=read_seconds)
        self._violation = violation
        self._failed = failed
        self._closed = closed
        self._places = asyncio.Semaphore(self._hook.max_connections)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._gone_since: float | None = None

    def wake(self) -> None:
        """See to it that every queue with an update has someone at work."""
        for key in self._bot.busy_lanes():
            self.wake_queue(key)

    def wake_queue(self, key: str) -> None:
        """See to it that this queue has someone at work."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._drain(key))

    async def stop(self) -> None:
        """Close the hook: what is in flight counts as not delivered."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(self, key: str) -> None:
        while (queued := self._bot.head(key)) is not None:
            await self._deliver(queued)
            self._bot.settle(queued)
        del self._tasks[key]  # with no await since the last look, so no wake falls between

    async def _deliver(self, queued: Queued) -> None:
        """Return when the update is taken or expired."""
        tries = 0
        while queued.number in self._bot.pending:
            async with self._places:
                taken, retry_after = await self._post(queued)
            if taken:
                return
            tries += 1
            wait = self._wait(tries, retry_after)
            if time.time() + wait > queued.pushed + self._life(queued):
                return
            await asyncio.sleep(wait)

    def _wait(self, tries: int, retry_after: int | None) -> float:
        """Seconds to the next try. The ceiling is drawn, as Telegram does."""
        if retry_after is not None:
            return min(retry_after, _MAX_RETRY_AFTER) * self._scale
        if tries == 1:
            return 0.0
        return float(min(2 ** min(tries - 1, 10), random.randint(60, 120)) * self._scale)

    def _life(self, queued: Queued) -> float:
        """Seconds until Telegram gives an update up.

        Telegram counts from the event's own date; here the push counts, so
        that a story may be set in the past.
        """
        return _LIVES.get(kind_of(queued.update), DAY) * self._scale

    async def _post(self, queued: Queued) -> tuple[bool, int | None]:
        """One try: whether it was taken, and the wait that was asked for."""
        headers = {"Content-Type": "application/json"}
        if self._hook.secret:
            headers[SECRET_HEADER] = self._hook.secret
        try:
            async with self._session.post(
                self._hook.url,
                data=json.dumps(queued.update).encode(),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            ) as answer:
                body = await answer.content.read(_MAX_ANSWER)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._note(0, f"Connection failed: {type(error).__name__}")
            return False, None
        self._look_for_method(queued, body)
        if 200 <= answer.status < 300:
            self._gone_since = None
            return True, None
        self._note(answer.status, f"Wrong response from the webhook: {answer.status}")
        self._look_for_gone(answer.status)
        asked = answer.headers.get("Retry-After", "")
        return False, int(asked) if asked.isascii() and asked.isdigit() else None

    def _note(self, status: int, text: str) -> None:
        self._bot.last_error = (int(time.time()), text)
        self._failed(status)

    def _look_for_method(self, queued: Queued, body: bytes) -> None:
        """An answer that names a method is run by Telegram: a command channel."""
        try:
            said = json.loads(body) if body.strip() else None
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict) and "method" in said:
            self._violation(
                f"the answer to update {queued.update_id} asks to run {said['method']!r}"
            )

    def _look_for_gone(self, status: int) -> None:
        """A day of nothing but 410 closes the hook."""
        if status != 410:
            self._gone_since = None
            return
        self._gone_since = self._gone_since or time.time()
        if time.time() - self._gone_since >= _GONE_SECONDS * self._scale:
            self._closed()
