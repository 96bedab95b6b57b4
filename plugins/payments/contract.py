"""The contract between Gatepost and the adapter of a payment gateway.

As with trackers, an adapter is pure: it describes requests and reads answers.
Gatepost sends them, and records payments. Put the module into the entry point
group `gatepost.gateways.v1`; the operator names it in PAYMENT_GATEWAY.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pluggy

from plugins.contract import PROJECT, Request, Response

if TYPE_CHECKING:
    import marshmallow

GATEWAYS_GROUP: Final = f"{PROJECT}.gateways.v1"

hookspec = pluggy.HookspecMarker(f"{PROJECT}_gateway")
gatewayimpl = pluggy.HookimplMarker(f"{PROJECT}_gateway")


class Refused(Exception):
    """The message does not come from the gateway, or is no success. The text is one sentence."""


class BuyerUnknown(Refused):
    """The gateway sells to people of Telegram only, and `Invoice.buyer` is None."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice for a plan. `prices` is in whole units by currency; any one of them may be paid.

    `notice_url` is where the gateway may push its confirmation and
    `return_url` where it may send the buyer; both may be empty. `plan` is the
    plan's code. `buyer` is the buyer's Telegram id, None where it is not known.
    """

    ref: str
    prices: Mapping[str, int]
    description: str
    notice_url: str = ""
    return_url: str = ""
    plan: str = ""
    buyer: int | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """An amount in whole units of a currency, at most 8 characters such as `XTR`."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A request that claims to come from the gateway. Header names are lower-case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The state of one invoice, from the gateway itself: the signature was checked.

    `charge` is the gateway's own id of the money that moved, where it has one:
    the same charge counts once, another one is another payment. `payer` is the
    Telegram id of the person who paid, where that is known.
    """

    ref: str
    is_paid: bool
    amount: int = 0
    currency: str = ""
    charge: str = ""
    payer: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A recorded payment, for a refund. `charge` and `payer` as in Confirmation."""

    ref: str
    amount: int
    currency: str
    charge: str = ""
    payer: int | None = None


@hookspec(firstresult=True)
def gateway_schema() -> marshmallow.Schema:  # type: ignore[empty-body]
    """What the operator must put into PAYMENT_SETTINGS, as a marshmallow Schema.

    Fields named `service_bot_token` and `telegram_api_url` are filled in from
    SERVICE_BOT_TOKEN and TELEGRAM_API_URL.
    """


@hookspec(firstresult=True)
def price_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Price:  # type: ignore[empty-body]
    """What this gateway asks for, if it is none of `invoice.prices`. Raises Refused.

    The price is kept with the payment: only that amount settles it, also if
    the settings say another one meanwhile.
    """


@hookspec(firstresult=True)
def build_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Request:  # type: ignore[empty-body]
    """Ask the gateway for a page on which `invoice` can be paid. Raises Refused."""


@hookspec(firstresult=True)
def read_invoice(  # type: ignore[empty-body]
    response: Response, invoice: Invoice, settings: Mapping[str, Any]
) -> str:
    """The address of that page. Raises Refused."""


@hookspec(firstresult=True)
def read_notice(notice: Notice, settings: Mapping[str, Any]) -> Confirmation:  # type: ignore[empty-body]
    """Read what the gateway pushed to `pay/acp`. Raises Refused for a wrong signature."""


@hookspec(firstresult=True)
def build_check(ref: str, settings: Mapping[str, Any]) -> Request:  # type: ignore[empty-body]
    """Ask the gateway what became of an invoice. Comes together with `read_check`."""


@hookspec(firstresult=True)
def read_check(  # type: ignore[empty-body]
    response: Response, ref: str, settings: Mapping[str, Any]
) -> Confirmation:
    """Read its answer. Raises Refused."""


@hookspec(firstresult=True)
def build_refund(received: Received, settings: Mapping[str, Any]) -> Request:  # type: ignore[empty-body]
    """Ask the gateway to give a payment back. Comes together with `read_refund`."""


@hookspec(firstresult=True)
def read_refund(response: Response, received: Received, settings: Mapping[str, Any]) -> bool:  # type: ignore[empty-body]
    """Read its answer: True once the money is back, also if it was before. Raises Refused."""


HOOKS: Final = (
    gateway_schema, price_invoice, build_invoice, read_invoice, read_notice,
    build_check, read_check, build_refund, read_refund,
)  # fmt: skip
REQUIRED: Final = (gateway_schema, build_invoice, read_invoice)
#: Hooks that only work together.
PAIRS: Final = ((build_check, read_check), (build_refund, read_refund))
