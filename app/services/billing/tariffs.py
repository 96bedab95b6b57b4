"""Choosing a plan, paying for it, and recording that it is paid.

Every confirmation, be it the gateway's push, our own question or an update of
Telegram, ends in `settle`, which does nothing the second time. No database
connection is held while the gateway is asked.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from sqlalchemy import select, update

from app.crypto import new_secret
from app.domain import tariffs
from app.domain.storable_text import UNSTORABLE
from app.domain.tariffs import PLANS, Plan
from app.errors import NotFound, PlanActive, translatable
from app.extensions import db
from app.models import Account, Payment, PaymentState
from app.services.accounts import accounts, notifications
from app.services.accounts.concurrent_calls import CHECKS
from app.services.accounts.rate_limits import Limit
from app.services.billing import gateway
from app.services.billing.pushers import PUSHERS
from app.services.campaigns import campaigns
from app.services.lists.pages import Page, fetch
from plugins.payments.contract import Confirmation

log = structlog.get_logger()

#: Seconds for which an unpaid invoice of the same plan is returned again.
SAME_INVOICE: Final = 3600
#: Questions to the gateway, by the account whose payments they are about: it makes as many
#: invoices as it likes, and each has a reference.
ASKED: Final = Limit("pay-check", per_minute=30, burst=30)


def buy(account_id: int, code: str) -> str:
    """Choose a plan. Returns the address at which it is paid, "" if it is free.

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
    """Return the payments and invoices of an account, newest first.

    `span` may hold `since` and `until`, Unix seconds of `created`.
    """
    mine = select(Payment).where(Payment.account_id == account_id)
    if span.get("since") is not None:
        mine = mine.where(Payment.created >= span["since"])
    if span.get("until") is not None:
        mine = mine.where(Payment.created <= span["until"])
    return fetch(mine, Payment.id, limit=limit, offset=offset, before=before)


def confirm(
    network: str,
    read_body: Callable[[], bytes],
    headers: Mapping[str, str],
    query: Mapping[str, str],
) -> None:
    """Handle a push of the gateway, from `network`.

    Raises NoGateway, TooManyRequests, BadKey for anybody else, or NotFound. Without a gateway
    that pushes, or a place, no byte of the body is read: anybody may call this.
    """
    seller = gateway.current("read_notice")
    with PUSHERS.places(network).running(network):
        body = read_body()
    confirmation = gateway.read_notice(seller, body, headers, query)
    PUSHERS.remember(network)
    settle(confirmation, int(time.time()))
    db.session.commit()


def check(ref: str) -> Payment:
    """Return a payment; while it is not paid, the gateway is asked first if it can be.

    Raises NotFound, NoGateway or TooManyRequests.
    """
    payment = _payment(ref)
    if payment.state != PaymentState.NEW:
        return payment
    seller = gateway.current()
    if "build_check" not in seller.hooks:
        return payment
    account_id = payment.account_id
    db.session.commit()  # nothing is held while Redis and the gateway are asked
    ASKED.hit(str(account_id))
    with CHECKS.running(account_id):
        confirmation = gateway.fetch_state(seller, ref)
    settle(confirmation, int(time.time()))
    db.session.commit()
    return _payment(ref)


def settle(confirmation: Confirmation, now: int) -> None:
    """Record a confirmed payment and put its plan in force. No commit.

    A charge counts once, and an amount that is not the price is only logged. A
    second charge of one invoice, made by two buyers at the same moment, is a
    payment of its own: nobody pays for nothing. Raises NotFound.
    """
    if not confirmation.is_paid:
        return
    # First the account, as `buy` does.
    account = accounts.lock(_payment(confirmation.ref).account_id)
    payment = _payment(confirmation.ref, lock=True)
    if _is_known(payment, confirmation.charge):
        return
    if not _is_the_price(payment, confirmation):
        log.error(
            "payment.odd",
            payment=payment.id,
            amount=confirmation.amount,
            currency=confirmation.currency,
            charge=confirmation.charge,
            payer=confirmation.payer,
        )
        return
    if payment.state != PaymentState.NEW:
        payment = _second_payment(payment, now)
    plan = PLANS[payment.tariff]
    until = tariffs.paid_until(account.tariff, account.paid_until, now, plan.code)
    payment.state, payment.paid, payment.until = PaymentState.PAID, now, until
    payment.amount, payment.currency = confirmation.amount, confirmation.currency
    payment.charge, payment.payer = confirmation.charge or None, confirmation.payer
    payment.before = account.tariff
    activate_plan(account, plan, until)
    db.session.flush()
    notifications.payment(account.id, plan.code, until, now)
    log.info("payment.received", payment=payment.id, account=account.id, tariff=plan.code)


