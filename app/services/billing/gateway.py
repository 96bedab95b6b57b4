"""The payment gateway of this installation, if the operator configured one.

Here it is asked; what its answers mean for plans is said in `tariffs`. Hold no
database connection meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Final

import structlog
from flask import current_app

from app.config import BadSetting, current_settings
from app.domain import tariffs
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

if TYPE_CHECKING:
    from app.config import Settings
    from app.domain.tariffs import Plan

log = structlog.get_logger()

#: The gateway takes any of the plan's own prices.
NO_PRICE: Final = Price(0, "")


def configured(settings: Settings) -> Gateway | None:
    """The gateway that the environment names. Raises BadSetting; None if it names none."""
    if not settings.payment_gateway:
        return None
    surroundings = {
        "service_bot_token": settings.service_bot_token,
        "telegram_api_url": settings.telegram_api_url,
    }
    try:
        return registry.load(
            settings.payment_gateway, json.loads(settings.payment_settings), surroundings
        )
    except registry.NotAGateway as error:
        raise BadSetting(f"PAYMENT_GATEWAY or PAYMENT_SETTINGS: {error}") from error


def current(hook: str = "") -> Gateway:
    """The gateway in use. Raises NoGateway, also if it has no such hook."""
    found: Gateway | None = current_app.extensions["gateway"]
    if found is None or (hook and hook not in found.hooks):
        raise NoGateway
    return found


def invoice_of(ref: str, plan: Plan, buyer: int | None) -> Invoice:
    """What is to be paid for a plan; `buyer` is a Telegram id."""
    settings = current_settings()
    base = settings.public_url
    return Invoice(
        ref,
        {"USD": plan.price_usd, "RUB": plan.price_rub},
        f"{PROJECT.capitalize()}: {plan.name}, {tariffs.PERIOD // tariffs.DAY} days",
        f"{base}/api/pay/acp" if base else "",
        f"{base}/api/pay/check?payment={ref}" if base else "",
        plan.code,
        buyer,
    )


def offer(gateway: Gateway, invoice: Invoice) -> tuple[Price, Request]:
    """The price it asks, if it has prices of its own, and how to ask for the page.

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


def page(gateway: Gateway, invoice: Invoice, request: Request) -> str:
    """Where the invoice can be paid. Raises NoGateway."""
    try:
        url: str = gateway.hook.read_invoice(
            response=_ask(request), invoice=invoice, settings=gateway.settings
        )
    except Refused as refused:
        raise NoGateway(str(refused)) from refused
    return url


def notice(
    gateway: Gateway, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]
) -> Confirmation:
    """What was pushed. Raises BadKey for whoever is not the gateway."""
    try:
        told: Confirmation = gateway.hook.read_notice(
            notice=Notice(body, headers, query), settings=gateway.settings
        )
    except Refused as refused:
        raise BadKey(str(refused)) from refused
    return told


def state_of(gateway: Gateway, ref: str) -> Confirmation:
    """What the gateway says of an invoice. Raises NoGateway."""
    response = _ask(gateway.hook.build_check(ref=ref, settings=gateway.settings))
    try:
        told: Confirmation = gateway.hook.read_check(
            response=response, ref=ref, settings=gateway.settings
        )
    except Refused as refused:
        raise NoGateway(str(refused)) from refused
    return told


def give_back(name: str, received: Received) -> None:
    """Have a payment given back that came by the gateway `name`. Raises NoGateway."""
    gateway = current("build_refund")
    if gateway.name != name:
        raise NoGateway(
            translatable(
                "it was paid by %(name)s, and PAYMENT_GATEWAY is %(other)s",
                name=name,
                other=gateway.name,
            )
        )
    try:
        request = gateway.hook.build_refund(received=received, settings=gateway.settings)
        is_back = gateway.hook.read_refund(
            response=_ask(request), received=received, settings=gateway.settings
        )
    except Refused as refused:
        raise NoGateway(str(refused)) from refused
    if not is_back:
        raise NoGateway(translatable("the payment gateway did not give it back"))


def _ask(request: Request) -> Response:
    """One exchange with the gateway, which the operator configured and so trusts."""
    with slot_released(), closing(Transport(trusted=True)) as transport:
        answer = next(iter(transport.exchange([request])))
    if answer.response is None:
        log.warning("gateway.silent", reason=answer.reason)
        raise NoGateway(translatable("the payment gateway does not answer; try again in a minute"))
    return answer.response
