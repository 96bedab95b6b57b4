"""Telegram's public keys, fetched when one is missing and kept for an hour."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt

KEPT_SECONDS: Final = 3600.0
#: A token with an unknown key is no reason to ask more often than this.
ASKED_AGAIN_SECONDS: Final = 60.0


class SigningKeys:
    """Keys by their `kid`. `fetch` returns the JSON of a key set, None if nobody answers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched = self._asked = float("-inf")
        self._lock = threading.Lock()

    def find(self, key_id: str, fetch: Callable[[], Any]) -> jwt.PyJWK | None:
        """Return the key of this id; "" is the only one there is. None if there is none."""
        now = self._clock()
        if (key := self._known(key_id, now)) is not None:
            return key
        with self._lock:
            may_ask = now - self._asked >= ASKED_AGAIN_SECONDS
            if may_ask:
                self._asked = now
        if may_ask and (keys := _read(fetch())):
            self._keys, self._fetched = keys, now
        return self._known(key_id, now)

    def forget(self) -> None:
        """Ask anew at the next token."""
        self._keys, self._fetched, self._asked = {}, float("-inf"), float("-inf")

    def _known(self, key_id: str, now: float) -> jwt.PyJWK | None:
        if now - self._fetched > KEPT_SECONDS:
            return None
        if not key_id and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)


def _read(document: Any) -> dict[str, jwt.PyJWK]:
    """Return the keys of a set that we can use; others are none of ours."""
    listed = document.get("keys") if isinstance(document, dict) else None
    keys = {}
    for item in listed if isinstance(listed, list) else ():
        try:
            key = jwt.PyJWK.from_dict(item)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError):
            continue
        keys[str(key.key_id or "")] = key
    return keys
