"""Loading: built-ins first, strangers in quarantine, nothing silent."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from plugins.contract import ENTRY_POINT_GROUP
from plugins.registry import AdapterFailed, BrokenTracker, Registry, UnknownTracker, make_adapter
from plugins.testing import sample_event

GOOD = """
import marshmallow
from plugins import Outcome, Request, Verdict, hookimpl

@hookimpl
def settings_schema():
    return marshmallow.Schema()

@hookimpl
def build_request(event):
    return Request("GET", f"https://{__name__.replace('_', '-')}.example/")

@hookimpl
def classify_response(response):
    return Outcome(Verdict.DELIVERED)
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write modules and name each in an entry point of its own."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def install(**sources: str) -> list[EntryPoint]:
        for name, source in sources.items():
            (tmp_path / f"stranger_{name}.py").write_text(source)
        return [EntryPoint(name, f"stranger_{name}", ENTRY_POINT_GROUP) for name in sources]

    yield install
    for name in set(sys.modules) - before:
        if name.startswith("stranger_"):
            del sys.modules[name]


def reason(registry: Registry, name: str) -> str:
    with pytest.raises(BrokenTracker) as caught:
        registry.get(name)
    assert caught.value.reason in [broken.reason for broken in registry.broken]
    return caught.value.reason


def test_the_built_ins_load():
    registry = Registry.load()
    assert "url_template" in registry.names()
    assert registry.broken == ()


def test_an_unknown_tracker_is_not_a_broken_one():
    with pytest.raises(UnknownTracker, match="nobody"):
        Registry.load(()).get("nobody")


def test_a_strangers_adapter_is_used(installed):
    registry = Registry.load(installed(good=GOOD))
    (request,) = registry.get("good").build(sample_event(), {})
    assert request.url == "https://stranger-good.example/"
    assert registry.names() == (*Registry.load(()).names(), "good")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named"),
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("def broken(", "SyntaxError"),
        ("def f(): f()\nf()", "RecursionError"),
        ("x = 1", "lacks settings_schema, build_request, classify_response; is each marked"),
        (GOOD.replace("def build_request", "def buld_request"), "did you mean build_request?"),
        (GOOD.replace("build_request(event)", "build_request(evnt)"), "evnt"),
        (GOOD.replace("marshmallow.Schema()", "{}"), "returned dict instead of a Schema"),
        (GOOD.replace("marshmallow.Schema()", "1 / 0"), "raised ZeroDivisionError"),
        (GOOD + "\n@hookimpl\ndef build_probe(settings): ...", "only work together"),
    ],
)
def test_a_broken_plugin_is_remembered_with_its_reason(installed, source: str, why: str):
    registry = Registry.load(installed(bad=source, good=GOOD))
    assert why in reason(registry, "bad")
    assert "good" in registry.names()
    assert "bad" not in registry.names()


def test_a_missing_attribute_is_a_reason(installed):
    installed(good=GOOD)
    point = EntryPoint("bad", "stranger_good:nothing", ENTRY_POINT_GROUP)
    assert "AttributeError" in reason(Registry.load([point]), "bad")


def test_a_stranger_cannot_take_a_name(installed):
    (good,) = installed(good=GOOD)
    own = EntryPoint("url_template", good.value, ENTRY_POINT_GROUP)
    twin = EntryPoint("good", "stranger_other", ENTRY_POINT_GROUP)
    registry = Registry.load([own, twin, good])
    assert registry.get("url_template").distribution == "gatepost"
    assert registry.get("good").build(sample_event(), {})
    assert sorted(broken.name for broken in registry.broken) == ["good", "url_template"]
    assert "taken by gatepost" in registry.broken[1].reason


def test_one_adapters_call_never_reaches_another(installed):
    spy = GOOD.replace(
        "@hookimpl\ndef build_request", "@hookimpl(specname='build_request')\ndef spying"
    )
    registry = Registry.load(installed(good=GOOD, spy=spy))
    (request,) = registry.get("good").build(sample_event(), {})
    assert request.url == "https://stranger-good.example/"


@pytest.mark.parametrize("name", ["", "Upper", "with-dash", "a" * 65, "1st", "a\n"])
def test_a_name_must_fit_the_database_and_a_url(name: str):
    with pytest.raises(AdapterFailed, match="name"):
        make_adapter(name, sys)


def test_a_class_is_no_plugin():
    with pytest.raises(AdapterFailed, match="instance"):
        make_adapter("a_class", Path)


def test_distribution_and_version_are_known():
    adapter = Registry.load(()).get("url_template")
    assert (adapter.name, adapter.distribution) == ("url_template", "gatepost")
