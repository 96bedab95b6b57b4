"""The rules of Telegram Stars: prices, invoice links, refunds, checkouts, confirmations."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Response
from plugins.payments import registry, telegram_stars
from plugins.payments.contract import BuyerUnknown, Confirmation, Invoice, Price, Received, Refused
from plugins.payments.telegram_stars import Objection, OpenInvoice, checkout_objection

GIVEN = {"stars": {"cat": 1800}, "stars_per_usd": 75.3, "support": "@support"}
AROUND = {"service_bot_token": "5:AA-secret", "telegram_api_url": "https://api.example"}
INVOICE = Invoice(
    "ref-1", {"USD": 24, "RUB": 2400}, "Gatepost: Kitty, 30 days", plan="cat", buyer=7
)
RECEIVED = Received("ref-1", 1800, "XTR", "c-1", 7)


@pytest.fixture
def stars():
    return registry.load("telegram_stars", GIVEN, AROUND)


def answered(body, status=200):
    return Response(status, {}, json.dumps(body).encode())


def test_a_plan_has_its_price_or_that_of_its_dollars(stars):
    def price(plan, usd):
        invoice = dataclasses.replace(INVOICE, plan=plan, prices={"USD": usd})
        return stars.hook.price_invoice(invoice=invoice, settings=stars.settings)

    assert price("cat", 24) == Price(1800, "XTR")
    assert price("tiger", 88) == Price(6627, "XTR")
    alone = registry.load("telegram_stars", {**GIVEN, "stars_per_usd": None}, AROUND)
    with pytest.raises(Refused, match="tiger"):
        alone.hook.price_invoice(
            invoice=dataclasses.replace(INVOICE, plan="tiger"), settings=alone.settings
        )


def test_an_invoice_link_is_asked_for_and_shows_no_token(stars):
    request = stars.hook.build_invoice(invoice=INVOICE, settings=stars.settings)
    assert request.url == "https://api.example/bot5:AA-secret/createInvoiceLink"
    assert "AA-secret" not in request.redacted()
    assert json.loads(request.body) == {
        "title": "Gatepost: Kitty, 30 days",
        "description": "Gatepost: Kitty, 30 days",
        "payload": "ref-1",
        "provider_token": "",
        "currency": "XTR",
        "prices": [{"label": "Gatepost: Kitty, 30 days", "amount": 1800}],
    }


def test_who_is_unknown_to_telegram_gets_no_invoice(stars):
    with pytest.raises(BuyerUnknown):
        stars.hook.build_invoice(
            invoice=dataclasses.replace(INVOICE, buyer=None), settings=stars.settings
        )


@pytest.mark.parametrize(
    "answer",
    [
        answered({"ok": False, "description": "Bad Request: STARS_INVOICE_INVALID"}, 400),
        answered({"ok": True, "result": 5}),
        answered({"ok": True, "result": "javascript:alert(1)"}),
        answered([]),
        Response(502, {}, b"<html>"),
        Response(200, {}, b""),
    ],
)
def test_what_is_no_link_is_refused(stars, answer):
    with pytest.raises(Refused, match="Telegram"):
        stars.hook.read_invoice(response=answer, invoice=INVOICE, settings=stars.settings)


def test_a_refund_names_who_paid_and_which_charge(stars):
    request = stars.hook.build_refund(received=RECEIVED, settings=stars.settings)
    assert request.url.endswith("/refundStarPayment")
    assert json.loads(request.body) == {"user_id": 7, "telegram_payment_charge_id": "c-1"}
    for changes in ({"payer": None}, {"charge": ""}):
        with pytest.raises(Refused):
            stars.hook.build_refund(
                received=dataclasses.replace(RECEIVED, **changes), settings=stars.settings
            )


def test_a_refund_that_was_made_before_is_as_good(stars):
    def read(answer):
        return stars.hook.read_refund(response=answer, received=RECEIVED, settings=stars.settings)

    assert read(answered({"ok": True, "result": True}))
    again = {"ok": False, "description": "Bad Request: CHARGE_ALREADY_REFUNDED"}
    assert read(answered(again, 400))
    assert not read(answered({"ok": True, "result": False}))
    with pytest.raises(Refused):
        read(answered({"ok": False, "description": "Bad Request: USER_ID_INVALID"}, 400))


@given(status=st.integers(100, 599), body=st.binary(max_size=200))
def test_any_answer_at_all_is_a_link_or_refused(status, body):
    stars = registry.load("telegram_stars", GIVEN, AROUND)
    response = Response(status, {}, body)
    with pytest.raises(Refused):
        stars.hook.read_invoice(response=response, invoice=INVOICE, settings=stars.settings)
    with pytest.raises(Refused):
        stars.hook.read_refund(response=response, received=RECEIVED, settings=stars.settings)


PRICE = Price(1800, "XTR")
OPEN = OpenInvoice(PRICE, buyer=7, is_paid=False, is_banned=False, may_choose=True)


def test_the_right_person_may_pay_the_right_price_of_an_open_invoice():
    assert checkout_objection(OPEN, PRICE, 7) is None


@pytest.mark.parametrize(
    ("changes", "objection"),
    [
        ({"buyer": 8}, Objection.FOREIGN),
        ({"buyer": None}, Objection.FOREIGN),
        ({"is_banned": True}, Objection.BANNED),
        ({"is_paid": True}, Objection.PAID),
        ({"price": Price(1, "XTR")}, Objection.PRICE),
        ({"price": Price(1800, "USD")}, Objection.PRICE),
        ({"may_choose": False}, Objection.ACTIVE),
    ],
)
def test_anything_else_is_refused_with_its_reason(changes, objection):
    assert checkout_objection(dataclasses.replace(OPEN, **changes), PRICE, 7) is objection


def test_an_invoice_that_nobody_knows_is_refused():
    assert checkout_objection(None, PRICE, 7) is Objection.UNKNOWN


@given(st.tuples(*[st.booleans()] * 5))
def test_only_what_is_right_in_every_respect_goes_on(right):
    own, is_open, price, is_active, may_choose = right
    invoice = OpenInvoice(
        price=PRICE if price else Price(1, "XTR"),
        buyer=7 if own else 8,
        is_paid=not is_open,
        is_banned=not is_active,
        may_choose=may_choose,
    )
    assert (checkout_objection(invoice, PRICE, 7) is None) is all(right)


def test_a_payment_and_its_refund_are_confirmed_for_the_same_invoice():
    paid = telegram_stars.confirmation("ref-1", PRICE, "c-1", 7, is_refund=False)
    assert paid == Confirmation("ref-1", True, 1800, "XTR", "c-1", 7)
    back = telegram_stars.confirmation("ref-1", PRICE, "c-1", None, is_refund=True)
    assert back == Confirmation("ref-1", False, 1800, "XTR", "c-1", None)
