"""A gateway of three signed JSON messages: the sandbox speaks it, and so may a bridge of yours.

Every body is signed by HMAC-SHA256 with the shared secret, in hex, in the
header X-Signature; a GET signs the invoice's `ref`.

- POST {url}/invoices with merchant, ref, amount, currency, description,
  notice_url, return_url → 200 {"url": …}
- the gateway POSTs to notice_url: ref, status ("paid" or another word), amount, currency
- GET {url}/invoices/{ref} → 200 with the same fields
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from plugins.contract import Request, Response
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


def packed(fields_: Mapping[str, Any]) -> bytes:
    """A body as it is signed."""
    return json.dumps(fields_, sort_keys=True, separators=(",", ":")).encode()


@gatewayimpl
def gateway_schema() -> Schema:
    """See `GatewaySettings`."""
    return GatewaySettings()


@gatewayimpl
def build_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Request:
    """Make an invoice in the operator's currency."""
    body = packed(
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
    said = response.json()
    url = said.get("url") if isinstance(said, dict) and response.status == 200 else None
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise Refused(f"the gateway gave no page to pay on: HTTP {response.status}")
    return url


@gatewayimpl
def read_notice(notice: Notice, settings: Mapping[str, Any]) -> Confirmation:
    """What the gateway pushed."""
    return _confirmation(notice.body, notice.headers, settings)


@gatewayimpl
def build_check(ref: str, settings: Mapping[str, Any]) -> Request:
    """Ask for one invoice."""
    signature = sign(ref.encode(), settings["secret"])
    return Request("GET", f"{settings['url'].rstrip('/')}/invoices/{ref}", {SIGNATURE: signature})


@gatewayimpl
def read_check(response: Response, ref: str, settings: Mapping[str, Any]) -> Confirmation:
    """What became of it."""
    if response.status != 200:
        raise Refused(f"the gateway answered HTTP {response.status}")
    told = _confirmation(response.body, response.headers, settings)
    if told.ref != ref:
        raise Refused("the gateway told of another invoice")
    return told


def _confirmation(
    body: bytes, headers: Mapping[str, str], settings: Mapping[str, Any]
) -> Confirmation:
    given = headers.get(SIGNATURE.lower(), "").encode("utf-8", "replace")
    if not hmac.compare_digest(given, sign(body, settings["secret"]).encode()):
        raise Refused("the signature is wrong")
    try:
        said = json.loads(body)
        return Confirmation(
            str(said["ref"]), said["status"] == "paid", int(said["amount"]), str(said["currency"])
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Refused("the gateway's message cannot be read") from error
