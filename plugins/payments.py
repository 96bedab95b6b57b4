"""What Gatepost and a payment gateway's adapter say to each other.

As with trackers: an adapter is pure, describes requests and reads answers;
Gatepost sends them, and keeps the books. Put the module into the entry point
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
    """What came is not what the gateway would have sent, or is no success. One sentence."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """What is to be paid. `prices` is in whole units by currency; any one of them will do.

    `notice_url` is where the gateway may push its confirmation and
    `return_url` where it may send the buyer; both may be empty.
    """

    ref: str
    prices: Mapping[str, int]
    description: str
    notice_url: str = ""
    return_url: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A request that claims to come from the gateway. Header names are lower-case."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the gateway says of one invoice, once its signature was found right."""

    ref: str
    is_paid: bool
    amount: int = 0
    currency: str = ""


@hookspec(firstresult=True)
def gateway_schema() -> marshmallow.Schema:  # type: ignore[empty-body]
    """What the operator must put into PAYMENT_SETTINGS, as a marshmallow Schema."""


@hookspec(firstresult=True)
def build_invoice(invoice: Invoice, settings: Mapping[str, Any]) -> Request:  # type: ignore[empty-body]
    """Ask the gateway for a page on which `invoice` can be paid."""


@hookspec(firstresult=True)
def read_invoice(  # type: ignore[empty-body]
    response: Response, invoice: Invoice, settings: Mapping[str, Any]
) -> str:
    """The address of that page. Raises Refused."""


@hookspec(firstresult=True)
def read_notice(notice: Notice, settings: Mapping[str, Any]) -> Confirmation:  # type: ignore[empty-body]
    """Read what the gateway pushed. Raises Refused for a wrong signature."""


@hookspec(firstresult=True)
def build_check(ref: str, settings: Mapping[str, Any]) -> Request:  # type: ignore[empty-body]
    """Ask the gateway what became of an invoice."""


@hookspec(firstresult=True)
def read_check(  # type: ignore[empty-body]
    response: Response, ref: str, settings: Mapping[str, Any]
) -> Confirmation:
    """Read its answer. Raises Refused."""


HOOKS: Final = (
    gateway_schema, build_invoice, read_invoice, read_notice, build_check, read_check,
)  # fmt: skip
