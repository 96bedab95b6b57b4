"""Payment gateways: what they must have, what they are given, and what the page says of them."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.contract import Request, Response
from plugins.payments import contract, registry, signed, telegram_stars
from plugins.payments.contract import (
    HOOKS,
    BuyerUnknown,
    Confirmation,
    Invoice,
    Price,
    Received,
    Refused,
    gatewayimpl,
)

TEXT = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text()
SECTION = TEXT.partition("\n## Payment gateways\n")[2].partition("\n## ")[0]

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


# -- the page ------------------------------------------------------------------


def test_every_hook_is_documented_with_its_arguments():
    documented = dict(re.findall(r"^#### `(\w+)\((.*)\)`", SECTION, re.MULTILINE))
    assert documented == {
        hook.__name__: ", ".join(inspect.signature(hook).parameters) for hook in HOOKS
    }


@pytest.mark.parametrize("value", [Invoice, Price, contract.Notice, Confirmation, Received])
def test_every_field_of_a_value_is_named(value):
    assert f"`{value.__name__}`" in SECTION
    missing = [one.name for one in dataclasses.fields(value) if f"`{one.name}`" not in SECTION]
    assert missing == []


@pytest.mark.parametrize(
    ("schema", "title"),
    [
        (signed.GatewaySettings, "### `signed_gateway`"),
        (telegram_stars.StarsSettings, "### `telegram_stars`"),
    ],
)
def test_every_setting_is_explained(schema, title):
    told = SECTION.partition(title)[2].partition("\n### ")[0]
    names = [name for name in schema().fields if name not in AROUND]
    assert re.findall(r"^\| `([^`]+)` \|", told, re.MULTILINE) == names


def test_the_group_the_variables_and_the_signature_are_named():
    for word in (
        contract.GATEWAYS_GROUP, "PAYMENT_GATEWAY", "PAYMENT_SETTINGS", signed.SIGNATURE,
        "HMAC-SHA256", *registry.BUILT_INS,
    ):  # fmt: skip
        assert word in SECTION


def test_the_example_is_a_whole_gateway():
    source = SECTION.partition("```python\n")[2].partition("```")[0]
    plugin = ModuleType("documented")
    exec(source, plugin.__dict__)  # noqa: S102  # our own text
    gateway = registry.make_gateway("documented", plugin, {"key": "k-123456"})
    request = gateway.hook.build_invoice(invoice=INVOICE, settings=gateway.settings)
    assert isinstance(request, Request)
    assert "k-123456" not in request.redacted()
    answer = answered({"page": "https://pay.example/1"})
    assert gateway.hook.read_invoice(response=answer, invoice=INVOICE, settings={}).startswith(
        "https://pay.example"
    )


# -- loading -------------------------------------------------------------------


def hooks(*names):
    """A gateway of these hooks."""
    made = {name: gatewayimpl(_doing(name)) for name in names}
    return SimpleNamespace(**made)


def _doing(name):
    def hook():
        return signed.GatewaySettings()

    hook.__name__ = name
    return hook


NEEDED = ("gateway_schema", "build_invoice", "read_invoice")
SIGNED = {"url": "https://pay.example", "merchant": "m", "secret": "s" * 16}


@pytest.mark.parametrize(
    ("present", "missing"),
    [
        (NEEDED[1:], "gateway_schema"),
        (NEEDED[:1], "build_invoice, read_invoice"),
        ((*NEEDED, "build_check"), "read_check"),
        ((*NEEDED, "read_refund"), "build_refund"),
    ],
)
def test_a_gateway_that_lacks_a_hook_is_refused_by_name(present, missing):
    with pytest.raises(registry.NotAGateway, match=f"^mine lacks {missing}$"):
        registry.make_gateway("mine", hooks(*present), SIGNED)


def test_a_gateway_may_do_with_the_three():
    assert registry.make_gateway("mine", hooks(*NEEDED), SIGNED, AROUND).hooks == set(NEEDED)


def test_only_what_the_schema_asks_for_is_added_to_the_settings(stars):
    assert stars.settings["service_bot_token"] == "5:AA-secret"
    assert "service_bot_token" not in registry.load("signed_gateway", SIGNED, AROUND).settings


# -- Stars ---------------------------------------------------------------------


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
