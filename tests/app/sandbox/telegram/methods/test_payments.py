"""The double sells for Stars as Telegram does, and refuses as it does."""

import json

import pytest
import requests

from app.sandbox.serving import running
from app.sandbox.telegram.bot.shop import CheckoutState
from app.sandbox.telegram.people import Person
from app.sandbox.telegram.server import BotApiDouble

TOKEN = "123456:ABC-def"
ANN = Person(77, username="ann")
INVOICE = {
    "title": "Kitty",
    "description": "30 days",
    "payload": "ref-1",
    "provider_token": "",
    "currency": "XTR",
    "prices": [{"label": "Kitty", "amount": 1800}],
}


@pytest.fixture
def double():
    double = BotApiDouble()
    double.add_bot(TOKEN, "gate_bot")
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture
def bot(double):
    def call(method, **params):
        return requests.post(f"{double.url}/bot{TOKEN}/{method}", json=params, timeout=60).json()

    return call


def updates(bot):
    return bot("getUpdates", allowed_updates=["message", "pre_checkout_query"])["result"]


def asked(bot, double, **changes):
    """A person presses Pay; the query that the bot gets."""
    link = bot("createInvoiceLink", **INVOICE)["result"]
    return double.pay(TOKEN, link, ANN), updates(bot)[-1]["pre_checkout_query"]


def test_an_invoice_is_paid_when_the_bot_says_yes(bot, double):
    checkout, query = asked(bot, double)
    assert (query["total_amount"], query["currency"], query["invoice_payload"]) == (
        1800, "XTR", "ref-1",
    )  # fmt: skip
    assert query["from"]["id"] == ANN.id
    assert bot("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)["ok"]
    message = updates(bot)[-1]["message"]
    assert message["from"]["id"] == message["chat"]["id"] == ANN.id
    assert message["successful_payment"] == {
        "currency": "XTR",
        "total_amount": 1800,
        "invoice_payload": "ref-1",
        "telegram_payment_charge_id": checkout.charge,
        "provider_payment_charge_id": "",
    }


def test_an_invoice_that_was_sent_is_paid_as_well(bot, double):
    message = bot("sendInvoice", chat_id=ANN.id, **INVOICE)["result"]
    assert message["invoice"]["total_amount"] == 1800
    assert double.sent(TOKEN)[-1].method == "sendInvoice"
    double.pay(TOKEN, f"{ANN.id}/{message['message_id']}", ANN)
    assert updates(bot)[-1]["pre_checkout_query"]["invoice_payload"] == "ref-1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "USD"}, "PAYMENT_PROVIDER_INVALID"),
        ({"currency": "XTS"}, "PAYMENT_PROVIDER_INVALID"),
        ({"provider_token": "123:TEST:45"}, "PAYMENT_PROVIDER_INVALID"),
        ({"prices": []}, "STARS_INVOICE_INVALID"),
        ({"prices": INVOICE["prices"] * 2}, "STARS_INVOICE_INVALID"),
        ({"max_tip_amount": 5}, "STARS_INVOICE_INVALID"),
        ({"need_email": True}, "STARS_INVOICE_INVALID"),
        ({"prices": [{"label": "x", "amount": 0}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [{"label": "x", "amount": "5"}]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"prices": [5]}, "CURRENCY_TOTAL_AMOUNT_INVALID"),
        ({"title": "x" * 33}, "INVOICE_TITLE_INVALID"),
        ({"payload": "я" * 65}, "INVOICE_PAYLOAD_INVALID"),
        ({"description": ""}, 'parameter "description" is required'),
    ],
)
@pytest.mark.parametrize("method", ["createInvoiceLink", "sendInvoice"])
def test_an_invoice_that_cannot_be_is_refused(bot, method, changes, said):
    answer = bot(method, chat_id=ANN.id, **{**INVOICE, **changes})
    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {said}")


def test_a_refusal_needs_a_reason_and_moves_no_money(bot, double):
    checkout, query = asked(bot, double)
    answer = bot("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=False)
    assert answer["description"].endswith("ERROR_TEXT_EMPTY")
    bot(
        "answerPreCheckoutQuery",
        pre_checkout_query_id=query["id"], ok=False, error_message="sold out",
    )  # fmt: skip
    assert (checkout.state, checkout.message) == (CheckoutState.REFUSED, "sold out")
    assert len(updates(bot)) == 1


def test_a_checkout_is_answered_once_and_in_time(bot, double):
    checkout, query = asked(bot, double)
    checkout.opened -= 11
    late = bot("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    assert "query is too old" in late["description"]
    assert checkout.state is CheckoutState.LATE
    checkout, query = asked(bot, double)
    assert bot("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)["ok"]
    assert not bot("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)["ok"]
    assert not bot("answerPreCheckoutQuery", pre_checkout_query_id="5", ok=True)["ok"]


def test_stars_go_back_once_and_to_who_paid_them(bot, double):
    checkout, query = asked(bot, double)
    bot("answerPreCheckoutQuery", pre_checkout_query_id=query["id"], ok=True)
    right = {"user_id": ANN.id, "telegram_payment_charge_id": checkout.charge}

    def refused(**changes):
        return bot("refundStarPayment", **{**right, **changes})["description"].split()[-1]

    assert refused(telegram_payment_charge_id="") == "CHARGE_ID_EMPTY"
    assert refused(user_id=78) == "USER_ID_INVALID"
    assert bot("refundStarPayment", **right)["result"] is True
    assert refused() == "CHARGE_ALREADY_REFUNDED"
    back = updates(bot)[-1]["message"]["refunded_payment"]
    assert back["telegram_payment_charge_id"] == checkout.charge


def test_a_person_pays_over_http_too(bot, double):
    link = bot("createInvoiceLink", **INVOICE)["result"]
    body = {"token": TOKEN, "invoice": link, "person": 77}
    answer = requests.post(f"{double.url}/sandbox/pay", data=json.dumps(body), timeout=60)
    assert answer.json() == "waiting"
    assert updates(bot)[-1]["pre_checkout_query"]["from"]["id"] == 77
    body["invoice"] = "https://t.me/$nothing"
    answer = requests.post(f"{double.url}/sandbox/pay", data=json.dumps(body), timeout=60)
    assert answer.status_code == 400


def test_a_bot_that_did_not_ask_for_checkouts_gets_none(bot, double):
    bot("getUpdates", allowed_updates=["message"])
    link = bot("createInvoiceLink", **INVOICE)["result"]
    assert double.pay(TOKEN, link, ANN).state is CheckoutState.WAITING
    assert bot("getUpdates")["result"] == []
