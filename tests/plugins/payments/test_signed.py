"""The gateway of three signed JSON messages."""

import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Response
from plugins.payments import signed
from plugins.payments.contract import Confirmation, Invoice, Notice, Refused

SECRET = "s" * 16
SETTINGS = {"url": "https://pay.example/", "merchant": "m", "secret": SECRET, "currency": "RUB"}
INVOICE = Invoice("ref-1", {"USD": 24, "RUB": 2400}, "30 days", "https://me.example/acp", "")
PAID = {"ref": "ref-1", "status": "paid", "amount": 2400, "currency": "RUB"}


def signed_headers(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"x-signature": signed.sign(body, secret)}


def body_of(**changes: object) -> bytes:
    return json.dumps({**PAID, **changes}).encode()


def test_an_invoice_is_asked_for_in_the_operators_currency_and_signed():
    request = signed.build_invoice(INVOICE, SETTINGS)
    assert (request.method, request.url) == ("POST", "https://pay.example/invoices")
    body = json.loads(request.body)
    assert (body["amount"], body["currency"], body["merchant"]) == (2400, "RUB", "m")
    expected = hmac.new(SECRET.encode(), request.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Signature"] == expected


def test_the_page_to_pay_on_is_an_http_address():
    assert signed.read_invoice(Response(200, {}, b'{"url": "https://p.example/1"}'))
    for answer in (
        Response(200, {}, b'{"url": "javascript:1"}'),
        Response(200, {}, b"[]"),
        Response(500, {}, b'{"url": "https://p.example/1"}'),
    ):
        with pytest.raises(Refused):
            signed.read_invoice(answer)


def test_a_signed_notice_confirms_the_payment():
    body = body_of()
    confirmation = signed.read_notice(Notice(body, signed_headers(body)), SETTINGS)
    assert confirmation == Confirmation("ref-1", True, 2400, "RUB")
    body = body_of(status="waiting")
    assert not signed.read_notice(Notice(body, signed_headers(body)), SETTINGS).is_paid


@pytest.mark.parametrize(
    "headers", [{}, {"x-signature": ""}, {"x-signature": "ключ"}, signed_headers(b"{}")]
)
def test_a_notice_with_another_signature_is_refused(headers: dict[str, str]):
    with pytest.raises(Refused, match="signature"):
        signed.read_notice(Notice(body_of(), headers), SETTINGS)


@given(st.binary(max_size=100))
def test_a_signed_body_that_cannot_be_read_is_refused(body: bytes):
    with pytest.raises(Refused):
        signed.read_notice(Notice(body, signed_headers(body)), SETTINGS)


@pytest.mark.parametrize("amount", ["Infinity", "-Infinity", "NaN", "1e400", "2400.5", "[]", '"x"'])
def test_an_amount_that_is_not_whole_is_refused(amount: str):
    body = body_of().replace(b"2400", amount.encode())
    with pytest.raises(Refused, match="cannot be read"):
        signed.read_notice(Notice(body, signed_headers(body)), SETTINGS)


def test_a_check_signs_the_ref_and_takes_an_answer_about_no_other():
    request = signed.build_check("ref-1", SETTINGS)
    assert request.url == "https://pay.example/invoices/ref-1"
    assert request.headers["X-Signature"] == signed.sign(b"ref-1", SECRET)
    body = body_of()
    answer = Response(200, signed_headers(body), body)
    assert signed.read_check(answer, "ref-1", SETTINGS).is_paid
    with pytest.raises(Refused, match="another invoice"):
        signed.read_check(answer, "ref-2", SETTINGS)
    with pytest.raises(Refused, match="HTTP 404"):
        signed.read_check(Response(404), "ref-1", SETTINGS)
