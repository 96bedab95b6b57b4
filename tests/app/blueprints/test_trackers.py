"""What trackers/list tells of the adapters."""

import pytest

from plugins.contract import EventKind

pytestmark = pytest.mark.usefixtures("no_own_network")


# trackers/list


def test_every_adapter_is_listed_with_the_fields_it_asks_for(api):
    listed = {one["key"]: one for one in api.get("trackers/list")["data"]}
    lite = listed["altercpa_lite"]
    assert (lite["title"], lite["broken"]) == ("AlterCPA Lite", "")
    assert lite["events"] == list(EventKind)
    fields = {field["name"]: field for field in lite["fields"]}
    assert list(fields) == ["domain", "key"]
    assert (fields["domain"]["secret"], fields["key"]["secret"]) == (False, True)
    assert fields["key"]["required"]
    method = {field["name"]: field for field in listed["url_template"]["fields"]}["method"]
    assert (method["choices"], method["default"]) == (["GET", "POST"], "GET")


def test_presets_are_listed_with_what_they_ask_for(api):
    listed = {one["key"]: one for one in api.get("trackers/list")["data"]}
    presets = {preset["key"]: preset for preset in listed["url_template"]["presets"]}
    fields = {field["name"]: field for field in presets["keitaro"]["fields"]}
    assert fields["domain"]["secret"] is False
    assert [field for field in fields.values() if field["secret"]]
    assert listed["altercpa_lite"]["presets"] == []
