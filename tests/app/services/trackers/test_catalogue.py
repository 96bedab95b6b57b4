"""The adapters of an installation, with one that is broken and one that fails."""

import ipaddress
from typing import Any

import marshmallow
import pytest
from marshmallow import ValidationError

from app.errors import BadParameter
from app.services.trackers import catalogue
from plugins.contract import DeliveryPolicy, hookimpl
from plugins.registry import Broken, Registry, make_adapter
from tests.support.adapters import PlainPlugin

LITE = {"domain": "www.altercpa.red", "key": "42-abc"}
PRIVATE = "https://10.0.0.1/pb"


class Fragile(PlainPlugin):
    """An adapter that fails for settings of its name, in its schema or in its policy."""

    @hookimpl
    def settings_schema(self):
        class Form(marshmallow.Schema):
            @marshmallow.pre_load
            def look(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
                if "schema" in data:
                    raise RuntimeError("the schema fails")
                return data

            policy = marshmallow.fields.String()

        return Form()

    @hookimpl
    def delivery_policy(self, settings):
        if "policy" in settings:
            raise RuntimeError("the policy fails")
        return DeliveryPolicy(send_superseded=True)


@pytest.fixture(autouse=True)
def registry(app, monkeypatch, no_own_network):
    """The built-ins, one that fails, and one that does not load; no network of our own."""
    built_in = Registry.load(entry_points=())
    adapters = {name: built_in.get(name) for name in built_in.names()}
    adapters["fragile"] = make_adapter("fragile", Fragile(), distribution="fragile-plugin")
    broken = (Broken("worn", "worn-plugin", "1.2", "lacks build_request"),)
    monkeypatch.setitem(app.extensions, "trackers", Registry(adapters, broken))


def test_usable_adapters_are_listed_first_and_a_broken_one_with_the_reason():
    listed = catalogue.listed()
    assert [one["broken"] for one in listed] == [""] * (len(listed) - 1) + ["lacks build_request"]
    assert (listed[-1]["key"], listed[-1]["version"]) == ("worn", "1.2")
    assert all(set(one) == set(listed[0]) for one in listed)
    assert [one["key"] for one in listed if one["presets"]] == ["url_template"]
    assert listed[-2]["distribution"] == "fragile-plugin"


@pytest.mark.parametrize(
    ("name", "words"),
    [("nobody", ["nobody", "trackers/list"]), ("worn", ["worn", "lacks build_request"])],
)
def test_what_cannot_be_used_is_refused_with_the_reason(name, words):
    with pytest.raises(BadParameter) as caught:
        catalogue.find(name, "dest")
    assert caught.value.field == "dest"
    assert all(word in caught.value.message for word in words)
    assert catalogue.find_or_none(name) is None


def test_a_usable_adapter_is_found_both_ways():
    assert catalogue.find("altercpa_lite") is catalogue.find_or_none("altercpa_lite")


@pytest.mark.parametrize(("field", "names"), [("settings", ["settings", "key"]), ("", ["key"])])
def test_a_wrong_setting_is_named_below_the_parameter_it_came_in(field, names):
    with pytest.raises(ValidationError) as caught:
        catalogue.check(catalogue.find("altercpa_lite"), {"domain": "a.example"}, field)
    found = caught.value.messages_dict
    for name in names:
        assert list(found) == [name]
        found = found[name]


def test_a_template_that_would_never_be_called_is_refused_by_its_event():
    adapter = catalogue.find("url_template")
    urls = {"wait": "https://t.example/", "approve": PRIVATE}
    with pytest.raises(ValidationError) as caught:
        catalogue.ready(adapter, {"urls": urls})
    assert list(caught.value.messages_dict["settings"]["urls"]) == ["approve"]


@pytest.mark.parametrize(
    ("domain", "scheme"),
    [("127.0.0.1:8080", "http"), ("t.example", "https")],
)
def test_the_scheme_is_http_only_inside_the_networks_that_are_open(change_settings, domain, scheme):
    change_settings(outbound_allow=(ipaddress.ip_network("127.0.0.0/8"),))
    adapter = catalogue.find("altercpa_lite")
    assert catalogue.check(adapter, {**LITE, "domain": domain})["scheme"] == scheme
    typed = {"preset": "keitaro", "fields": {"domain": domain, "postback_key": "0d6b0f1"}}
    assert catalogue.check(catalogue.find("url_template"), typed)["scheme"] == scheme


@pytest.mark.parametrize("part", ["schema", "policy"])
def test_an_adapter_that_fails_is_named_and_nothing_else_happens(part):
    adapter = catalogue.find("fragile")
    with pytest.raises(BadParameter) as caught:
        catalogue.ready(adapter, {part: "x"})
    assert caught.value.field == "tracker"
    assert caught.value.message.startswith("fragile failed: ")
    assert f"the {part} fails" in caught.value.message


def test_an_adapter_says_for_these_settings_whether_it_takes_superseded_events():
    assert catalogue.ready(catalogue.find("fragile"), {}).every_event is True
    ready = catalogue.ready(catalogue.find("altercpa_lite"), LITE)
    assert (ready.every_event, ready.settings["domain"]) == (False, LITE["domain"])
