"""The form of a tracker, made from what its adapter asks for, and what was typed into it.

Every adapter has one, also a stranger's plugin: `settings_form.fields_of` describes its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from app.dashboard.access.forms import Form
from app.schemas.parsing import is_deep
from app.translations import in_catalogue
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
    return [_field(item, values, f"{path}.{item['name']}") for item in described]


def typed_settings(described: Sequence[FormField], form: Form) -> dict[str, Any]:
    """Return the settings that were typed; what was left empty is left out where it can be."""
    values = {item.path.rpartition(".")[2]: _typed(item, form) for item in described}
    return {name: value for name, value in values.items() if value is not None}


def refilled(described: Sequence[FormField], form: Form) -> list[FormField]:
    """Return the fields with what was typed, to be mended; a secret must be typed again."""
    return [_refilled(item, form) for item in described]


def _field(item: Mapping[str, Any], values: Mapping[str, Any] | None, path: str) -> FormField:
    name, kind = item["name"], _kind(item)
    default = item.get("default", "") if values is None else ""
    stored = (values or {}).get(name, default)
    children: Sequence[FormField] = ()
    if kind == "object":
        inner = stored if isinstance(stored, Mapping) else {}
        children = fields_of(item["fields"], None if values is None else inner, path)
    return FormField(
        path=path,
        title=in_catalogue(item["title"]),
        help=in_catalogue(item["help"]),
        kind=kind,
        required=item["required"] and not (kind == "secret" and bool(stored)),
        choices=item.get("choices", ()),
        value="" if kind == "secret" else _shown(kind, stored),
        is_kept=kind == "secret" and values is not None and bool(stored),
        fields=children,
    )


def _kind(item: Mapping[str, Any]) -> str:
    if item["secret"]:
        return "secret"
    if item["type"] == "list":
        return "checks" if item.get("choices") else "lines"
    if item["type"] == "object":
        return "object" if item.get("fields") else "json"
    if item["type"] == "text" and item.get("choices"):
        return "choice"
    kinds = {"text": "text", "number": "number", "flag": "flag", "map": "map"}
    return kinds.get(item["type"], "json")


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


def _typed(item: FormField, form: Form) -> Any:
    """Return what was typed into a field; None where it is to be left out."""
    match item.kind:
        case "object":
            return _object(item, form)
        case "flag":
            return item.path in form
        case "checks":
            return form.all(item.path)
    text = form.get(item.path, "").replace("\r\n", "\n").strip()
    if text:
        return _read(item.kind, text)
    is_removed = f"{item.path}.remove" in form
    is_taken_out = item.kind == "text" and item.value  # a default, or what was stored
    return "" if item.kind == "choice" or is_removed or is_taken_out else None


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


def _object(item: FormField, form: Form) -> dict[str, Any] | None:
    """Return an object if anything was typed into it: then an empty text is a choice, too."""
    inner = typed_settings(item.fields, form)
    if not any(value not in ("", None) for value in inner.values()):
        return None
    texts = {child.path.rpartition(".")[2]: "" for child in item.fields if child.kind == "text"}
    return {**texts, **inner}


def _number(text: str) -> Any:
    if not _NUMBER.fullmatch(text):
        return text  # the schema says what is wrong
    return float(text) if "." in text else int(text)


def _parsed(text: str) -> Any:
    try:
        parsed = orjson.loads(text)  # Python's own takes NaN, and falls over what is very deep
    except ValueError:
        return text
    return text if is_deep(parsed) else parsed


def _refilled(item: FormField, form: Form) -> FormField:
    match item.kind:
        case "object" | "secret":
            value: Any = ""
        case "flag":
            value = item.path in form
        case "checks":
            value = form.all(item.path)
        case _:
            value = form.get(item.path, "")
    return replace(item, value=value, fields=[_refilled(child, form) for child in item.fields])


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
