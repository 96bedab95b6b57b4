"""What delivery needs of the transport."""

from __future__ import annotations

from typing import Protocol

from app.outbound.transport import Answer
from plugins.contract import Request


class Exchange(Protocol):
    """What delivery needs of `outbound.transport.Transport`."""

    def start(self, request: Request, tag: object) -> None:
        """Send; the answer comes from `poll` under `tag`."""

    def poll(self, seconds: float) -> list[Answer]:
        """Answers that are ready, waiting at most `seconds` for the first."""

    def abort(self) -> list[object]:
        """Drop what is in the air; returns the tags."""
