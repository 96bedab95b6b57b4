"""The form of a tracker, made from what its adapter asks for, and what was typed into it.

Every adapter has one, also a stranger's plugin: `settings_form.fields_of` describes its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.dashboard.access.forms import Form
from plugins.contract import MASK

ROOT: Final = "settings"
_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class FormField:
    """One field. `path` is its name in the form, such as `settings.urls.wait`.

    `kind` is text, secret, number, flag, choice, checks, lines, map, json, or object with its
    own `fields`. `value` is what stands in it; of a secret never anything. `is_kept`: a secret
    is stored, and stays while nothing is typed.
    """

    path: str
    title: str
    help: str
    kind: str
    required: bool = False
    choices: Sequence[str] = ()
    value: Any = ""
    is_kept: bool = False
    fields: Sequence[FormField] = field(default_factory=tuple)


def fields_of(
    described: Sequence[Mapping[str, Any]], values: Mapping[str, Any] | None, path: str = ROOT
) -> list[FormField]:
    """Return the fields with what is stored in them; with `values` None those of a new tracker."""
    return [_field(one, values, f"{path}.{one['name']}") for one in described]


def typed_settings(described: Sequence[FormField], form: Form) -> dict[str, Any]:
    """Return the settings that were typed; what was left empty is left out where it can be."""
    settings: dict[str, Any] = {}
    for one in described:
        name = one.path.rpartition(".")[2]
        value = _typed(one, form)
        if value is not None:
            settings[name] = value
    return settings


def refilled(described: Sequence[FormField], form: Form) -> list[FormField]:
    """Return the fields with what was typed, to be mended; a secret must be typed again."""
    return [_refilled(one, form) for one in described]


def _field(one: Mapping[str, Any], values: Mapping[str, Any] | None, path: str) -> FormField:
    name, kind = one["name"], _kind(one)
    default = one.get("default", "") if values is None else ""
    stored = (values or {}).get(name, default)
    children: Sequence[FormField] = ()
    if kind == "object":
        inner = stored if isinstance(stored, Mapping) else {}
        children = fields_of(one["fields"], None if values is None else inner, path)
    return FormField(
        path=path,
        title=one["title"],
        help=one["help"],
        kind=kind,
        required=one["required"] and not (kind == "secret" and bool(stored)),
        choices=one.get("choices", ()),
        value="" if kind == "secret" else _shown(kind, stored),
        is_kept=kind == "secret" and values is not None and bool(stored),
        fields=children,
    )


def _kind(one: Mapping[str, Any]) -> str:
    if one["secret"]:
        return "secret"
    if one["type"] == "list":
        return "checks" if one.get("choices") else "lines"
    if one["type"] == "object":
        return "object" if one.get("fields") else "json"
    if one["type"] == "text" and one.get("choices"):
        return "choice"
    kinds = {"text": "text", "number": "number", "flag": "flag", "map": "map"}
    return kinds.get(one["type"], "json")


def _shown(kind: str, value: Any) -> Any:
    match kind:
        case "map" if isinstance(value, Mapping):
            return "\n".join(f"{name}={text}" for name, text in value.items())
        case "lines" if isinstance(value, list):
            plain = all(isinstance(item, str) for item in value)
            return "\n".join(value) if plain else json.dumps(value, ensure_ascii=False)
        case "json":
            is_text = isinstance(value, str) or value is None
            return (value or "") if is_text else json.dumps(value, ensure_ascii=False, indent=1)
        case "checks" | "flag":
            return value
    return "" if value is None or isinstance(value, Mapping | list) else value


def _typed(one: FormField, form: Form) -> Any:
    """Return what was typed into a field; None where it is to be left out."""
    match one.kind:
        case "object":
            return _object(one, form)
        case "flag":
            return one.path in form
        case "checks":
            return form.all(one.path)
    text = form.get(one.path, "").replace("\r\n", "\n").strip()
    if text:
        return _read(one.kind, text)
    is_removed = f"{one.path}.remove" in form
    is_taken_out = one.kind == "text" and one.value  # a default, or what was stored
    return "" if one.kind == "choice" or is_removed or is_taken_out else None


def _read(kind: str, text: str) -> Any:
    """Return what a text that was typed into a field of this kind means."""
    if kind == "number":
        return _number(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if kind == "map":
        pairs = (line.partition("=") for line in lines)
        return {name.strip(): value.strip() for name, _, value in pairs}
    if kind == "lines" and not text.startswith("["):
        return lines
    return _parsed(text) if kind in ("lines", "json") else text


def _object(one: FormField, form: Form) -> dict[str, Any] | None:
    """Return an object if anything was typed into it: then an empty text is a choice, too."""
    inner = typed_settings(one.fields, form)
    if not any(value not in ("", None) for value in inner.values()):
        return None
    texts = {child.path.rpartition(".")[2]: "" for child in one.fields if child.kind == "text"}
    return {**texts, **inner}


def _number(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text  # the schema says what is wrong
    return float(text) if "." in text else int(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refilled(one: FormField, form: Form) -> FormField:
    if one.kind == "object":
        value: Any = ""
    elif one.kind == "flag":
        value = one.path in form
    elif one.kind == "checks":
        value = form.all(one.path)
    else:
        value = "" if one.kind == "secret" else form.get(one.path, "")
    return FormField(
        one.path,
        one.title,
        one.help,
        one.kind,
        one.required,
        one.choices,
        value,
        one.is_kept,
        [_refilled(child, form) for child in one.fields],
    )


def masked_kept(settings: dict[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Put the mask where a map of the form leaves a stored secret empty, so that it is kept."""
    inner = stored.get("fields")
    if isinstance(inner, Mapping):
        fields = dict(settings.get("fields") or {})
        for name, value in inner.items():
            if value == MASK and not fields.get(name):
                fields[name] = MASK
        settings["fields"] = fields
    return settings
