"""What the Bot API double writes down: calls, messages, and how deliveries went."""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Final

MAX_KEPT: Final = 50_000


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a method, also a failed one. `time` is in Unix seconds."""

    time: float
    token: str
    method: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message that a bot sent. `text` is the caption of a photo or video.

    `text` is as the bot wrote it, `shown` as a reader sees it. `entities` are
    those that the bot gave, not those of a parse mode. `time` is in Unix seconds.
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


class Log:
    """Holds the newest MAX_KEPT calls and messages. Callable from any thread.

    `violations` are answers to webhooks that asked for a method, as sentences;
    `failures` counts the answers to webhooks that were no 2xx, 0 is no answer.
    """

    def __init__(self) -> None:
        self.violations: list[str] = []
        self.failures: Counter[int] = Counter()
        self._calls: deque[Call] = deque(maxlen=MAX_KEPT)
        self._sent: deque[SentMessage] = deque(maxlen=MAX_KEPT)
        self._followers: list[SimpleQueue[SentMessage | Call]] = []
        self._lock = threading.Lock()

    def follow(self) -> SimpleQueue[SentMessage | Call]:
        """Return a queue that gets each message from now on, and each call that succeeded."""
        queue: SimpleQueue[SentMessage | Call] = SimpleQueue()
        self._followers.append(queue)
        return queue

    def add_call(self, call: Call) -> None:
        """Write down a call."""
        with self._lock:
            self._calls.append(call)

    def add_sent(self, message: SentMessage) -> None:
        """Write down a message."""
        with self._lock:
            self._sent.append(message)
        self.publish(message)

    def publish(self, news: SentMessage | Call) -> None:
        """Tell followers of a message, or of a call that succeeded."""
        for queue in self._followers:
            queue.put(news)

    def sent(self, token: str | None = None) -> list[SentMessage]:
        """Return the messages of one bot or of all, oldest first."""
        with self._lock:
            return [message for message in self._sent if token in (None, message.token)]

    def calls(self, token: str | None = None, method: str | None = None) -> list[Call]:
        """Return the calls of one bot or of all, of one method or of all, oldest first."""
        with self._lock:
            return [
                call
                for call in self._calls
                if token in (None, call.token) and method in (None, call.method)
            ]
