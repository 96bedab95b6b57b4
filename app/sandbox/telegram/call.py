"""One call of the Bot API as a method sees it, and what the method answers."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.telegram.bot.state import BotState
from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.log import SentMessage


@dataclass(slots=True)
class Result:
    """What a method answers, and what it did on the way.

    `value` is the `result` of the answer. `then` is an update that follows.
    """

    value: Any
    description: str = ""
    sent: SentMessage | None = None
    webhook_changed: bool = False
    then: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs between the cloud and a Bot API server of one's own.

    `local`: http, any port and any address may be a webhook. `pace` is the
    least number of seconds between two setWebhook of a bot; the cloud wants
    about 1.
    """

    local: bool = True
    pace: float = 0.0


@dataclass(slots=True)
class Caller:
    """One call as a method sees it. `now` is in Unix seconds."""

    bot: BotState
    params: Mapping[str, Any]
    rules: Rules
    now: float

    def text(self, name: str) -> str:
        """Return a parameter as text, "" if it is absent."""
        value = self.params.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """Return a parameter as a whole number, the default if it is none."""
        try:
            return int(self.params.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        """Return whether a parameter says yes."""
        return self.text(name).lower() in ("true", "1", "yes")

    def structure(self, name: str) -> Any:
        """Return a parameter that is JSON, also inside a form; None if absent or broken."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return None

    def chat(self) -> int:
        """Return the `chat_id`. Raises Refusal.

        Ours: names of channels are not known here.
        """
        text = self.text("chat_id")
        if not text:
            raise Refusal(400, "Bad Request: chat_id is empty")
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise Refusal(400, "Bad Request: chat not found")
        return int(text)
