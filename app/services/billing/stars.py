"""Stars: what Telegram tells the service bot about payments.

The order of things: `tariffs.buy` asks for an invoice link; the person opens
it, Telegram asks whether it may be paid (`PreCheckout`, answered within ten
seconds, after the commit, by `CALLBACK_ANSWERS`) and then tells that it was (`StarsPayment`).
Only what comes by the service bot counts: anybody can sell by a bot of their
own, with a payload of ours, to themselves.

Nothing here commits, and everything may come twice.
"""

from __future__ import annotations

import contextlib
import enum
import time
from typing import TYPE_CHECKING, Final

import structlog
from flask import current_app
from sqlalchemy import select

from app.config import current_settings
from app.domain import tariffs
from app.domain.tariffs import PLANS
from app.domain.telegram.payments import PreCheckout, StarsPayment, SupportAsked
from app.domain.telegram.updates import Person
from app.errors import NotFound
from app.extensions import db
from app.models import Account, AccountStatus, Bot, Payment, PaymentState
from app.services.billing import refunds
from app.services.billing import tariffs as books
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import bot as service_bot
from app.services.service_bot.signup import language_of
from app.translations import gettext, speaking
from plugins.payments.contract import Confirmation
from plugins.payments.telegram_stars import NAME

if TYPE_CHECKING:
    from plugins.payments.registry import Gateway

log = structlog.get_logger()

#: How many payments /paysupport names.
NAMED: Final = 3


class Objection(enum.StrEnum):
    """Why a checkout is called off."""

    NOT_SOLD = "not sold"
    UNKNOWN = "unknown"
    FOREIGN = "foreign"
    BANNED = "banned"
    PAID = "paid"
    PRICE = "price"
    ACTIVE = "active"


def on_payment_update(
    bot_id: int, says: PreCheckout | StarsPayment | SupportAsked, now: float
) -> None:
    """An update about money came to a bot. Those of other bots are nobody's."""
    bot = service_bot.find()
    if bot is None or bot.id != bot_id:
        log.info("payment.foreign", bot=bot_id, kind=type(says).__name__)
        return
    match says:
        case PreCheckout():
            _check_out(bot, says, now)
        case StarsPayment(is_back=True):
            _went_back(says, now)
        case StarsPayment():
            _came(says, now)
        case SupportAsked():
            _support(bot, says, now)


def objection(
    payment: Payment | None, account: Account | None, asked: PreCheckout, now: float
) -> Objection | None:
    """Judge a checkout. `account` is the one that the invoice was made for."""
    if payment is None or account is None or payment.gateway != NAME:
        return Objection.UNKNOWN
    asks = (payment.price, payment.price_currency)
    reasons = {
        Objection.FOREIGN: account.tg_id != asked.person,
        Objection.BANNED: account.status == AccountStatus.BANNED,
        Objection.PAID: payment.state != PaymentState.NEW,
        Objection.PRICE: (asked.amount, asked.currency) != asks,
        Objection.ACTIVE: not tariffs.may_choose(account.tariff, account.paid_until, now),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _check_out(bot: Bot, asked: PreCheckout, now: float) -> None:
    payment = db.session.scalar(select(Payment).where(Payment.ref == asked.payload))
    owner = db.session.get(Account, payment.account_id) if payment else None
    found = objection(payment, owner, asked, now) if _seller() else Objection.NOT_SOLD
    settings = current_settings()
    with speaking(_language(asked.person, asked.language)):
        text = _words(found) if found else ""
    CALLBACK_ANSWERS.answer_checkout(settings.telegram_api_url, bot.token, asked.query, text)
    log.info("checkout.judged", payment=payment.id if payment else 0, objection=found or "")


def _came(money: StarsPayment, now: float) -> None:
    paid = Confirmation(
        money.payload, True, money.amount, money.currency, money.charge, money.person
    )
    try:
        books.settle(paid, int(now))
    except NotFound:
        log.error(  # noqa: TRY400 - a fact, not a fault of ours
            "payment.unknown", charge=money.charge, payer=money.person, amount=money.amount
        )


def _went_back(money: StarsPayment, now: float) -> None:
    of_it = select(Payment.id).where(Payment.gateway == NAME, Payment.charge == money.charge)
    payment_id = db.session.scalar(of_it)
    if payment_id is not None:
        refunds.revoke_payment(payment_id, int(now))
        return
    log.error("refund.unknown", charge=money.charge, amount=money.amount)
    back = Confirmation(money.payload, False, money.amount, money.currency, money.charge)
    with contextlib.suppress(NotFound):
        books.record_refund_without_payment(back, int(now))


def _support(bot: Bot, asked: SupportAsked, now: float) -> None:
    seller = _seller()
    if seller is None:
        return
    account = db.session.scalar(select(Account).where(Account.tg_id == asked.person))
    with speaking(_language(asked.person, asked.language)):
        lines = [
            gettext(
                "Questions about a payment, or want it back? Write to %(support)s and name the "
                "number of the payment. Telegram's own support cannot help with what you bought "
                "here.",
                support=seller.settings["support"],
            ),
            *(_named(payment) for payment in _last_paid(account)),
        ]
    whose = account.id if account else 0
    service_bot.say(bot, asked.person, "\n".join(lines), now, account_id=whose)


def _last_paid(account: Account | None) -> list[Payment]:
    if account is None:
        return []
    paid = (
        select(Payment)
        .where(Payment.account_id == account.id, Payment.state != PaymentState.NEW)
        .order_by(Payment.id.desc())
        .limit(NAMED)
    )
    return list(db.session.scalars(paid))


def _named(payment: Payment) -> str:
    return gettext(
        "No. %(number)s: %(plan)s, %(amount)s %(currency)s, %(day)s",
        number=payment.id,
        plan=PLANS[payment.tariff].name,
        amount=payment.amount,
        currency=payment.currency,
        day=time.strftime("%Y-%m-%d", time.gmtime(payment.paid or 0)),
    )


def _words(found: Objection) -> str:
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
    }[found]


def _language(person: int, code: str) -> str:
    lang = db.session.scalar(select(Account.lang).where(Account.tg_id == person))
    return lang or language_of(Person(person, language=code))


def _seller() -> Gateway | None:
    """The gateway, if it is the one of Stars."""
    seller: Gateway | None = current_app.extensions["gateway"]
    return seller if seller is not None and seller.name == NAME else None
