"""Loading the payment gateway that the operator named."""

from types import SimpleNamespace

import pytest

from plugins.payments import registry, signed
from plugins.payments.contract import gatewayimpl

STARS = {"stars": {"cat": 1800}, "support": "@support"}
AROUND = {"service_bot_token": "5:AA-secret", "telegram_api_url": "https://api.example"}


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


def test_only_what_the_schema_asks_for_is_added_to_the_settings():
    stars = registry.load("telegram_stars", STARS, AROUND)
    assert stars.settings["service_bot_token"] == "5:AA-secret"
    assert "service_bot_token" not in registry.load("signed_gateway", SIGNED, AROUND).settings


def test_an_unknown_gateway_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(registry.NotAGateway, match="signed_gateway, telegram_stars"):
        registry.load("nobody", {})


def test_wrong_settings_are_refused_by_the_field():
    with pytest.raises(registry.NotAGateway, match="secret"):
        registry.load("signed_gateway", {**SIGNED, "secret": "short"})
