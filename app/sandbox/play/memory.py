"""What the sandbox finds again after a restart: bots, their update ids, and their chats.

Telegram's numbers rise; one that comes again is taken for a repeated update
and dropped. So the file holds a number that is MARGIN higher while the sandbox
runs, and after a crash some numbers are left out, never used twice.
"""

import json
from pathlib import Path
from typing import Any, Final

from app.sandbox.telegram.bot.state import as_json, from_json
from app.sandbox.telegram.server import BotApiDouble

MARGIN: Final = 1000


class Unreadable(Exception):
    """The file holds something else; the text is for the person who named it."""


class Memory:
    """One file of JSON. Only its owner may read it: it holds tokens and secrets."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved: list[dict[str, Any]] = []

    def restore(self, double: BotApiDouble) -> None:
        """Make the bots of the file known. Raises Unreadable and OSError."""
        try:
            text = self._path.read_text()
        except FileNotFoundError:
            return
        try:
            for data in json.loads(text)["bots"]:
                double.restore(from_json(data))
        except (KeyError, TypeError, ValueError) as error:
            raise Unreadable(f"{self._path} was not written by the sandbox: {error!r}") from None

    def save(self, double: BotApiDouble, margin: int = MARGIN) -> None:
        """Write what has changed; 0 as the margin is for the last time. Raises OSError."""
        with double.locked:
            bots = [as_json(bot) for bot in double.bots()]
        if margin and not self._is_due(bots, margin):
            return
        self._saved = [bot | {"next_update_id": bot["next_update_id"] + margin} for bot in bots]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_name(f"{self._path.name}.new")
        new.unlink(missing_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps({"bots": self._saved}, indent=1))
        new.replace(self._path)

    def _is_due(self, bots: list[dict[str, Any]], margin: int) -> bool:
        """Return whether the file is old, or half of the margin is used up."""
        if len(bots) != len(self._saved):
            return True
        for bot, saved in zip(bots, self._saved, strict=True):
            left = saved["next_update_id"] - bot["next_update_id"]
            same = bot | {"next_update_id": 0} == saved | {"next_update_id": 0}
            if not same or left < margin // 2:
                return True
        return False
