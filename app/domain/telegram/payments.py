"""What updates say about money: a checkout, a payment, a refund, a question about one.

Only the readers and their values; `app.domain.telegram.updates` decides who reads.
Fields: https://core.telegram.org/bots/api#precheckoutquery,
#successfulpayment and #refundedpayment, Bot API 10.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domain.telegram.fields import INT64, Odd, clean, table, text, whole

MAX_CHARGE: Final = 255
_SUPPORT: Final = re.compile(r"/paysupport(?:@\w+)?(?:\s.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Checkout:
    """A person is about to pay, and Telegram waits ten seconds for our yes.

    `payload` is our own name of the invoice; `amount` is in the smallest units
    of `currency`, for XTR whole Stars. `query` is what is answered.
    """

    person: int
    language: str
    query: str
    payload: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Charged:
    """Money came, or with `is_back` went back. `charge` is Telegram's id of it.

    `person` is who paid; None in a refund, where Telegram does not say.
    """

    charge: str
    payload: str
    amount: int
    currency: str
    person: int | None
    is_back: bool = False


@dataclass(frozen=True, slots=True)
class SupportAsked:
    """A person wrote /paysupport, which every bot that sells has to answer."""

    person: int
    language: str


def checkout(query: Mapping[str, Any], _update_id: int) -> Checkout:
    """Read a `pre_checkout_query`. Raises Odd."""
    person = table(query, "from")
    return Checkout(
        whole(person, "id"),
        text(person, "language_code", 16),
        _exact(query, "id", 64),
        _exact(query, "invoice_payload", 128),
        whole(query, "total_amount", low=0, high=INT64),
        text(query, "currency", 8),
    )


def in_message(message: Mapping[str, Any]) -> Charged | SupportAsked | None:
    """Read a private message if it is about money. Raises Odd."""
    if "successful_payment" in message:
        payer = whole(table(message, "from"), "id")
        return _charged(table(message, "successful_payment"), payer, is_back=False)
    if "refunded_payment" in message:
        return _charged(table(message, "refunded_payment"), None, is_back=True)
    said = message.get("text")
    if not isinstance(said, str) or not _SUPPORT.fullmatch(said):
        return None
    person = table(message, "from")
    return SupportAsked(whole(person, "id"), text(person, "language_code", 16))


def _charged(told: Mapping[str, Any], person: int | None, *, is_back: bool) -> Charged:
    return Charged(
        _exact(told, "telegram_payment_charge_id", MAX_CHARGE),
        _exact(told, "invoice_payload", 128),
        whole(told, "total_amount", low=0, high=INT64),
        text(told, "currency", 8),
        person,
        is_back,
    )


def _exact(parent: Mapping[str, Any], name: str, size: int) -> str:
    """Take text that decides: a part of a name would be another name."""
    value = parent.get(name)
    if not isinstance(value, str) or not value or clean(value, size) != value:
        raise Odd(f"{name} is not a text of 1 to {size} characters")
    return value
