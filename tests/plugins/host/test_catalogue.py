"""The catalogue tells of every adapter and preset, as data for a form and as a page."""

import json
import re

import pytest

from plugins.contract import EventKind
from plugins.host import catalogue
from plugins.registry import BUILT_INS
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.presets import Field
from tests.support import ROOT


@pytest.fixture(scope="module")
def page() -> str:
    return catalogue.page()


def row(page: str, first: str) -> list[str]:
    """The cells of the one row of the page that begins so."""
    (line,) = re.findall(rf"^\| {re.escape(first)} \|(.*)\|$", page, re.MULTILINE)
    return [cell.strip() for cell in line.split("|")]


def test_the_page_of_trackers_is_what_the_files_say(page):
    written = (ROOT / "docs" / "trackers.md").read_text()
    assert written == page, "run: python -m plugins.host.catalogue > docs/trackers.md"


def test_every_adapter_and_every_preset_has_a_row(page):
    for name in BUILT_INS:
        assert f"| `{name}` |" in page
    for preset in presets.presets().values():
        assert row(page, preset.title)[0] == f"`{preset.key}`"


def test_an_adapter_is_told_with_its_probe_its_limits_and_what_it_asks_for(page):
    assert row(page, "AlterCPA Lite") == ["`altercpa_lite`", "yes", "", "", "`domain`, `key`"]
    meta = next(line for line in page.splitlines() if "`meta_capi`" in line)
    assert "age 7 d" in meta


def test_a_preset_is_told_with_its_click_and_the_word_of_every_event(page):
    keitaro = presets.find("keitaro")
    cells = row(page, "Keitaro")
    assert f"`{keitaro.click.macro}`" in cells
    assert f"[{keitaro.date}]({keitaro.source})" in cells
    (words,) = re.findall(r"^\| `keitaro` \| one \|(.*)\|$", page, re.MULTILINE)
    mode = keitaro.modes["one"]
    told = [cell.strip().strip("`") for cell in words.split("|")]
    assert told == [mode.statuses.get(kind, "") for kind in EventKind]


def test_every_table_has_as_many_cells_in_each_row_as_in_its_head(page):
    tables = re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE)
    assert len(tables) == 3
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1


def test_the_list_tells_what_a_form_needs_and_no_secret_default():
    listed = {one["key"]: one for one in catalogue.listed()}
    assert list(listed) == list(presets.presets())
    keitaro = listed["keitaro"]
    assert [mode["name"] for mode in keitaro["modes"]] == ["one", "separate"]
    assert keitaro["modes"][0]["title"] == "one conversion that changes status"
    assert listed["affise"]["modes"][0]["statuses"]["hold"] == "5"
    assert [field["name"] for field in keitaro["fields"] if field["secret"]] == ["postback_key"]
    assert keitaro["click"]["macro"] == "{subid}"
    assert json.loads(json.dumps(list(listed.values()))) == list(listed.values())


@pytest.mark.parametrize(
    ("field", "required"),
    [
        (Field("goal", "Goal"), True),
        (Field("goal", "Goal", required=False), False),
        (Field("goal", "Goal", default="1"), False),
    ],
)
def test_what_has_a_default_may_be_left_empty(field, required):
    asked = catalogue._field(field)
    assert (asked["name"], asked["required"], asked["default"]) == (
        "goal", required, field.default,
    )  # fmt: skip
