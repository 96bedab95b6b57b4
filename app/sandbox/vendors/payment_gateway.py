"""A payment gateway on loopback that speaks `plugins.payments.signed`.

Nobody pays here: a test, or a person at the demo, says that an invoice is paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble
from plugins.payments.signed import SIGNATURE, encode_body, sign

SECRET: Final = "only for the sandbox"  # noqa: S105 - it opens nothing


class GatewayDouble(VendorDouble):
    """Keeps invoices by `ref`; `pay` and `notice` are the buyer and the gateway's push."""

    def __init__(self, *, merchant: str = "gatepost", secret: str = SECRET) -> None:
        super().__init__()
        self.merchant = merchant
        self.secret = secret
        self.url = ""
        self.invoices: dict[str, dict[str, Any]] = {}

    @property
    def settings(self) -> dict[str, str]:
        """What PAYMENT_SETTINGS holds for this gateway."""
        return {"url": self.url, "merchant": self.merchant, "secret": self.secret}

    def answer(self, call: VendorCall) -> Reply:
        """Make an invoice, or tell of one."""
        ref = call.path.rpartition("/")[2]
        if call.method == "GET":
            if call.headers.get(SIGNATURE.lower()) != sign(ref.encode(), self.secret):
                return Reply(403, {"error": "signature"})
            if ref not in self.invoices:
                return Reply(404, {"error": "invoice"})
            return self._told(ref)
        if call.headers.get(SIGNATURE.lower()) != sign(encode_body(call.body or {}), self.secret):
            return Reply(403, {"error": "signature"})
        if call.body.get("merchant") != self.merchant:
            return Reply(403, {"error": "merchant"})
        self.invoices.setdefault(call.body["ref"], {**call.body, "status": "new"})
        return Reply(200, {"url": f"{self.url}/pay/{call.body['ref']}"})

    def pay(self, ref: str, **changes: Any) -> None:
        """Someone pays; `changes` for a gateway that takes another amount."""
        with self._lock:
            self.invoices[ref] |= {"status": "paid", **changes}

    def notice(self, ref: str) -> tuple[bytes, Mapping[str, str]]:
        """What the gateway would push now: body and headers."""
        said = self._told(ref)
        return said.data, {**said.headers, "Content-Type": "application/json"}

    def _told(self, ref: str) -> Reply:
        invoice = self.invoices[ref]
        body = encode_body(
            {name: invoice[name] for name in ("ref", "status", "amount", "currency")}
        )
        return Reply(200, body, {SIGNATURE: sign(body, self.secret)})
