"""Presets of an operator's own: used like the built-in ones, or refused in one sentence."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.config import BadSetting, Settings
from app.services.trackers import catalogue
from plugins.host import catalogue as host_catalogue
from plugins.registry import Registry
from plugins.testing import sample_event
from plugins.trackers.url_template import preset_files, presets
from tests.support import ROOT

SHOP: dict[str, Any] = {
    "key": "shop",
    "title": "Our shop",
    "kind": "tracker",
    "source": "https://shop.example/docs",
    "date": "2026-11-29",
    "confidence": "seen",
    "fields": [{"name": "domain", "title": "Domain"}, {"name": "token", "title": "Token"}],
    "click": {"parameter": "cid", "macro": "{cid}"},
    "modes": {
        "one": {
            "url": "https://{domain}/in?cid={click}&to={token}&s={status}",
            "statuses": {"approve": "sale"},
        }
    },
    "answer_rules": [{"contains": "bad", "outcome": "refused"}],
}


def folder_of(tmp_path: Path, **changes: Any) -> Path:
    raw = {name: value for name, value in {**SHOP, **changes}.items() if value is not None}
    (tmp_path / "shop.json").write_text(json.dumps(raw))
    return tmp_path


@pytest.fixture
def taken():
    """Whatever a test takes is given back."""
    yield presets.replace_added
    presets.replace_added({})


def test_a_preset_of_a_folder_is_used_like_any_other(tmp_path, taken):
    taken(preset_files.read_folder(folder_of(tmp_path), presets.built_in()))
    adapter = Registry.load(entry_points=()).get("url_template")
    fields = {"domain": "track.example.com", "token": "abcdef12"}
    kept = adapter.check_settings({"preset": "shop", "fields": fields})
    (request,) = adapter.build(sample_event(), kept)
    assert request.url == "https://track.example.com/in?cid=Click_1-2&to=abcdef12&s=sale"
    assert list(presets.presets())[-1] == "shop"


def test_the_example_folder_is_shown_beside_the_others(taken):
    registry = catalogue.load_trackers(str(ROOT / "examples" / "presets"))
    assert "url_template" in registry.names()
    assert host_catalogue.listed()[-1]["key"] == "our_shop"
    catalogue.load_trackers("")
    assert host_catalogue.listed()[-1]["key"] != "our_shop"


def test_every_built_in_preset_keeps_the_rules_for_those_of_operators(tmp_path):
    source = Path(presets.__file__).parent / "presets"
    assert preset_files.read_folder(source, {}).keys() == presets.built_in().keys()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": None}, "lacks title"),
        ({"surprise": 1}, "there is no key surprise"),
        ({"title": ""}, "title: is empty"),
        ({"kind": "shop"}, "kind: must be one of tracker, cpa, network"),
        ({"confidence": "sure"}, "confidence: must be one of"),
        ({"date": "yesterday"}, "Invalid isoformat"),
        ({"key": "store"}, "its key is store, so name it store.json"),
        ({"modes": {"all": SHOP["modes"]["one"]}}, "modes: must be some of one, separate"),
        ({"modes": {"one": {"url": "ftp://x.example/"}}}, "another shape"),
        ({"fields": ["domain"]}, "another shape"),
        ({"fields": SHOP["fields"][:1]}, "no macro or field {token}"),
        ({"fields": [*SHOP["fields"], {"name": "goal", "title": "G"}]}, "goal: no URL"),
        ({"fields": [*SHOP["fields"], {"name": "click", "title": "G"}]}, "click: a name of its"),
        ({"click": {"parameter": "c", "macro": "", "pattern": "("}}, "no regular expression"),
        ({"click": {"parameter": "c", "macro": "", "max_length": 900}}, "max_length"),
        ({"answer_rules": [{"outcome": "perhaps"}]}, "answer_rules: rule 1"),
        (
            {"modes": {"one": {**SHOP["modes"]["one"], "url": "http://{domain}:1/{token}?c={click}"}}},
            "modes: one: http://",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_with_its_name(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=r"^shop\.json: ") as refused:
        preset_files.read_folder(folder_of(tmp_path, **changes), presets.built_in())
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_no_file_takes_the_place_of_a_built_in_preset(tmp_path):
    text = json.dumps({**SHOP, "key": "keitaro"})
    (tmp_path / "keitaro.json").write_text(text)
    with pytest.raises(ValueError, match=r"keitaro\.json: a built-in preset has this key"):
        preset_files.read_folder(tmp_path, presets.built_in())


@pytest.mark.parametrize("text", ["{", "[]", "\xff", '"x"', "[" * 100_000])
def test_what_is_no_preset_at_all_is_named(tmp_path, text):
    (tmp_path / "shop.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=r"^shop\.json: is no JSON"):
        preset_files.read_folder(tmp_path, {})


def test_the_setting_ends_the_start_with_the_file(tmp_path):
    needed = {"REDIS_URL": "redis://localhost", "SECRET_KEY": "0123456789abcdef"}
    folder = str(folder_of(tmp_path))
    assert Settings.from_environment(needed | {"PRESETS_DIR": folder}).presets_dir == folder
    folder_of(tmp_path, title=None)
    with pytest.raises(BadSetting, match=r"^PRESETS_DIR: shop\.json: lacks title$"):
        catalogue.load_trackers(folder)
    with pytest.raises(BadSetting, match=r"^PRESETS_DIR: is no folder$"):
        Settings.from_environment(needed | {"PRESETS_DIR": f"{folder}/none"})
