"""A folder of preset files of the operator's: read, and judged with a sentence for each mistake."""

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from marshmallow import ValidationError

from plugins.contract import EventKind
from plugins.kit import macros, spelling
from plugins.kit.click_ids import MAX_CLICK
from plugins.trackers.url_template.presets import MODES, Mode, Preset, parse

KINDS: Final = ("tracker", "cpa", "network")
CONFIDENCE: Final = ("documented", "source", "seen")

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_FIELD: Final = re.compile(r"[a-z_]{1,64}")
_MACRO: Final = re.compile(r"\{([a-z_]+)(?:\|number)?\}")
_MAX_BYTES: Final = 256 * 1024
_WORDS: Final = frozenset({"no_payout", *(f"status_{kind.value}" for kind in EventKind)})
_KEYS: Final = frozenset(field.name for field in dataclasses.fields(Preset))
_NEEDED: Final = frozenset(
    field.name
    for field in dataclasses.fields(Preset)
    if field.default is field.default_factory is dataclasses.MISSING
)


def read_folder(folder: Path, taken: Mapping[str, Preset]) -> dict[str, Preset]:
    """Read every `*.json` of a folder, by key. `taken` are the keys of the built-in presets.

    Raises ValueError, with the file and one sentence, for the first file that cannot be used.
    """
    presets: dict[str, Preset] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            preset = _read(file)
            if file.stem != preset.key:
                raise ValueError(f"its key is {preset.key}, so name it {preset.key}.json")  # noqa: TRY301
            if preset.key in taken:
                raise ValueError("a built-in preset has this key; take another")  # noqa: TRY301
        except (ValueError, OSError) as error:
            raise ValueError(f"{file.name}: {error}") from error
        presets[preset.key] = preset
    return presets


def _read(file: Path) -> Preset:
    if file.stat().st_size > _MAX_BYTES:
        raise ValueError(f"is larger than {_MAX_BYTES // 1024} KB")
    try:
        raw = json.loads(file.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from error
    if not isinstance(raw, dict):
        raise ValueError("is no JSON object")  # noqa: TRY004 - of the file, not of a type of ours
    if unknown := sorted(set(raw) - _KEYS):
        raise ValueError(f"there is no key {', '.join(unknown)}")
    if missing := sorted(_NEEDED - set(raw)):
        raise ValueError(f"lacks {', '.join(missing)}")
    try:
        preset = parse(json.dumps(raw))
    except ValidationError as error:
        raise ValueError(f"answer_rules: {'; '.join(_texts(error.messages))}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"has a part of another shape than docs/plugins.md says: {error}"
        ) from error
    if fault := next(_faults(preset), ""):
        raise ValueError(fault)
    return preset


def _texts(messages: Any) -> Iterator[str]:
    if isinstance(messages, Mapping):
        messages = list(messages.values())
    for message in messages:
        yield from [message] if isinstance(message, str) else _texts(message)


def _faults(preset: Preset) -> Iterator[str]:
    """What is wrong with a preset, in sentences, the first mistakes first."""
    if not _KEY.fullmatch(preset.key):
        yield "key: lower-case letters, digits and _, at most 64"
    if not preset.title:
        yield "title: is empty"
    if preset.kind not in KINDS:
        yield f"kind: must be one of {', '.join(KINDS)}"
    if preset.confidence not in CONFIDENCE:
        yield f"confidence: must be one of {', '.join(CONFIDENCE)}"
    if not preset.modes or not set(preset.modes) <= set(MODES):
        yield f"modes: must be some of {', '.join(MODES)}"
    if not 0 < preset.click.max_length <= MAX_CLICK:
        yield f"click: max_length must be from 1 to {MAX_CLICK}"
    yield from _patterns(preset)
    yield from _fields(preset)
    for name, mode in preset.modes.items():
        yield from (f"modes: {name}: {fault}" for fault in _urls(mode, preset))


def _patterns(preset: Preset) -> Iterator[str]:
    patterns = {"click": preset.click.pattern}
    patterns |= {f"fields: {field.name}": field.pattern for field in preset.fields}
    for place, pattern in patterns.items():
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{place}: the pattern is no regular expression: {error}"


def _fields(preset: Preset) -> Iterator[str]:
    names = [field.name for field in preset.fields]
    urls = (url for mode in preset.modes.values() for url in _all_urls(mode))
    text = "".join([*urls, json.dumps(dict(preset.payload)), *preset.headers.values()])
    for name in names:
        if not _FIELD.fullmatch(name) or name in macros.MACROS or names.count(name) > 1:
            yield f"fields: {name}: a name of its own is needed, of lower-case letters and _"
        if f"{{{name}}}" not in text:
            yield f"fields: {name}: no URL, payload or header uses it"
    for macro in _MACRO.findall(text):
        if macro not in (*macros.MACROS, *_WORDS, *names):
            yield f"there is no macro or field {{{macro}}}"


def _urls(mode: Mode, preset: Preset) -> Iterator[str]:
    for url in _all_urls(mode):
        filled = url
        for field in preset.fields:
            value = "tracker.example.com" if field.name == "domain" else field.default or "x"
            filled = filled.replace(f"{{{field.name}}}", value)
        try:
            macros.check_callable(filled)
        except ValueError as error:
            yield f"{url[:100]}: {error}"
            continue
        if fault := spelling.postback_fault(filled):
            yield f"{url[:100]}: {fault}"


def _all_urls(mode: Mode) -> list[str]:
    return [*mode.urls.values(), *mode.conversions.values()]
