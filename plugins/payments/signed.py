"""A gateway of three signed JSON messages: the sandbox speaks it, and so may a bridge of yours.

Every body is signed by HMAC-SHA256 with the shared secret, in hex, in the
header X-Signature; a GET signs the invoice's `ref`.

- POST {url}/invoices with merchant, ref, amount, currency, description,
  notice_url, return_url → 200 {"url": …}
- the gateway POSTs to notice_url: ref, status ("paid" or another word), amount, currency
- GET {url}/invoices/{ref} → 200 with the same fields
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from plugins.contract import Request, Response, translatable
from plugins.payments.contract import Confirmation, Invoice, Notice, Refused, gatewayimpl

SIGNATURE: Final = "X-Signature"


class GatewaySettings(Schema):
    """PAYMENT_SETTINGS of the signed gateway."""

    url = fields.Url(required=True, schemes={"http", "https"}, require_tld=False)
    merchant = fields.String(required=True, validate=validate.Length(1, 64))
    secret = fields.String(required=True, validate=validate.Length(16, 256))
    currency = fields.String(load_default="USD", validate=validate.OneOf(("USD", "RUB")))


def sign(text: bytes, secret: str) -> str:
    """The signature of a body, or of a `ref`."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def encode_body(values: Mapping[str, Any]) -> bytes:
    """The JSON body of a message, in the form that is signed."""
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode()


@gatewayimpl
def gateway_schema() -> Schema:
    """See `GatewaySettings`."""
    return GatewaySettings()


@gatewayimpl
def build_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Request:
    """Make an invoice in the operator's currency."""
    body = encode_body(
        {
            "merchant": settings["merchant"],
            "ref": invoice.ref,
            "amount": invoice.prices[settings["currency"]],
            "currency": settings["currency"],
            "description": invoice.description,
            "notice_url": invoice.notice_url,
            "return_url": invoice.return_url,
        }
    )
    headers = {
        "Content-Type": "application/json",
        SIGNATURE: sign(body, settings["secret"]),
    }
    return Request("POST", f"{settings['url'].rstrip('/')}/invoices", headers, body)


@gatewayimpl
def read_invoice(response: Response) -> str:
    """The page to pay on."""
    answer = response.json()
    url = answer.get("url") if isinstance(answer, dict) and response.status == 200 else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise Refused(
            translatable(
                "the gateway gave no page to pay on: HTTP %(status)s", status=response.status
            )
        )
    return url


@gatewayimpl
def read_notice(notice: Notice, settings: Mapping[str, Any]) -> Confirmation:
    """The confirmation that the gateway pushed."""
    return _confirmation(notice.body, notice.headers, settings)


@gatewayimpl
def build_check(ref: str, settings: Mapping[str, Any]) -> Request:
    """Ask for one invoice."""
    signature = sign(ref.encode(), settings["secret"])
    return Request("GET", f"{settings['url'].rstrip('/')}/invoices/{ref}", {SIGNATURE: signature})


@gatewayimpl
def read_check(response: Response, ref: str, settings: Mapping[str, Any]) -> Confirmation:
    """The confirmation of the invoice `ref`."""
    if response.status != 200:
        raise Refused(translatable("the gateway answered HTTP %(status)s", status=response.status))
    confirmation = _confirmation(response.body, response.headers, settings)
    if confirmation.ref != ref:
        raise Refused(translatable("the gateway told of another invoice"))
    return confirmation


def _confirmation(
    body: bytes, headers: Mapping[str, str], settings: Mapping[str, Any]
) -> Confirmation:
    signature = headers.get(SIGNATURE.lower(), "").encode("utf-8", "replace")
    if not hmac.compare_digest(signature, sign(body, settings["secret"]).encode()):
        raise Refused(translatable("the signature is wrong"))
    try:
        message = json.loads(body)
        return Confirmation(
            str(message["ref"]),
            message["status"] == "paid",
            _whole(message["amount"]),
            str(message["currency"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused(translatable("the gateway's message cannot be read")) from error


def _whole(amount: Any) -> int:
    """Return an amount in whole units. Raises ValueError or TypeError for anything else."""
    if isinstance(amount, float) and not amount.is_integer():  # so are infinity and NaN
        raise ValueError
    return int(amount)
