"""What a bot sells for Telegram Stars, who wants to pay, and what was paid. Plain data."""

import enum
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StarsInvoice:
    """What is sold. `amount` is in whole Stars."""

    title: str
    description: str
    payload: str
    currency: str
    amount: int


class CheckoutState(enum.StrEnum):
    """What became of a person's wish to pay. LATE: the bot did not answer in time."""

    WAITING = "waiting"
    PAID = "paid"
    REFUSED = "refused"
    LATE = "late"


@dataclass(slots=True)
class Checkout:
    """A person pressed Pay. `message` is the bot's reason to refuse, `charge` Telegram's id.

    `opened` is in Unix seconds.
    """

    opened: float
    person: dict[str, Any]
    invoice: StarsInvoice
    state: CheckoutState = CheckoutState.WAITING
    message: str = ""
    charge: str = ""


@dataclass(slots=True)
class Charge:
    """Stars that a bot got, and from whom. `is_back`: they were refunded."""

    person: dict[str, Any]
    invoice: StarsInvoice
    is_back: bool = False


@dataclass(slots=True)
class Shop:
    """Invoices by link or `chat/message`, checkouts by query id, charges by Telegram's id."""

    invoices: dict[str, StarsInvoice] = field(default_factory=dict)
    checkouts: dict[str, Checkout] = field(default_factory=dict)
    charges: dict[str, Charge] = field(default_factory=dict)
