"""A customer's own server on loopback: takes signed webhooks and refuses all others.

As Standard Webhooks 1.0 asks of receivers: the timestamp and the signature are
checked, and an id that came before is answered well and not counted. The
statuses 204 and 401 and the five minutes are ours.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

TOLERANCE_SECONDS: Final = 300


class ReceiverDouble(VendorDouble):
    """Answers at any path. `secrets` are those it accepts, `clock` gives Unix seconds.

    `events` holds each event once, by its webhook-id.
    """

    def __init__(self, *secrets: str, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self.secrets = set(secrets)
        self.events: dict[str, dict[str, Any]] = {}
        self.clock = clock

    def answer(self, call: VendorCall) -> Reply:
        """Answer 204 to what is signed, 401 to the rest."""
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
    """Return the signature by the standard's text; the adapter's own is compared with it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
