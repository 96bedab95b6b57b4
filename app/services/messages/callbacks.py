"""Answers that Telegram waits for only seconds: to a button, a checkout, a join request query.

Best effort, nothing is stored. A button without an answer shows a spinner for
a while; a checkout without an answer within ten seconds is cancelled by
Telegram before anybody has paid.
"""

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
MAX_BUTTONS: Final = 100  # answers to buttons that wait; older ones are dropped
MAX_TEXT: Final = 200  # characters of answerCallbackQuery; for checkouts none are documented


class CallbackAnswers:
    """Collects answers during a transaction and sends them after its commit."""

    def __init__(self) -> None:
        self._buttons: deque[Request] = deque(maxlen=MAX_BUTTONS)
        self._urgent: deque[Request] = deque()  # to checkouts and join request queries
        self._thread: threading.Thread | None = None

    def answer_button(self, base_url: str, token: str, query: str, text: str) -> None:
        """Answer the callback query `query` with `text` when `send` is called."""
        params = {"callback_query_id": query, "text": text[:MAX_TEXT]}
        self._buttons.append(telegram.build("answerCallbackQuery", params, token, base_url))

    def answer_checkout(self, base_url: str, token: str, query: str, objection: str) -> None:
        """Confirm the checkout `query`, or refuse it with an objection, when `send` is called.

        https://core.telegram.org/bots/api#answerprecheckoutquery.
        """
        params: dict[str, object] = {"pre_checkout_query_id": query, "ok": not objection}
        if objection:
            params["error_message"] = objection[:MAX_TEXT]
        self._urgent.append(telegram.build("answerPreCheckoutQuery", params, token, base_url))

    def answer_request(self, base_url: str, token: str, query: str) -> None:
        """Leave the join request query `query` among those that wait, when `send` is called."""
        params = {"chat_join_request_query_id": query, "result": "queue"}
        self._urgent.append(telegram.build("answerChatJoinRequestQuery", params, token, base_url))

    def forget(self) -> None:
        """Drop what was collected: the transaction was rolled back and will be repeated."""
        self._urgent.clear()
        self._buttons.clear()

    def send(self) -> None:
        """Send what was collected, buttons last, in a thread. Call it after the commit."""
        batch = [each.popleft() for each in (self._urgent, self._buttons) for _ in range(len(each))]
        if batch:
            self._thread = threading.Thread(
                target=_send, args=(batch,), daemon=True, name="callbacks"
            )
            self._thread.start()

    def join(self) -> None:
        """Wait until Telegram has taken what was sent last, or the tries are over."""
        if self._thread is not None:
            self._thread.join()


def _send(batch: list[Request]) -> None:
    transport = Transport(trusted=True, total_seconds=SECONDS, max_body=telegram.MAX_BODY)
    with closing(transport):
        for attempt in range(TRIES):
            time.sleep(attempt * PAUSE)
            answers = list(transport.exchange(batch))
            batch = [batch[int(str(answer.tag))] for answer in answers if _is_retryable(answer)]
            if not batch:
                return
    log.info("callbacks.unanswered", count=len(batch))


def _is_retryable(answer: Answer) -> bool:
    """Whether Telegram may not have heard: no answer, a fault of its own, or too many calls."""
    return answer.response is None or answer.response.status == 429 or answer.response.status >= 500


#: The answers of this process.
CALLBACK_ANSWERS: Final = CallbackAnswers()
