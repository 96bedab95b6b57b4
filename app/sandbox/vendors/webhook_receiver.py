"""A customer's own server on loopback: takes signed webhooks and believes no others.

As Standard Webhooks 1.0 asks of receivers: the signature first, then the
age of the try, and an id that came before is answered well and not counted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

TOLERANCE_SECONDS: Final = 300


class ReceiverDouble(VendorDouble):
    """Any path. `secrets` are those it accepts, `clock` gives Unix seconds."""

    def __init__(self, *secrets: str, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.secrets = set(secrets)
        self.events: dict[str, dict[str, Any]] = {}  #: each once, by webhook-id
        self.clock = clock

    def answer(self, call: VendorCall) -> Reply:
        """204 for what is signed, 401 for the rest."""
        key, at, signed = (
            call.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
        )
        if not at.isdigit() or abs(self.clock() - int(at)) > TOLERANCE_SECONDS:
            return Reply(401, {"error": "too old or too new"})
        good = {_signature(secret, f"{key}.{at}.".encode() + call.raw) for secret in self.secrets}
        if good.isdisjoint(signed.split(" ")):
            return Reply(401, {"error": "no signature that fits"})
        self.events.setdefault(key, call.body)
        return Reply(204, b"")


def _signature(secret: str, signed: bytes) -> str:
    """As the standard says, and not as the adapter does: it is what is held to it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
