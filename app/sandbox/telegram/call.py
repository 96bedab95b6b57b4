"""One call of the Bot API as a method sees it, and what it gives back."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.state import BotState, SentMessage


@dataclass(slots=True)
class Result:
    """What a method gives back, and what it did on the way. `then` is an update it leads to."""

    value: Any
    description: str = ""
    sent: SentMessage | None = None
    hook_changed: bool = False
    then: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What differs between the cloud and an own Bot API server."""

    local: bool = True  #: http, any port and any address may be a webhook
    pace: float = 0.0  #: seconds between two setWebhook of a bot; the cloud wants about 1


@dataclass(slots=True)
class Caller:
    """One call as a method sees it."""

    bot: BotState
    params: Mapping[str, Any]
    rules: Rules
    now: float = field(default_factory=time.time)

    def text(self, name: str) -> str:
        """A parameter as text; absent is empty."""
        value = self.params.get(name)
        return "" if value is None else str(value)

    def number(self, name: str, default: int = 0) -> int:
        """A parameter as a whole number; what is none is the default."""
        try:
            return int(self.params.get(name, default))
        except (TypeError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        """A parameter as yes or no."""
        return self.text(name).lower() in ("true", "1", "yes")

    def structure(self, name: str) -> Any:
        """A parameter that is JSON, also inside a form. None if absent or broken."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            return None

    def chat(self) -> int:
        """The `chat_id`. Names of channels are not known here."""
        text = self.text("chat_id")
        if not text:
            raise Refusal(400, "Bad Request: chat_id is empty")
        if not re.fullmatch(r"-?\d{1,18}", text):
            raise Refusal(400, "Bad Request: chat not found")
        return int(text)
