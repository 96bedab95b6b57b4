"""The gateway that the environment names is the one in use, or the boot stops."""

import pytest

from app.config import BadSetting
from app.domain.tariffs import PLANS
from app.errors import NoGateway
from app.services.billing import gateway
from app.services.billing.gateway import configured
from plugins.payments import registry
from tests.support.payment_gateway import GatewayDouble


def test_a_wrong_gateway_stops_the_start(settings):
    wrong = (
        {"PAYMENT_GATEWAY": "nothing"},
        {"PAYMENT_GATEWAY": "signed_gateway"},
        {"PAYMENT_GATEWAY": "signed_gateway", "PAYMENT_SETTINGS": '{"url": 5}'},
    )
    for changes in wrong:
        with pytest.raises(BadSetting, match="PAYMENT_"):
            configured(settings(**changes))
    for text in ("[]", "{", "5"):
        with pytest.raises(BadSetting, match="PAYMENT_SETTINGS"):
            settings(PAYMENT_SETTINGS=text)
    assert configured(settings()) is None
    assert NoGateway.code == "gateway"


def test_without_a_gateway_nothing_can_be_sold(app):
    with pytest.raises(NoGateway):
        gateway.current()


def test_a_gateway_without_the_hook_that_is_asked_for_is_as_good_as_none(app, monkeypatch):
    double = GatewayDouble()
    double.url = "http://127.0.0.1:9"
    monkeypatch.setitem(app.extensions, "gateway", registry.load("signed_gateway", double.settings))
    assert gateway.current("build_check").name == "signed_gateway"
    with pytest.raises(NoGateway):
        gateway.current("no_such_hook")


def test_an_invoice_leads_the_buyer_back_only_where_there_is_a_public_address(app, change_settings):
    change_settings(public_url="https://gatepost.example")
    invoice = gateway.invoice_of("ref-1", PLANS["cat"], 5)
    assert invoice.prices == {"USD": 24, "RUB": 2400}
    assert invoice.return_url == "https://gatepost.example/api/pay/check?payment=ref-1"
    change_settings(public_url="")
    assert gateway.invoice_of("ref-1", PLANS["cat"], 5).return_url == ""
