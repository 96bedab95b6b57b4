"""Telegram Stars: the updates about payments that come to the service bot.

The order of things: `tariffs.buy` asks for an invoice link; the person opens it;
Telegram asks whether it may be paid (`PreCheckout`, answered within ten seconds,
after the commit, by `CALLBACK_ANSWERS`); then it tells that it was paid
(`StarsPayment`). This module talks to Telegram; what an invoice costs, which
checkout is refused and what an update confirms are the rules of
`plugins.payments.telegram_stars`.

Only updates of the service bot count: anybody can sell by a bot of their own,
with a payload of ours, to themselves. Nothing here commits, and each update may
come twice.
"""

import contextlib
import time
from typing import Final

import structlog
from flask import current_app
from sqlalchemy import select

from app.config import current_settings
from app.domain import tariffs
from app.domain.tariffs import PLANS
from app.domain.telegram.payments import PreCheckout, StarsPayment, SupportAsked
from app.domain.telegram.person import Person
from app.errors import NotFound
from app.extensions import db
from app.models import Account, AccountStatus, Bot, Payment, PaymentState
from app.services.billing import refunds
from app.services.billing.tariffs import record_refund_without_payment, settle
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import bot as service_bot
from app.services.service_bot.signup import language_of
from app.translations import gettext, use_language
from plugins.payments.contract import Confirmation, Price
from plugins.payments.registry import Gateway
from plugins.payments.telegram_stars import (
    NAME,
    Objection,
    OpenInvoice,
    checkout_objection,
    confirmation,
)

log = structlog.get_logger()

#: How many payments /paysupport names.
MAX_NAMED: Final = 3


def on_payment_update(
    bot_id: int, update: PreCheckout | StarsPayment | SupportAsked, now: float
) -> None:
    """Handle an update about money. One that came to another bot is ignored."""
    bot = service_bot.find()
    if bot is None or bot.id != bot_id:
        log.info("payment.foreign", bot=bot_id, kind=type(update).__name__)
        return
    match update:
        case PreCheckout():
            _answer_checkout(bot, update, now)
        case StarsPayment(is_back=True):
            _record_refund(update, now)
        case StarsPayment():
            _record_payment(update, now)
        case SupportAsked():
            _answer_support(bot, update, now)


def _answer_checkout(bot: Bot, checkout: PreCheckout, now: float) -> None:
    payment = db.session.scalar(select(Payment).where(Payment.ref == checkout.payload))
    price = Price(checkout.amount, checkout.currency)
    objection: Objection | None = Objection.NOT_SOLD
    if _stars_gateway():
        objection = checkout_objection(_open_invoice(payment, now), price, checkout.person)
    with use_language(_language(checkout.person, checkout.language)):
        text = _explain(objection) if objection else ""
    CALLBACK_ANSWERS.answer_checkout(
        current_settings().telegram_api_url, bot.token, checkout.query, text
    )
    log.info("checkout.judged", payment=payment.id if payment else 0, objection=objection or "")


def _open_invoice(payment: Payment | None, now: float) -> OpenInvoice | None:
    if payment is None or payment.gateway != NAME:
        return None
    account = db.session.get_one(Account, payment.account_id)
    return OpenInvoice(
        price=Price(payment.price, payment.price_currency),
        buyer=account.tg_id,
        is_paid=payment.state != PaymentState.NEW,
        is_banned=account.status == AccountStatus.BANNED,
        may_choose=tariffs.may_choose(account.tariff, account.paid_until, now),
    )


def _record_payment(money: StarsPayment, now: float) -> None:
    try:
        settle(_confirmation(money), int(now))
    except NotFound:
        log.error(  # noqa: TRY400 - a fact, not a fault of ours
            "payment.unknown", charge=money.charge, payer=money.person, amount=money.amount
        )


def _record_refund(money: StarsPayment, now: float) -> None:
    same_charge = select(Payment.id).where(Payment.gateway == NAME, Payment.charge == money.charge)
    payment_id = db.session.scalar(same_charge)
    if payment_id is not None:
        refunds.revoke_payment(payment_id, int(now))
        return
    log.error("refund.unknown", charge=money.charge, amount=money.amount)
    with contextlib.suppress(NotFound):
        record_refund_without_payment(_confirmation(money), int(now))


def _confirmation(money: StarsPayment) -> Confirmation:
    price = Price(money.amount, money.currency)
    return confirmation(money.payload, price, money.charge, money.person, is_refund=money.is_back)


def _answer_support(bot: Bot, question: SupportAsked, now: float) -> None:
    gateway = _stars_gateway()
    if gateway is None:
        return
    account = db.session.scalar(select(Account).where(Account.tg_id == question.person))
    with use_language(_language(question.person, question.language)):
        lines = [
            gettext(
                "Questions about a payment, or want it back? Write to %(support)s and name the "
                "number of the payment. Telegram's own support cannot help with what you bought "
                "here.",
                support=gateway.settings["support"],
            ),
            *(_describe(payment) for payment in _last_paid(account)),
        ]
    account_id = account.id if account else 0
    service_bot.say(bot, question.person, "\n".join(lines), now, account_id=account_id)


def _last_paid(account: Account | None) -> list[Payment]:
    if account is None:
        return []
    paid = (
        select(Payment)
        .where(Payment.account_id == account.id, Payment.state != PaymentState.NEW)
        .order_by(Payment.id.desc())
        .limit(MAX_NAMED)
    )
    return list(db.session.scalars(paid))


def _describe(payment: Payment) -> str:
    return gettext(
        "No. %(number)s: %(plan)s, %(amount)s %(currency)s, %(day)s",
        number=payment.id,
        plan=PLANS[payment.tariff].name,
        amount=payment.amount,
        currency=payment.currency,
        day=time.strftime("%Y-%m-%d", time.gmtime(payment.paid or 0)),
    )


def _explain(objection: Objection) -> str:
    return {
        Objection.NOT_SOLD: gettext("Plans are not sold for Stars any more."),
        Objection.UNKNOWN: gettext("This invoice is not known here. Choose your plan once more."),
        Objection.FOREIGN: gettext(
            "This invoice is for another account. Choose a plan in your own."
        ),
        Objection.BANNED: gettext("This account is suspended."),
        Objection.PAID: gettext("This invoice is paid already."),
        Objection.PRICE: gettext("The price is not right. Choose your plan once more."),
        Objection.ACTIVE: gettext(
            "Your plan has more than 3 days to go. Renew or change it in the last 3 days."
        ),
    }[objection]


def _language(person: int, code: str) -> str:
    lang = db.session.scalar(select(Account.lang).where(Account.tg_id == person))
    return lang or language_of(Person(person, language=code))


def _stars_gateway() -> Gateway | None:
    """The gateway in use, if it is the one of Stars."""
    gateway: Gateway | None = current_app.extensions["gateway"]
    return gateway if gateway is not None and gateway.name == NAME else None
