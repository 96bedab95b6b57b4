"""Parsing of updates about money: a checkout, a payment, a refund, a question.

`app.domain.telegram.updates` decides which parser is called.
Fields: https://core.telegram.org/bots/api#precheckoutquery,
#successfulpayment and #refundedpayment, Bot API 10.3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domain.storable_text import sanitize
from app.domain.telegram.fields import INT64, InvalidField, get_int, get_object, get_text

MAX_CHARGE: Final = 255
_SUPPORT: Final = re.compile(r"/paysupport(?:@\w+)?(?:\s.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PreCheckout:
    """A person is about to pay; Telegram waits ten seconds for our confirmation.

    `payload` is our reference of the invoice. `amount` is in the smallest
    units of `currency`; for XTR these are whole Stars. `query` is the id of the
    query to answer.
    """

    person: int
    language: str
    query: str
    payload: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class StarsPayment:
    """A payment, or with `is_back` its refund. `charge` is Telegram's id of the payment.

    `person` is the payer; None in a refund, where Telegram does not name one.
    """

    charge: str
    payload: str
    amount: int
    currency: str
    person: int | None
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class SupportAsked:
    """A person wrote /paysupport, which every bot that sells must answer."""

    person: int
    language: str


def checkout(query: Mapping[str, Any], _update_id: int) -> PreCheckout:
    """Parse a `pre_checkout_query`. Raises InvalidField."""
    person = get_object(query, "from")
    return PreCheckout(
        get_int(person, "id"),
        get_text(person, "language_code", 16),
        _exact(query, "id", 64),
        _exact(query, "invoice_payload", 128),
        get_int(query, "total_amount", low=0, high=INT64),
        get_text(query, "currency", 8),
    )


def in_message(message: Mapping[str, Any]) -> StarsPayment | SupportAsked | None:
    """Parse a private message about money; or None. Raises InvalidField."""
    if "successful_payment" in message:
        payer = get_int(get_object(message, "from"), "id")
        return _payment(get_object(message, "successful_payment"), payer, is_back=False)
    if "refunded_payment" in message:
        return _payment(get_object(message, "refunded_payment"), None, is_back=True)
    text = message.get("text")
    if not isinstance(text, str) or not _SUPPORT.fullmatch(text):
        return None
    person = get_object(message, "from")
    return SupportAsked(get_int(person, "id"), get_text(person, "language_code", 16))


def _payment(money: Mapping[str, Any], person: int | None, *, is_back: bool) -> StarsPayment:
    return StarsPayment(
        _exact(money, "telegram_payment_charge_id", MAX_CHARGE),
        _exact(money, "invoice_payload", 128),
        get_int(money, "total_amount", low=0, high=INT64),
        get_text(money, "currency", 8),
        person,
        is_back,
    )


def _exact(parent: Mapping[str, Any], name: str, size: int) -> str:
    """Get a text that is compared with others, so it is refused rather than cut or cleaned."""
    value = parent.get(name)
    if not isinstance(value, str) or not value or sanitize(value, size) != value:
        raise InvalidField(f"{name} is not a text of 1 to {size} characters")
    return value
