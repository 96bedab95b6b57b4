"""A payment gateway on loopback that speaks `plugins.payments.signed`.

The protocol is ours. Nobody pays: a test says that an invoice is paid.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble
from plugins.payments.signed import SIGNATURE, encode_body, sign

SECRET: Final = "only for the sandbox"


class GatewayDouble(VendorDouble):
    """Holds invoices by `ref`. `url` is where it is served; set it before use."""

    def __init__(self, *, merchant: str = "gatepost", secret: str = SECRET) -> None:
        super().__init__()
        self.merchant = merchant
        self.secret = secret
        self.url = ""
        self.invoices: dict[str, dict[str, Any]] = {}

    @property
    def settings(self) -> dict[str, str]:
        """Return what PAYMENT_SETTINGS holds for this gateway."""
        return {"url": self.url, "merchant": self.merchant, "secret": self.secret}

    def answer(self, call: VendorCall) -> Reply:
        """Make an invoice, or show one."""
        ref = call.path.rpartition("/")[2]
        if call.method == "GET":
            if call.headers.get(SIGNATURE.lower()) != sign(ref.encode(), self.secret):
                return Reply(403, {"error": "signature"})
            if ref not in self.invoices:
                return Reply(404, {"error": "invoice"})
            return self._signed(ref)
        if call.headers.get(SIGNATURE.lower()) != sign(encode_body(call.body or {}), self.secret):
            return Reply(403, {"error": "signature"})
        if call.body.get("merchant") != self.merchant:
            return Reply(403, {"error": "merchant"})
        self.invoices.setdefault(call.body["ref"], {**call.body, "status": "new"})
        return Reply(200, {"url": f"{self.url}/pay/{call.body['ref']}"})

    def pay(self, ref: str, **changes: Any) -> None:
        """A buyer pays; `changes` replace fields, such as the amount. Raises KeyError."""
        with self._lock:
            self.invoices[ref] |= {"status": "paid", **changes}

    def notice(self, ref: str) -> tuple[bytes, Mapping[str, str]]:
        """Return body and headers of what the gateway would push now. Raises KeyError."""
        reply = self._signed(ref)
        return reply.data, {**reply.headers, "Content-Type": "application/json"}

    def _signed(self, ref: str) -> Reply:
        invoice = self.invoices[ref]
        body = encode_body(
            {name: invoice[name] for name in ("ref", "status", "amount", "currency")}
        )
        return Reply(200, body, {SIGNATURE: sign(body, self.secret)})
