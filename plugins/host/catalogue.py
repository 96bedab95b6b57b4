"""What Gatepost can tell which tracker, as data and as a page, `docs/trackers.md`.

python -m plugins.host.catalogue > docs/trackers.md
"""

import importlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marshmallow import Schema, missing

from plugins.contract import ALL_KINDS, DeliveryPolicy, EventKind
from plugins.host import settings_form
from plugins.host.registry import BUILT_INS, Registry
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.presets import Field, Preset

_HEAD = """# Trackers

Written by `python -m plugins.host.catalogue > docs/trackers.md`; a test compares it.
An adapter is code, a preset is a file in `plugins/trackers/url_template/presets/`
that the adapter `url_template` reads. How to add either: [plugins.md](plugins.md).
"""
_ADAPTERS = """
## Adapters

*Test* asks the tracker whether the connection is good, before traffic. *Every
event* is told even after a newer one. *Limits*: how long retries go on where it is
shorter than usual, the age beyond which an event is not sent, and how fast the
tracker is told.
"""
_PRESETS = """
## Presets

*Macro* is the tracker's own, for its link to `t.me/your_bot?start=CODE-` + macro.
*Answers* are read for: success, duplicate, unknown click, bad key. Where *success* is
missing the tracker does not document what it answers then: any 2xx counts that is no web
page, can be read and states no failure, also an empty one; what those are stands in
[plugins.md](plugins.md#how-answers-are-read). *Known* says how: from the vendor's
documentation, from its source, or only seen in use; test the latter before traffic.
Where *payout* is missing we send no sum: it is the tracker's own for that conversion or
status. A sum *stays booked* where the notes say so; elsewhere what is booked in the end is
what the lead is worth. Who re-sends an older status by hand books what that status is worth.
"""
_WORDS = """
## What each event is called there

An empty cell is not sent. `statuses` in the settings replaces words; trackers with
conversion types of your own are particular about capital letters.
"""


def form_texts() -> set[str]:
    """Return every text of the built-in trackers' forms and presets, except names of events."""
    registry = Registry.load([])
    schemas = [registry.get(name).schema for name in registry.names()]
    texts = {settings_form.help_of(schema) for schema in schemas}
    for schema in schemas:
        texts.update(settings_form.texts_of(settings_form.fields_of(schema)))
    for preset in listed():
        texts.update(settings_form.texts_of(preset["fields"]))
        texts.add(preset["notes"])
    return texts - set(ALL_KINDS) - {""}


def listed() -> list[dict[str, Any]]:
    """Every preset as plain data, for a form: what to type, the modes, the macro for a link."""
    return [
        {
            "key": preset.key,
            "title": preset.title,
            "kind": preset.kind,
            "source": preset.source,
            "date": preset.date.isoformat(),
            "confidence": preset.confidence,
            "notes": preset.notes,
            "modes": [
                {
                    "name": name,
                    "title": presets.MODES[name],
                    "statuses": {kind.value: word for kind, word in mode.statuses.items()},
                }
                for name, mode in preset.modes.items()
            ],
            "click": {
                "parameter": preset.click.parameter,
                "macro": preset.click.macro,
                "pattern": preset.click.pattern,
                "max_length": preset.click.max_length,
                "required": preset.click.required,
            },
            "fields": [_field(field) for field in preset.fields],
        }
        for preset in presets.presets().values()
    ]


def _field(field: Field) -> dict[str, Any]:
    """As `plugins.host.settings_form` describes one; what has a default may be left empty."""
    return {
        "name": field.name,
        "title": field.title,
        "help": field.help,
        "type": "text",
        "required": field.required and not field.default,
        "secret": field.secret,
        "default": field.default,
    }


def page() -> str:
    """The whole page."""
    listed_presets = presets.presets().values()
    registry = Registry.load(entry_points=())
    return "\n".join(
        [
            _HEAD + _ADAPTERS,
            _table(
                "tracker|key|test|every event|limits|asks for",
                (_adapter(registry, name) for name in registry.names()),
            ),
            _PRESETS,
            _table(
                "tracker|key|modes|payout|unique id|click id|macro|answers|known|source",
                map(_preset, listed_presets),
            ),
            _WORDS,
            _table(
                "preset|mode|" + "|".join(EventKind),
                (row for preset in listed_presets for row in _words(preset)),
            ),
            "\n## Notes\n",
            *(f"- **{preset.title}**: {preset.notes}" for preset in listed_presets),
            "",
        ]
    )


def _table(head: str, rows: Iterable[Sequence[str]]) -> str:
    names = head.split("|")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _adapter(registry: Registry, name: str) -> list[str]:
    module = importlib.import_module(f"plugins.trackers.{BUILT_INS[name]}")
    asked = settings_form.fields_of(registry.get(name).schema)
    policy = registry.get(name).delivery_policy(_usual(registry.get(name).schema))
    return [
        settings_form.title_of(registry.get(name).schema, name),
        _code(name),
        _yes(hasattr(module, "build_probe")),
        _yes(policy.send_superseded or BUILT_INS[name].startswith("url_template")),
        ", ".join(filter(None, _limits(policy))),
        ", ".join(_code(field["name"]) for field in asked if field["required"]) or "see plugins.md",
    ]


def _limits(policy: DeliveryPolicy) -> Iterable[str]:
    """The limits of a policy in words; "" for one that is not set."""
    window, age, rate = policy.retry_window, policy.max_event_age, policy.rate_limit
    yield f"retries for {window / 3600:g} h" if window else ""
    yield f"age {age / 86400:g} d" if age else ""
    yield f"{rate.per_minute:g} a minute, {rate.burst} at once" if rate else ""


def _usual(schema: Schema) -> Mapping[str, Any]:
    """What a schema fills in by itself; "" for what a customer has to type."""
    usual: dict[str, Any] = {}
    for name, field in schema.fields.items():
        default = field.load_default() if callable(field.load_default) else field.load_default
        usual[field.attribute or name] = "" if default is missing else default
    return usual


def _preset(preset: Preset) -> list[str]:
    click = preset.click
    return [
        preset.title,
        _code(preset.key),
        ", ".join(preset.modes),
        _yes(any(field.name == "payout" for field in preset.fields)),
        _code(_unique(preset)),
        f"{_code(click.parameter)} {_code(click.pattern)} ≤ {click.max_length}"
        if click.parameter
        else "none",
        _code(click.macro),
        _answers(preset),
        preset.confidence,
        f"[{preset.date}]({preset.source})",
    ]


def _words(preset: Preset) -> Iterable[list[str]]:
    for name, mode in preset.modes.items():
        yield [_code(preset.key), name, *(_code(mode.statuses.get(kind, "")) for kind in EventKind)]


def _unique(preset: Preset) -> str:
    """The parameter that carries the lead's id."""
    for mode in preset.modes.values():
        for url in mode.urls.values():
            for pair in url.partition("?")[2].split("&"):
                parameter, _, value = pair.partition("=")
                if "{lead}" in value:
                    return parameter
    return ""


def _answers(preset: Preset) -> str:
    if isinstance(preset.answer_rules, str):
        return f"as `{presets.find(preset.answer_rules).adapter}`"
    outcomes = [rule["outcome"] for rule in preset.answer_rules]
    outcomes += ["success"] if preset.has_success_rules else []
    names = (
        ("success", "success"),
        ("duplicate", "duplicate"),
        ("unknown_click", "click"),
        ("bad_key", "key"),
    )
    return ", ".join(word for means, word in names if means in outcomes)


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    sys.stdout.write(page())
