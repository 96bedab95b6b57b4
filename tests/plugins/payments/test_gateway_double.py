"""The double of a payment gateway: three signed messages, and a buyer who pays when told."""

import json
from typing import Any

import pytest

from app.sandbox.vendors.vendor import VendorCall
from plugins.payments.signed import SIGNATURE, encode_body, sign
from tests.support.payment_gateway import SECRET, GatewayDouble

INVOICE = {"merchant": "gatepost", "ref": "r1", "amount": "5.00", "currency": "USD"}


@pytest.fixture
def gateway() -> GatewayDouble:
    double = GatewayDouble()
    double.url = "http://gateway.example"
    return double


def create(gateway: GatewayDouble, secret: str = SECRET, **changes: Any) -> Any:
    body = {**INVOICE, **changes}
    headers = {SIGNATURE.lower(): sign(encode_body(body), secret)}
    return gateway.answer(VendorCall("POST", "/invoices", headers, body))


def read(gateway: GatewayDouble, ref: str, secret: str = SECRET) -> Any:
    headers = {SIGNATURE.lower(): sign(ref.encode(), secret)}
    return gateway.answer(VendorCall("GET", f"/invoices/{ref}", headers))


def test_an_invoice_is_made_once_and_read_back_signed(gateway):
    assert create(gateway).body == {"url": "http://gateway.example/pay/r1"}
    create(gateway, amount="9.00")
    answer = read(gateway, "r1")
    assert json.loads(answer.data)["amount"] == "5.00"
    assert answer.headers[SIGNATURE] == sign(answer.data, SECRET)


def test_a_payment_shows_in_the_answer_and_in_the_notice(gateway):
    create(gateway)
    gateway.pay("r1", amount="4.00")
    body, headers = gateway.notice("r1")
    assert json.loads(body) == {
        "ref": "r1", "status": "paid", "amount": "4.00", "currency": "USD",
    }  # fmt: skip
    assert headers[SIGNATURE] == sign(body, SECRET)
    assert read(gateway, "r1").data == body


def test_a_wrong_signature_or_merchant_is_refused_and_an_unknown_invoice_is_not_there(gateway):
    assert create(gateway, secret="wrong").status == 403
    assert create(gateway, merchant="somebody").status == 403
    assert read(gateway, "r1", secret="wrong").status == 403
    assert read(gateway, "r1").status == 404
    assert gateway.invoices == {}
