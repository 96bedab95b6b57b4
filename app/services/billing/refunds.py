"""Refunds: the money goes back, and so do the unused days of the plan that it bought."""

import time

import structlog
from sqlalchemy import and_, or_, select

from app.domain import tariffs
from app.domain.tariffs import PLANS, Plan
from app.domain.time_ranges import DAY
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Account, Payment, PaymentState
from app.services.accounts import accounts
from app.services.billing import gateway
from app.services.billing.tariffs import activate_plan
from app.services.service_bot import bot as service_bot
from app.translations import gettext, use_language
from plugins.payments.contract import Received

log = structlog.get_logger()


def refund(payment_id: int) -> Payment:
    """Refund a payment and take back the unused time that it bought. A second call does nothing.

    Raises NotFound, BadParameter if there is nothing to give back, or NoGateway.
    """
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        raise NotFound(translatable("there is no payment %(id)d", id=payment_id))
    if payment.state == PaymentState.NEW:
        raise BadParameter("payment", translatable("payment %(id)d was never paid", id=payment_id))
    if payment.state == PaymentState.PAID:
        received = Received(
            payment.ref, payment.amount, payment.currency, payment.charge or "", payment.payer
        )
        gateway_name = payment.gateway
        db.session.commit()
        gateway.refund(gateway_name, received)
        revoke_payment(payment_id, int(time.time()))
        db.session.commit()
    return db.session.get_one(Payment, payment_id, populate_existing=True)


def revoke_payment(payment_id: int, now: int) -> bool:
    """Record that the money went back, and take back the time. False if done before. No commit."""
    account_id = db.session.get_one(Payment, payment_id).account_id
    account = accounts.lock(account_id)
    payment = db.session.get_one(Payment, payment_id, populate_existing=True, with_for_update=True)
    if payment.state != PaymentState.PAID:
        return False
    payment.state, payment.refunded = PaymentState.REFUNDED, now
    db.session.flush()
    if account.tariff != tariffs.FREE and account.paid_until is not None:
        unused = tariffs.converted(_unused(payment, now), payment.tariff, account.tariff)
        until = account.paid_until - unused
        plan = PLANS[_plan_without(payment, account, until, now, unused)]
        until = now + tariffs.converted(until - now, account.tariff, plan.code)
        activate_plan(account, plan, None if plan.is_free else until)
    _notify_refunded(account, PLANS[payment.tariff], now)
    log.info("payment.refunded", payment=payment_id, account=account_id)
    return True


def _notify_refunded(account: Account, plan: Plan, now: int) -> None:
    if account.tg_id is None or (bot := service_bot.find()) is None:
        return
    with use_language(account.lang):
        text = gettext(
            "Your payment for the plan %(plan)s was given back, and the days that it bought.",
            plan=plan.name,
        )
    service_bot.say(bot, account.tg_id, text, now, account_id=account.id)


def _unused(payment: Payment, now: int) -> int:
    """Seconds of the paid time that are not used yet; a day that has begun counts as unused.

    Days that are over are not taken back: a later payment has days of its own.
    """
    days = -(-((payment.until or now) - now) // DAY)
    return min(tariffs.PERIOD, max(0, days * DAY))


def _plan_without(payment: Payment, account: Account, until: int, now: int, unused: int) -> str:
    """The code of the plan that is in force without `payment`, if it would end at `until`.

    A payment that extended this one extends the plan before this one instead.
    """
    after = or_(
        Payment.paid > payment.paid,
        and_(Payment.paid == payment.paid, Payment.until > payment.until),
    )
    overlaps = Payment.paid < payment.until  # else the days of `payment` were over by then
    mine = select(Payment).where(Payment.account_id == account.id, after, overlaps)
    following = db.session.scalar(
        mine.where(Payment.state == PaymentState.PAID)
        .order_by(Payment.paid, Payment.until)
        .limit(1)
    )
    if following is not None:
        following.before = payment.before
        return account.tariff
    # The operator added days, or what is in force came when those of this one were over.
    is_another = until > now and (payment.before == tariffs.FREE or not unused)
    return account.tariff if is_another or account.tariff != payment.tariff else payment.before
