"""The payment methods of the Bot API double, for Telegram Stars.

Rules: https://core.telegram.org/bots/payments-stars and the methods'
descriptions in https://core.telegram.org/bots/api, Bot API 10.3; words of
refusals: https://core.telegram.org/method/payments.exportInvoice,
messages.setBotPrecheckoutResults and payments.refundStarsCharge. Ours: a provider
token beside XTR is refused, since the documentation wants none.
"""

import secrets
from typing import Any, Final

from app.sandbox.telegram.bot.shop import Charge, Checkout, CheckoutState, StarsInvoice
from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.methods.sending import sent_message
from app.sandbox.telegram.people import Person, refunded_payment, successful_payment

CURRENCY: Final = "XTR"
PATIENCE: Final = 10.0  #: seconds in which a checkout is answered, or called off
LINK: Final = "https://t.me/$"
_TOO_OLD: Final = (
    "Bad Request: query is too old and response timeout expired or query ID is invalid"
)
#: What makes sense where things are shipped and cards are charged, and not for Stars.
_NOT_FOR_STARS: Final = (
    "max_tip_amount", "suggested_tip_amounts", "need_name", "need_phone_number", "need_email",
    "need_shipping_address", "send_phone_number_to_provider", "send_email_to_provider",
    "is_flexible",
)  # fmt: skip


def create_invoice_link(call: Caller) -> Result:
    """Make a link to an invoice, which anybody may pay any number of times. Raises Refusal."""
    invoice = _invoice(call)
    link = f"{LINK}{secrets.token_urlsafe(12)}"
    call.bot.shop.invoices[link] = invoice
    return Result(link)


def send_invoice(call: Caller) -> Result:
    """Send an invoice as a message; it is paid under `chat/message`. Raises Refusal."""
    chat, invoice = call.chat(), _invoice(call)
    shown = {
        "title": invoice.title,
        "description": invoice.description,
        "start_parameter": call.text("start_parameter"),
        "currency": invoice.currency,
        "total_amount": invoice.amount,
    }
    result = sent_message(call, "sendInvoice", chat, invoice.title, {"invoice": shown})
    call.bot.shop.invoices[f"{chat}/{result.value['message_id']}"] = invoice
    return result


def answer_pre_checkout_query(call: Caller) -> Result:
    """Let a person pay, or say why not. With `ok` the money moves at once. Raises Refusal."""
    checkout = call.bot.shop.checkouts.get(call.text("pre_checkout_query_id"))
    if checkout is None or checkout.state is not CheckoutState.WAITING:
        raise Refusal(400, _TOO_OLD)
    if call.now - checkout.opened > PATIENCE:
        checkout.state = CheckoutState.LATE
        raise Refusal(400, _TOO_OLD)
    if not call.flag("ok"):
        checkout.message = call.text("error_message")
        if not checkout.message:
            raise Refusal(400, "Bad Request: ERROR_TEXT_EMPTY")
        checkout.state = CheckoutState.REFUSED
        return Result(True)
    checkout.state, checkout.charge = CheckoutState.PAID, f"stx{secrets.token_urlsafe(48)}"
    call.bot.shop.charges[checkout.charge] = Charge(checkout.person, checkout.invoice)
    paid = successful_payment(_person(checkout.person), _terms(checkout.invoice, checkout.charge))
    return Result(True, then=paid)


def refund_star_payment(call: Caller) -> Result:
    """Give Stars back, once. Raises Refusal."""
    name = call.text("telegram_payment_charge_id")
    if not name:
        raise Refusal(400, "Bad Request: CHARGE_ID_EMPTY")
    charge = call.bot.shop.charges.get(name)
    if charge is None or charge.person["id"] != call.number("user_id"):
        raise Refusal(400, "Bad Request: USER_ID_INVALID")
    if charge.is_back:
        raise Refusal(400, "Bad Request: CHARGE_ALREADY_REFUNDED")
    charge.is_back = True
    back = refunded_payment(_person(charge.person), _terms(charge.invoice, name))
    return Result(True, then=back)


def open_checkout(
    call: Caller, invoice: str, person: dict[str, Any]
) -> tuple[Checkout, dict[str, Any]]:
    """A person presses Pay. Return the checkout, and the update that asks the bot.

    Raises KeyError for an invoice that does not exist.
    """
    query, terms = str(secrets.randbits(62)), call.bot.shop.invoices[invoice]
    checkout = call.bot.shop.checkouts[query] = Checkout(call.now, person, terms)
    return checkout, {"pre_checkout_query": {"id": query, "from": person, **_terms(terms)}}


def _invoice(call: Caller) -> StarsInvoice:
    title, description = _words(call, "title", 32), _words(call, "description", 255)
    payload = _words(call, "payload", 128)
    currency, prices = call.text("currency"), call.structure("prices")
    if currency != CURRENCY:  # no payment provider is connected here
        raise Refusal(400, "Bad Request: PAYMENT_PROVIDER_INVALID")
    if call.text("provider_token"):
        raise Refusal(400, "Bad Request: PAYMENT_PROVIDER_INVALID")
    if any(call.text(name) not in ("", "0", "False", "false", "[]") for name in _NOT_FOR_STARS):
        raise Refusal(400, "Bad Request: STARS_INVOICE_INVALID")
    if not isinstance(prices, list) or len(prices) != 1:
        raise Refusal(400, "Bad Request: STARS_INVOICE_INVALID")
    amount = prices[0].get("amount") if isinstance(prices[0], dict) else None
    if type(amount) is not int or amount < 1 or not prices[0].get("label"):
        raise Refusal(400, "Bad Request: CURRENCY_TOTAL_AMOUNT_INVALID")
    return StarsInvoice(title, description, payload, currency, amount)


def _words(call: Caller, name: str, longest: int) -> str:
    text = call.text(name)
    if not text:
        raise Refusal(400, f'Bad Request: parameter "{name}" is required')
    size = len(text.encode()) if name == "payload" else len(text)
    if size > longest:
        raise Refusal(400, f"Bad Request: INVOICE_{name.upper()}_INVALID")
    return text


def _terms(invoice: StarsInvoice, charge: str = "") -> dict[str, Any]:
    terms: dict[str, Any] = {
        "currency": invoice.currency,
        "total_amount": invoice.amount,
        "invoice_payload": invoice.payload,
    }
    if charge:
        terms |= {"telegram_payment_charge_id": charge, "provider_payment_charge_id": ""}
    return terms


def _person(user: dict[str, Any]) -> Person:
    return Person(user["id"], user.get("first_name", ""), username=user.get("username", ""))
