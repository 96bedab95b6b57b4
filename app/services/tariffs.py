"""Tariffs: choosing a plan, paying for it, and being told that it is paid.

Both confirmations, the gateway's push and our own question, end in `_settle`,
which does nothing the second time. No database connection is held while the
gateway is asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import structlog
from flask import current_app
from sqlalchemy import select, update

from app.domain import tariffs
from app.domain.tariffs import PLANS, Plan
from app.errors import BadKey, NoGateway, NotFound, PlanActive
from app.extensions import db
from app.models import Account, Campaign, CampaignStatus, Payment, PaymentState
from app.outbound.transport import Transport
from app.services import accounts, notices
from app.services.paging import Page, fetch
from app.services.rates import Rate
from app.vault import new_secret
from plugins.contract import PROJECT, Request, Response
from plugins.gateways import Gateway
from plugins.payments import Confirmation, Invoice, Notice, Refused

if TYPE_CHECKING:
    from app.config import Settings

log = structlog.get_logger()

#: An unpaid invoice of the same plan is shown again for this long.
SAME_INVOICE: Final = 3600
CHECKS: Final = Rate("pay-check", most=30, seconds=60)


def buy(account_id: int, code: str) -> str:
    """Choose a plan. Returns where to pay for it, "" if it costs nothing.

    Raises PlanActive, or NoGateway.
    """
    now, plan = int(time.time()), PLANS[code]
    account = accounts.lock(account_id)
    if not tariffs.may_choose(account.tariff, account.paid_until, now):
        raise PlanActive
    if plan.is_free:
        _put_on(account, plan, None)
        db.session.commit()
        return ""
    return _invoice(account_id, plan, now)


def history(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **span: Any
) -> Page[Payment]:
    """What was bought or set out to be, newest first; `span` bounds `created`."""
    mine = select(Payment).where(Payment.account_id == account_id)
    if span.get("since") is not None:
        mine = mine.where(Payment.created >= span["since"])
    if span.get("until") is not None:
        mine = mine.where(Payment.created <= span["until"])
    return fetch(mine, Payment.id, limit=limit, offset=offset, before=before)


def confirm(body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> None:
    """The gateway tells us by itself. Raises BadKey for whoever is not the gateway."""
    gateway = _gateway()
    try:
        told = gateway.hook.read_notice(
            notice=Notice(body, headers, query), settings=gateway.settings
        )
    except Refused as refused:
        raise BadKey(str(refused)) from refused
    _settle(told)


def check(ref: str) -> Payment:
    """What became of a payment; the gateway is asked while it is not paid.

    Raises NotFound, NoGateway or TooManyRequests.
    """
    payment = _payment(ref)
    if payment.state == PaymentState.PAID:
        return payment
    CHECKS.take(ref)
    gateway = _gateway()
    db.session.commit()
    response = _ask(gateway.hook.build_check(ref=ref, settings=gateway.settings))
    try:
        told = gateway.hook.read_check(response=response, ref=ref, settings=gateway.settings)
    except Refused as refused:
        raise NoGateway(str(refused)) from refused
    _settle(told)
    return _payment(ref)


def _invoice(account_id: int, plan: Plan, now: int) -> str:
    gateway = _gateway()
    again = db.session.scalar(
        select(Payment.url)
        .where(
            Payment.account_id == account_id,
            Payment.tariff == plan.code,
            Payment.gateway == gateway.name,
            Payment.state == PaymentState.NEW,
            Payment.url != "",
            Payment.created > now - SAME_INVOICE,
        )
        .order_by(Payment.id.desc())
        .limit(1)
    )
    if again:
        return again
    ref = new_secret()
    db.session.add(
        Payment(account_id=account_id, ref=ref, tariff=plan.code, gateway=gateway.name, created=now)
    )
    db.session.commit()
    url = _page(gateway, _described(ref, plan))
    db.session.execute(update(Payment).where(Payment.ref == ref).values(url=url))
    db.session.commit()
    return url


def _page(gateway: Gateway, invoice: Invoice) -> str:
    response = _ask(gateway.hook.build_invoice(invoice=invoice, settings=gateway.settings))
    try:
        url: str = gateway.hook.read_invoice(
            response=response, invoice=invoice, settings=gateway.settings
        )
    except Refused as refused:
        raise NoGateway(str(refused)) from refused
    return url


def _described(ref: str, plan: Plan) -> Invoice:
    settings: Settings = current_app.config["SETTINGS"]
    base = settings.public_url
    return Invoice(
        ref,
        {"USD": plan.price_usd, "RUB": plan.price_rub},
        f"{PROJECT.capitalize()}: {plan.name}, {tariffs.PERIOD // tariffs.DAY} days",
        f"{base}/api/pay/acp" if base else "",
        f"{base}/api/pay/check?payment={ref}" if base else "",
    )


def _ask(request: Request) -> Response:
    """One exchange with the gateway, which the operator configured and so trusts."""
    with closing(Transport(trusted=True)) as transport:
        answer = next(iter(transport.exchange([request])))
    if answer.response is None:
        log.warning("gateway.silent", reason=answer.reason)
        raise NoGateway("the payment gateway does not answer; try again in a minute")
    return answer.response


def _settle(told: Confirmation) -> None:
    """Write down a payment, once; what is not the price is not the payment."""
    if not told.is_paid:
        return
    now = int(time.time())
    account_id = _payment(told.ref).account_id
    account = accounts.lock(account_id)  # first the account, as `buy` does
    payment = _payment(told.ref, lock=True)
    plan = PLANS[payment.tariff]
    prices = {"USD": plan.price_usd, "RUB": plan.price_rub}
    if payment.state == PaymentState.PAID:
        db.session.rollback()
        return
    if prices.get(told.currency) != told.amount:
        log.error("payment.odd", payment=payment.id, amount=told.amount, currency=told.currency)
        db.session.rollback()
        return
    until = tariffs.paid_until(account.tariff, account.paid_until, now)
    payment.state, payment.paid, payment.until = PaymentState.PAID, now, until
    payment.amount, payment.currency = told.amount, told.currency
    _put_on(account, plan, until)
    db.session.flush()
    notices.payment(account_id, plan.code, until, now)
    db.session.commit()
    log.info("payment.received", payment=payment.id, account=account_id, tariff=plan.code)


def _put_on(account: Account, plan: Plan, until: int | None) -> None:
    """The plan is in force. Campaigns beyond it pause, the newest first. No commit."""
    account.tariff, account.paid_until = plan.code, until
    if plan.campaigns == tariffs.UNLIMITED:
        return
    living = (
        select(Campaign.id)
        .where(Campaign.account_id == account.id, Campaign.status != CampaignStatus.DELETED)
        .order_by(Campaign.status, Campaign.id)
        .offset(plan.campaigns)
    )
    beyond = db.session.scalars(living).all()
    db.session.execute(
        update(Campaign).where(Campaign.id.in_(beyond)).values(status=CampaignStatus.PAUSED)
    )


def _payment(ref: str, *, lock: bool = False) -> Payment:
    wanted = select(Payment).where(Payment.ref == ref)
    if lock:
        wanted = wanted.with_for_update()
    payment = db.session.scalar(wanted.execution_options(populate_existing=True))
    if payment is None:
        raise NotFound("there is no such payment")
    return payment


def _gateway() -> Gateway:
    gateway: Gateway | None = current_app.extensions["gateway"]
    if gateway is None:
        raise NoGateway
    return gateway
