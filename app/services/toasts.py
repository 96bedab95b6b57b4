"""Toasts: the word that Telegram shows when a button was pressed.

Best effort. Nobody waits for it, nothing is kept, and an answer that fails
leaves a button that spins for a few seconds.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import closing
from typing import Final

import structlog

from app.outbound import telegram
from app.outbound.transport import Transport
from plugins.contract import Request

log = structlog.get_logger()

SECONDS: Final = 3.0
WAITING: Final = 100  # how many are kept; older ones spin
LONGEST: Final = 200  # characters that answerCallbackQuery takes


class Toasts:
    """Collects answers during a transaction, and sends them after it."""

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque(maxlen=WAITING)
        self._thread: threading.Thread | None = None

    def add(self, base_url: str, token: str, query: str, text: str) -> None:
        """Answer the press `query` with `text`, once `send` is called."""
        params = {"callback_query_id": query, "text": text[:LONGEST]}
        self._waiting.append(telegram.build("answerCallbackQuery", params, token, base_url))

    def send(self) -> None:
        """Send what waits, from a thread of its own. Call it after the commit."""
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if batch:
            self._thread = threading.Thread(target=_send, args=(batch,), daemon=True, name="toasts")
            self._thread.start()

    def join(self) -> None:
        """Wait until what was sent last has been answered."""
        if self._thread is not None:
            self._thread.join()


def _send(batch: list[Request]) -> None:
    transport = Transport(trusted=True, total_seconds=SECONDS, max_body=telegram.MAX_BODY)
    with closing(transport):
        failed = sum(answer.response is None for answer in transport.exchange(batch))
    if failed:
        log.info("toasts.unanswered", count=failed)


#: Of this process.
TOASTS: Final = Toasts()
