"""Tariffs: choosing a plan, paying for it, and being told that it is paid.

Every confirmation, be it the gateway's push, our own question or an update of
Telegram, ends in `settle`, which does nothing the second time. No database
connection is held while the gateway is asked.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from sqlalchemy import select, update

from app.crypto import new_secret
from app.domain import tariffs
from app.domain.tariffs import PLANS, Plan
from app.errors import NotFound, PlanActive, translatable
from app.extensions import db
from app.models import Account, Campaign, CampaignStatus, Payment, PaymentState
from app.services.accounts import accounts, notifications
from app.services.accounts.rate_limits import Limit
from app.services.billing import gateway
from app.services.lists.pages import Page, fetch
from plugins.payments.contract import Confirmation

log = structlog.get_logger()

#: An unpaid invoice of the same plan is shown again for this long.
SAME_INVOICE: Final = 3600
CHECKS: Final = Limit("pay-check", per_minute=30, burst=30)


def buy(account_id: int, code: str) -> str:
    """Choose a plan. Returns where to pay for it, "" if it costs nothing.

    Raises PlanActive, or NoGateway.
    """
    now, plan = int(time.time()), PLANS[code]
    account = accounts.lock(account_id)
    if not tariffs.may_choose(account.tariff, account.paid_until, now):
        raise PlanActive
    if plan.is_free:
        activate_plan(account, plan, None)
        db.session.commit()
        return ""
    return _invoice(account, plan, now)


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
    settle(
        gateway.read_notice(gateway.current("read_notice"), body, headers, query), int(time.time())
    )
    db.session.commit()


def check(ref: str) -> Payment:
    """What became of a payment; the gateway is asked while it is not paid, if it can be.

    Raises NotFound, NoGateway or TooManyRequests.
    """
    payment = _payment(ref)
    if payment.state != PaymentState.NEW:
        return payment
    CHECKS.hit(ref)
    asked = gateway.current()
    if "build_check" not in asked.hooks:
        return payment
    db.session.commit()
    settle(gateway.fetch_state(asked, ref), int(time.time()))
    db.session.commit()
    return _payment(ref)


def settle(told: Confirmation, now: int) -> None:
    """Write down a payment, once; what is not the price is not the payment. No commit.

    A charge counts once. A second charge of one invoice, which two who press
    at once can make, is a payment of its own: nobody pays for nothing. Raises
    NotFound.
    """
    if not told.is_paid:
        return
    account = accounts.lock(_payment(told.ref).account_id)  # first the account, as `buy` does
    payment = _payment(told.ref, lock=True)
    if _is_known(payment, told.charge):
        return
    if not _is_the_price(payment, told):
        log.error(
            "payment.odd", payment=payment.id, amount=told.amount, currency=told.currency,
            charge=told.charge, payer=told.payer,
        )  # fmt: skip
        return
    if payment.state != PaymentState.NEW:
        payment = _again(payment, now)
    plan = PLANS[payment.tariff]
    until = tariffs.paid_until(account.tariff, account.paid_until, now)
    payment.state, payment.paid, payment.until = PaymentState.PAID, now, until
    payment.amount, payment.currency = told.amount, told.currency
    payment.charge, payment.payer = told.charge or None, told.payer
    payment.before = account.tariff
    activate_plan(account, plan, until)
    db.session.flush()
    notifications.payment(account.id, plan.code, until, now)
    log.info("payment.received", payment=payment.id, account=account.id, tariff=plan.code)


def record_refund_without_payment(told: Confirmation, now: int) -> None:
    """A charge is told to be given back that was never told to be paid: it grants nothing later.

    Webhooks come in parallel, and one of them may come first. No commit. Raises NotFound.
    """
    accounts.lock(_payment(told.ref).account_id)
    payment = _payment(told.ref, lock=True)
    if not told.charge or _is_known(payment, told.charge):
        return
    if payment.state != PaymentState.NEW:
        payment = _again(payment, now)
    payment.state, payment.paid, payment.refunded = PaymentState.REFUNDED, now, now
    payment.amount, payment.currency, payment.charge = told.amount, told.currency, told.charge
    db.session.flush()


def _invoice(account: Account, plan: Plan, now: int) -> str:
    seller = gateway.current()
    again = db.session.scalar(
        select(Payment.url)
        .where(
            Payment.account_id == account.id,
            Payment.tariff == plan.code,
            Payment.gateway == seller.name,
            Payment.state == PaymentState.NEW,
            Payment.url != "",
            Payment.created > now - SAME_INVOICE,
        )
        .order_by(Payment.id.desc())
        .limit(1)
    )
    if again:
        return again
    invoice = gateway.invoice_of(new_secret(), plan, account.tg_id)
    price, request = gateway.offer(seller, invoice)
    db.session.add(
        Payment(
            account_id=account.id,
            ref=invoice.ref,
            tariff=plan.code,
            gateway=seller.name,
            price=price.amount,
            price_currency=price.currency,
            created=now,
        )
    )
    db.session.commit()
    url = gateway.request_page(seller, invoice, request)
    db.session.execute(update(Payment).where(Payment.ref == invoice.ref).values(url=url))
    db.session.commit()
    return url


def _is_known(payment: Payment, charge: str) -> bool:
    """Whether this money was counted. Without a charge an invoice is paid once."""
    if not charge:
        return payment.state != PaymentState.NEW
    same = select(Payment.id).where(Payment.gateway == payment.gateway, Payment.charge == charge)
    return db.session.scalar(same) is not None


def _is_the_price(payment: Payment, told: Confirmation) -> bool:
    if payment.price_currency:
        return (told.amount, told.currency) == (payment.price, payment.price_currency)
    plan = PLANS[payment.tariff]
    return {"USD": plan.price_usd, "RUB": plan.price_rub}.get(told.currency) == told.amount


def _again(payment: Payment, now: int) -> Payment:
    """One more payment of the same invoice."""
    second = Payment(
        account_id=payment.account_id,
        ref=new_secret(),
        tariff=payment.tariff,
        gateway=payment.gateway,
        price=payment.price,
        price_currency=payment.price_currency,
        created=now,
    )
    db.session.add(second)
    return second


def activate_plan(account: Account, plan: Plan, until: int | None) -> None:
    """The plan is in force. Campaigns beyond it pause, the newest first. No commit."""
    account.tariff, account.paid_until = plan.code, until
    if plan.campaigns == tariffs.UNLIMITED:
        return
    living = (
        select(Campaign.id)
        .where(Campaign.account_id == account.id, Campaign.living)
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
        raise NotFound(translatable("there is no such payment"))
    return payment
