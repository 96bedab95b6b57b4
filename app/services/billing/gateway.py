"""The payment gateway of this installation, if the operator configured one.

This module exchanges messages with it; `tariffs` says what its answers mean for plans.
Hold no database connection meanwhile.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Final

import structlog
from flask import current_app

from app.config import BadSetting, Settings, current_settings
from app.domain import tariffs
from app.domain.tariffs import Plan
from app.domain.time_ranges import DAY
from app.errors import BadKey, NoGateway, translatable
from app.outbound.transport import Transport
from app.web.request_slots import slot_released
from plugins.contract import PROJECT, Request, Response
from plugins.payments import registry
from plugins.payments.contract import (
    BuyerUnknown,
    Confirmation,
    Invoice,
    Notice,
    Price,
    Received,
    Refused,
)
from plugins.payments.registry import Gateway

log = structlog.get_logger()

#: The gateway takes any of the plan's own prices.
NO_PRICE: Final = Price(0, "")


def configured(settings: Settings) -> Gateway | None:
    """The gateway that the environment names. Raises BadSetting; None if it names none."""
    if not settings.payment_gateway:
        return None
    environment = {
        "service_bot_token": settings.service_bot_token,
        "telegram_api_url": settings.telegram_api_url,
    }
    try:
        return registry.load(
            settings.payment_gateway, json.loads(settings.payment_settings), environment
        )
    except registry.NotAGateway as error:
        raise BadSetting(f"PAYMENT_GATEWAY or PAYMENT_SETTINGS: {error}") from error


def current(hook: str = "") -> Gateway:
    """The gateway in use. Raises NoGateway, also if it has no such hook."""
    gateway: Gateway | None = current_app.extensions["gateway"]
    if gateway is None or (hook and hook not in gateway.hooks):
        raise NoGateway
    return gateway


def invoice_of(ref: str, plan: Plan, buyer: int | None) -> Invoice:
    """The invoice for a period of `plan`; `buyer` is a Telegram id."""
    settings = current_settings()
    base = settings.public_url
    return Invoice(
        ref,
        {"USD": plan.price_usd, "RUB": plan.price_rub},
        f"{PROJECT.capitalize()}: {plan.name}, {tariffs.PERIOD // DAY} days",
        f"{base}/api/pay/acp" if base else "",
        f"{base}/api/pay/check?payment={ref}" if base else "",
        plan.code,
        buyer,
    )


def offer(gateway: Gateway, invoice: Invoice) -> tuple[Price, Request]:
    """The gateway's own price, or NO_PRICE, and the request for a page to pay on.

    Raises NoGateway.
    """
    price = NO_PRICE
    try:
        if "price_invoice" in gateway.hooks:
            price = gateway.hook.price_invoice(invoice=invoice, settings=gateway.settings)
        request = gateway.hook.build_invoice(invoice=invoice, settings=gateway.settings)
    except BuyerUnknown as unknown:
        raise NoGateway(
            translatable(
                "this plan is paid in Telegram, and your account is not linked to a person there; "
                "ask the operator to link it"
            )
        ) from unknown
    except Refused as refused:
        raise NoGateway(str(refused)) from refused
    return price, request


def request_page(gateway: Gateway, invoice: Invoice, request: Request) -> str:
    """The address of the page on which the invoice can be paid. Raises NoGateway."""
    with _refusals():
        url: str = gateway.hook.read_invoice(
            response=_exchange(request), invoice=invoice, settings=gateway.settings
        )
    return url


def read_notice(
    gateway: Gateway, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]
) -> Confirmation:
    """Read a message that claims to come from the gateway. Raises BadKey if it does not."""
    try:
        confirmation: Confirmation = gateway.hook.read_notice(
            notice=Notice(body, headers, query), settings=gateway.settings
        )
    except Refused as refused:
        raise BadKey(str(refused)) from refused
    return confirmation


def fetch_state(gateway: Gateway, ref: str) -> Confirmation:
    """Ask the gateway for the state of an invoice. Raises NoGateway."""
    response = _exchange(gateway.hook.build_check(ref=ref, settings=gateway.settings))
    with _refusals():
        confirmation: Confirmation = gateway.hook.read_check(
            response=response, ref=ref, settings=gateway.settings
        )
    return confirmation


def refund(name: str, received: Received) -> None:
    """Have the gateway refund a payment that came by the gateway `name`. Raises NoGateway."""
    gateway = current("build_refund")
    if gateway.name != name:
        raise NoGateway(
            translatable(
                "it was paid by %(name)s, and PAYMENT_GATEWAY is %(other)s",
                name=name,
                other=gateway.name,
            )
        )
    with _refusals():
        request = gateway.hook.build_refund(received=received, settings=gateway.settings)
        is_refunded = gateway.hook.read_refund(
            response=_exchange(request), received=received, settings=gateway.settings
        )
    if not is_refunded:
        raise NoGateway(translatable("the payment gateway did not give it back"))


@contextmanager
def _refusals() -> Iterator[None]:
    """Raise NoGateway for what the gateway refuses."""
    try:
        yield
    except Refused as refused:
        raise NoGateway(str(refused)) from refused


def _exchange(request: Request) -> Response:
    """Send one request to the gateway. Its address is trusted: the operator configured it."""
    with slot_released(), closing(Transport(trusted=True)) as transport:
        answer = next(iter(transport.exchange([request])))
    if answer.response is None:
        log.warning("gateway.silent", reason=answer.reason)
        raise NoGateway(translatable("the payment gateway does not answer; try again in a minute"))
    return answer.response