def record_refund_without_payment(confirmation: Confirmation, now: int) -> None:
    """Record a refund whose payment was never reported, so that the payment grants nothing.

    Updates are processed in parallel, and the refund may come first. No commit. Raises
    NotFound.
    """
    accounts.lock(_payment(confirmation.ref).account_id)
    payment = _payment(confirmation.ref, lock=True)
    if not confirmation.charge or _is_known(payment, confirmation.charge):
        return
    if payment.state != PaymentState.NEW:
        payment = _second_payment(payment, now)
    payment.state, payment.paid, payment.refunded = PaymentState.REFUNDED, now, now
    payment.amount, payment.currency = confirmation.amount, confirmation.currency
    payment.charge = confirmation.charge
    db.session.flush()


def _invoice(account: Account, plan: Plan, now: int) -> str:
    """Return where `plan` is paid. The caller has locked the account.

    Calls at once share one invoice: one that no call has an address for yet is asked for
    again under the same reference.
    """
    seller = gateway.current()
    opened = _open_invoice(account, plan, seller.name, now)
    if opened is not None and opened.url:
        return opened.url
    invoice = gateway.invoice_of(opened.ref if opened else new_secret(), plan, account.tg_id)
    price, request = gateway.offer(seller, invoice)
    if opened is None:
        opened = Payment(
            account_id=account.id,
            ref=invoice.ref,
            tariff=plan.code,
            gateway=seller.name,
            created=now,
        )
        db.session.add(opened)
    opened.price, opened.price_currency = price.amount, price.currency
    db.session.commit()
    url = gateway.request_page(seller, invoice, request)
    db.session.execute(update(Payment).where(Payment.ref == invoice.ref).values(url=url))
    db.session.commit()
    return url


def _open_invoice(account: Account, plan: Plan, seller: str, now: int) -> Payment | None:
    """The newest unpaid invoice that may be paid still, one with an address before others."""
    return db.session.scalar(
        select(Payment)
        .where(
            Payment.account_id == account.id,
            Payment.tariff == plan.code,
            Payment.gateway == seller,
            Payment.state == PaymentState.NEW,
            Payment.created > now - SAME_INVOICE,
        )
        .order_by((Payment.url == "").asc(), Payment.id.desc())
        .limit(1)
    )


def _is_known(payment: Payment, charge: str) -> bool:
    """Tell whether this charge is recorded. Without a charge an invoice is paid once."""
    if not charge:
        return payment.state != PaymentState.NEW
    same = select(Payment.id).where(Payment.gateway == payment.gateway, Payment.charge == charge)
    return db.session.scalar(same) is not None


def _is_the_price(payment: Payment, confirmation: Confirmation) -> bool:
    if payment.price_currency:
        prices = {payment.price_currency: payment.price}
    else:
        plan = PLANS[payment.tariff]
        prices = {"USD": plan.price_usd, "RUB": plan.price_rub}
    return prices.get(confirmation.currency) == confirmation.amount


def _second_payment(payment: Payment, now: int) -> Payment:
    """Add one more payment of the same invoice."""
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
    """Put a plan in force. Campaigns beyond its limit are paused, the newest first. No commit."""
    account.tariff, account.paid_until = plan.code, until
    campaigns.pause_surplus(account.id, plan)


def _payment(ref: str, *, lock: bool = False) -> Payment:
    query = select(Payment).where(Payment.ref == ref)
    if lock:
        query = query.with_for_update()
    is_name = not UNSTORABLE.search(ref)
    payment = (
        db.session.scalar(query.execution_options(populate_existing=True)) if is_name else None
    )
    if payment is None:
        raise NotFound(translatable("there is no such payment"))
    return payment
