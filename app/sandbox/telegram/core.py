"""The bots of a double and what happens to them, under one lock."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.bot.update_kinds import kind_of
from app.sandbox.telegram.call import Caller, Rules
from app.sandbox.telegram.log import Log
from app.sandbox.telegram.methods.webhooks import delete_webhook
from app.sandbox.telegram.senders import Senders

T = TypeVar("T")


class Core:
    """Holds the bots. Callable from any thread. `clock` gives Unix seconds."""

    def __init__(self, rules: Rules, time_scale: float, clock: Callable[[], float]) -> None:
        self.log = Log()
        self.lock = threading.RLock()
        self.bots: dict[str, BotState] = {}
        self.senders = Senders(time_scale, self.log, lambda bot: self.run(delete_webhook, bot))
        self._rules, self._clock = rules, clock

    def run(
        self, act: Callable[[Caller], T], bot: BotState, params: Mapping[str, Any] | None = None
    ) -> T:
        """Let a method act for a bot, and return what it returns. Raises what it raises."""
        with self.lock:
            return act(Caller(bot, params or {}, self._rules, self._clock()))

    def push(self, token: str, update: dict[str, Any]) -> int:
        """Let an update happen. See `BotApiDouble.push`."""
        bot = self.bots[token]
        with self.lock:
            update = bot.chats.apply(update, self._clock())
            if not bot.subscription.wants(kind_of(update)) and kind_of(update):
                return 0
            queued = bot.backlog.add(update, time.time())
        self.senders.wake(bot, queued.key)
        return queued.update_id
