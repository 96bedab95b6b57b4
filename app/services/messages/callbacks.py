"""Answers that Telegram waits for only seconds: to a pressed button, and to a checkout.

Best effort. Nothing is kept: a press that is not answered spins for a while,
and a checkout that is not answered within ten seconds is called off by
Telegram before anybody has paid.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import closing
from typing import Final

import structlog

from app.outbound import telegram
from app.outbound.transport import Answer, Transport
from plugins.contract import Request

log = structlog.get_logger()

SECONDS: Final = 3.0
TRIES: Final = 3  # three times three seconds, of the ten that a checkout has
PAUSE: Final = 0.2
WAITING: Final = 100  # how many are kept; older ones spin
LONGEST: Final = 200  # characters that answerCallbackQuery takes; for checkouts no limit is told


class CallbackAnswers:
    """Collects answers during a transaction, and sends them after it."""

    def __init__(self) -> None:
        self._waiting: deque[Request] = deque(maxlen=WAITING)
        self._checkouts: deque[Request] = deque()
        self._thread: threading.Thread | None = None

    def add(self, base_url: str, token: str, query: str, text: str) -> None:
        """Answer the press `query` with `text`, once `send` is called."""
        params = {"callback_query_id": query, "text": text[:LONGEST]}
        self._waiting.append(telegram.build("answerCallbackQuery", params, token, base_url))

    def answer_checkout(self, base_url: str, token: str, query: str, objection: str) -> None:
        """Let the checkout `query` go on, or with an objection call it off, once `send` is called.

        https://core.telegram.org/bots/api#answerprecheckoutquery.
        """
        params: dict[str, object] = {"pre_checkout_query_id": query, "ok": not objection}
        if objection:
            params["error_message"] = objection[:LONGEST]
        self._checkouts.append(telegram.build("answerPreCheckoutQuery", params, token, base_url))

    def forget(self) -> None:
        """Drop what waits: its transaction did not come true, and will be tried again."""
        self._checkouts.clear()
        self._waiting.clear()

    def send(self) -> None:
        """Send what waits, checkouts first, from a thread of its own. Call it after the commit."""
        batch = [
            each.popleft() for each in (self._checkouts, self._waiting) for _ in range(len(each))
        ]
        if batch:
            self._thread = threading.Thread(
                target=_send, args=(batch,), daemon=True, name="callbacks"
            )
            self._thread.start()

    def join(self) -> None:
        """Wait until what was sent last has been answered."""
        if self._thread is not None:
            self._thread.join()


def _send(batch: list[Request]) -> None:
    transport = Transport(trusted=True, total_seconds=SECONDS, max_body=telegram.MAX_BODY)
    with closing(transport):
        for attempt in range(TRIES):
            time.sleep(attempt * PAUSE)
            answers = list(transport.exchange(batch))
            batch = [batch[int(str(one.tag))] for one in answers if _was_unheard(one)]
            if not batch:
                return
    log.info("callbacks.unanswered", count=len(batch))


def _was_unheard(answer: Answer) -> bool:
    """Whether Telegram may not have heard: no answer, a fault of its own, or too many calls."""
    return answer.response is None or answer.response.status == 429 or answer.response.status >= 500


#: Of this process.
CALLBACK_ANSWERS: Final = CallbackAnswers()
