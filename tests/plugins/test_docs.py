"""docs/plugins.md says what the code says, and docs/adding-a-tracker.md what works."""

import configparser
import dataclasses
import inspect
import json
import re
from types import ModuleType
from typing import Any

from plugins import contract, hookspecs, testing
from plugins.kit import macros
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers.url_template.adapter import UrlTemplateSettings
from tests.support import ROOT

DOCS = ROOT / "docs"
TEXT = (DOCS / "plugins.md").read_text()
GUIDE = (DOCS / "adding-a-tracker.md").read_text()
HOOKS = {
    name: tuple(inspect.signature(hook).parameters)
    for name, hook in vars(hookspecs).items()
    if hasattr(hook, "gatepost_spec")
}


def section(title: str) -> str:
    return TEXT.partition(title)[2].partition("\n## ")[0]


def rows(text: str) -> list[str]:
    """What the first column of a table holds in backquotes."""
    return re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)


def test_every_hook_is_documented_with_its_arguments():
    headings = re.findall(r"^### `(\w+)\((.*)\)`", TEXT, re.MULTILINE)
    documented = {name: tuple(filter(None, said.split(", "))) for name, said in headings}
    assert documented == HOOKS


def test_every_hook_explains_itself():
    for name in HOOKS:
        assert len(inspect.getdoc(getattr(hookspecs, name)) or "") > 100


def test_every_field_of_an_event_is_named():
    told = section("## The values")
    assert not [
        field.name for field in dataclasses.fields(contract.Event) if f"`{field.name}`" not in told
    ]


def test_every_verdict_is_explained():
    assert rows(section("## The values")) == [verdict.value for verdict in contract.Verdict]


def test_every_setting_and_macro_of_url_template_is_explained():
    names = [field.data_key or name for name, field in UrlTemplateSettings().fields.items()]
    told = rows(section("## `url_template`"))
    assert told == names + [f"{{{name}}}" for name in macros.KNOWN]


def test_the_group_is_named():
    assert contract.ENTRY_POINT_GROUP in TEXT


def test_the_steps_of_the_guide_add_up_to_a_plugin_of_under_sixty_lines():
    steps, _, tests = GUIDE.partition("## 7. Test it")
    source = "\n\n".join(re.findall(r"```python\n(.*?)```", steps, re.DOTALL))
    assert len([line for line in source.splitlines() if line.strip()]) < 60
    plugin = ModuleType("gatepost_example_tracker")
    exec(source, plugin.__dict__)  # noqa: S102  # our own text
    adapter = make_adapter("example_tracker", plugin)
    settings = adapter.check_settings({"address": "https://t.example", "token": "abcd1234"})
    (request,) = adapter.build(sample_event(), settings)
    assert json.loads(request.body)["status"] == "sale"
    assert "abcd1234" not in request.redacted()
    answer = contract.Response(200, {}, b'{"error": "busy"}')
    outcome = adapter.classify(answer, request, sample_event(), settings)
    assert (outcome.verdict, outcome.retry_after) == (contract.Verdict.RETRY, 30)
    for block in re.findall(r"```python\n(.*?)```", tests, re.DOTALL):
        compile(block, "the guide", "exec")


def test_the_guide_shows_the_files_that_make_a_package():
    (cfg,) = re.findall(r"```ini\n(.*?)```", GUIDE, re.DOTALL)
    setup = configparser.ConfigParser()
    setup.read_string(cfg)
    points = setup["options.entry_points"][contract.ENTRY_POINT_GROUP]
    assert points.split() == ["example_tracker", "=", setup["options"]["py_modules"]]
    assert f"{setup['options']['py_modules']}.py" in GUIDE


def test_the_example_with_steps_state_and_a_probe_keeps_the_contract():
    """Its own test, as the document shows it, is run whole."""
    part = TEXT.partition("### A whole plugin with steps")[2].partition("\n## ")[0]
    source, test = re.findall(r"```python\n(.*?)```", part, re.DOTALL)
    plugin = ModuleType("example_crm")
    exec(source, plugin.__dict__)  # noqa: S102  # our own text
    scope: dict[str, Any] = {
        "example_crm": plugin,
        "AdapterContract": testing.AdapterContract,
        "make_adapter": make_adapter,
        "Response": contract.Response,
    }
    exec(test, scope)  # noqa: S102  # our own text
    suite = scope["TestCrm"]()
    checks = [name for name in dir(suite) if name.startswith("test_")]
    assert len(checks) > 12
    for name in checks:
        getattr(suite, name)()
    person, deal = suite.requests(sample_event(state={"person": "5f"}))
    assert json.loads(deal.body) == {"person": "5f", "stage": "won"}
    assert person.headers["X-Sign"] != deal.headers["X-Sign"]


def test_the_example_is_a_whole_plugin():
    source = TEXT.partition("```python\n")[2].partition("```")[0]
    plugin = ModuleType("documented")
    exec(source, plugin.__dict__)  # noqa: S102  # our own text
    adapter = make_adapter("documented", plugin)
    (request,) = adapter.build(sample_event(), adapter.check_settings({"token": "abc123"}))
    assert "abc123" not in request.redacted()
    answer = contract.Response(200, {}, b'{"error": "duplicate"}')
    outcome = adapter.classify(answer, request, sample_event(), {"token": "abc123"})
    assert outcome.verdict is contract.Verdict.DUPLICATE
