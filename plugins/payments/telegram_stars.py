"""Telegram Stars: plans are paid for in Telegram, to the operator's service bot.

The page to pay on is an invoice link, https://t.me/$…, which opens the payment
at once in any app of Telegram. What follows comes to the service bot as updates,
so there is no notice and no check here: Telegram asks whether the invoice may be
paid, then tells that it was paid, and perhaps that it was refunded.

This module holds the rules, as pure functions: prices, requests, what an answer
means, which checkout is refused, and what an update confirms. The service
`app.services.billing.stars` talks to Telegram: it takes the updates, finds the
payment, answers the person, and records what this module confirms.

Rules of Telegram, https://core.telegram.org/bots/payments-stars
and https://core.telegram.org/bots/api#createinvoicelink, Bot API 10.3:

- what is digital is sold in Stars only: currency XTR, an empty provider token,
  exactly one price, whole Stars;
- title 1-32 characters, description 1-255, payload 1-128 bytes;
- the bot must answer /paysupport, and give back what was paid by mistake.
"""

import enum
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins.contract import Request, Response, translatable
from plugins.payments.contract import (
    BuyerUnknown,
    Confirmation,
    Invoice,
    Price,
    Received,
    Refused,
    gatewayimpl,
)

NAME: Final = "telegram_stars"
CURRENCY: Final = "XTR"
MAX_TITLE: Final = 32
MAX_DESCRIPTION: Final = 255
#: A guard against a slip of the operator; Telegram's own limits are lower and change.
MAX_STARS: Final = 1_000_000
#: As good as a refund: https://core.telegram.org/method/payments.refundStarsCharge.
ALREADY_REFUNDED: Final = "CHARGE_ALREADY_REFUNDED"

_STARS: Final = fields.Integer(strict=True, validate=validate.Range(1, MAX_STARS))


class StarsSettings(Schema):
    """PAYMENT_SETTINGS of Telegram Stars.

    A plan's price stands in `stars`, or follows from its price in dollars by
    `stars_per_usd`, rounded up. `support` is the contact that /paysupport answers.
    """

    stars = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 16)), values=_STARS, load_default=dict
    )
    stars_per_usd = fields.Float(
        load_default=None, validate=validate.Range(0, 10_000, min_inclusive=False)
    )
    support = fields.String(required=True, validate=validate.Length(2, 200))
    service_bot_token = fields.String(
        required=True,
        validate=validate.Length(
            1, error=translatable("set SERVICE_BOT_TOKEN: it is the bot that sells")
        ),
    )
    telegram_api_url = fields.String(required=True)

    @validates_schema(skip_on_field_errors=True)
    def _has_a_price(self, data: Mapping[str, Any], **_: Any) -> None:
        if not data["stars"] and data["stars_per_usd"] is None:
            raise ValidationError(translatable("give stars, stars_per_usd, or both"), "stars")


@gatewayimpl
def gateway_schema() -> Schema:
    """See `StarsSettings`."""
    return StarsSettings()


@gatewayimpl
def price_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Price:
    """The operator's price in Stars."""
    if invoice.plan in settings["stars"]:
        return Price(settings["stars"][invoice.plan], CURRENCY)
    if settings["stars_per_usd"] is None or not invoice.prices.get("USD"):
        raise Refused(translatable("the plan %(plan)s has no price in Stars", plan=invoice.plan))
    return Price(math.ceil(invoice.prices["USD"] * settings["stars_per_usd"]), CURRENCY)


@gatewayimpl
def build_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Request:
    """Ask for an invoice link. Its payload is the payment's `ref`."""
    if invoice.buyer is None:
        raise BuyerUnknown(
            translatable("Stars are paid in Telegram, and this account has nobody there")
        )
    price = price_invoice(invoice, settings)
    params = {
        "title": invoice.description[:MAX_TITLE],
        "description": invoice.description[:MAX_DESCRIPTION],
        "payload": invoice.ref,
        "provider_token": "",
        "currency": price.currency,
        "prices": [{"label": invoice.description[:MAX_TITLE], "amount": price.amount}],
    }
    return _call("createInvoiceLink", params, settings)


@gatewayimpl
def read_invoice(response: Response) -> str:
    """The invoice link."""
    url = _result(response)
    if not isinstance(url, str) or not url.startswith("https://"):
        raise Refused(translatable("Telegram gave no invoice link"))
    return url


class Objection(enum.StrEnum):
    """Why a checkout is refused."""

    NOT_SOLD = "not sold"  #: the operator sells by another gateway now
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    BANNED = "banned"
    PAID = "paid"
    PRICE = "price"
    ACTIVE = "active"


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice as it stands when Telegram asks whether it may be paid.

    `buyer` is the Telegram id of the person whose account it was made for.
    `may_choose` is false while the account's plan has too long to go.
    """

    price: Price
    buyer: int | None
    is_paid: bool
    is_banned: bool
    may_choose: bool


def checkout_objection(invoice: OpenInvoice | None, price: Price, payer: int) -> Objection | None:
    """Judge a checkout: `payer` is about to pay `price`. None if it may go on.

    Anybody may open an invoice link, and an old one still opens: so only the account's
    own person may pay, and only the price that the invoice was made with.
    """
    if invoice is None:
        return Objection.UNKNOWN
    reasons = {
        Objection.FOREIGN: invoice.buyer != payer,
        Objection.BANNED: invoice.is_banned,
        Objection.PAID: invoice.is_paid,
        Objection.PRICE: invoice.price != price,
        Objection.ACTIVE: not invoice.may_choose,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def confirmation(
    payload: str, price: Price, charge: str, payer: int | None, *, is_refund: bool
) -> Confirmation:
    """What a `successful_payment` or a `refunded_payment` says of the invoice `payload`.

    Telegram does not name the payer of a refund.
    """
    return Confirmation(payload, not is_refund, price.amount, price.currency, charge, payer)


@gatewayimpl
def build_refund(received: Received, settings: Mapping[str, Any]) -> Request:
    """Give the Stars back to the person who paid them."""
    if not received.charge or received.payer is None:
        raise Refused(translatable("it is not known who paid this, or by which charge"))
    params = {"user_id": received.payer, "telegram_payment_charge_id": received.charge}
    return _call("refundStarPayment", params, settings)


@gatewayimpl
def read_refund(response: Response) -> bool:
    """Whether the Stars are back, now or since an earlier refund."""
    answer = response.json()
    if isinstance(answer, dict) and ALREADY_REFUNDED in str(answer.get("description", "")).upper():
        return True
    return _result(response) is True


def _call(method: str, params: Mapping[str, Any], settings: Mapping[str, Any]) -> Request:
    token = settings["service_bot_token"]
    return Request(
        "POST",
        f"{settings['telegram_api_url']}/bot{token}/{method}",
        {"Content-Type": "application/json"},
        json.dumps(params).encode(),
        secrets=(token,),
    )


def _result(response: Response) -> Any:
    """The `result` of a Bot API answer. Raises Refused for an error."""
    answer = response.json()
    if isinstance(answer, dict) and answer.get("ok") is True and response.status == 200:
        return answer.get("result")
    why = answer.get("description") if isinstance(answer, dict) else None
    reason = str(why or f"HTTP {response.status}")[:280]
    raise Refused(translatable("Telegram refused: %(reason)s", reason=reason))
