"""The contract of payment gateways, and what docs/plugins.md says of it."""

import dataclasses
import inspect
import json
import re
from types import ModuleType

import pytest

from plugins.contract import Request, Response
from plugins.payments import contract, registry, signed, telegram_stars
from plugins.payments.contract import HOOKS, Confirmation, Invoice, Price, Received
from tests.support import ROOT

TEXT = (ROOT / "docs" / "plugins.md").read_text()
SECTION = TEXT.partition("\n## Payment gateways\n")[2].partition("\n## ")[0]
ENVIRONMENT = ("service_bot_token", "telegram_api_url")
INVOICE = Invoice("ref-1", {"USD": 24, "RUB": 2400}, "Gatepost: Kitty, 30 days", plan="cat")


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
    text = SECTION.partition(title)[2].partition("\n### ")[0]
    names = [name for name in schema().fields if name not in ENVIRONMENT]
    assert re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE) == names


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
    answer = Response(200, {}, json.dumps({"page": "https://pay.example/1"}).encode())
    assert gateway.hook.read_invoice(response=answer, invoice=INVOICE, settings={}).startswith(
        "https://pay.example"
    )
