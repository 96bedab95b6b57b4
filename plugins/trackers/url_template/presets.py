"""Presets: trackers and networks reachable by URL, as data files in `presets/`.

A file holds the source of its facts and the date they were read, the fields that a
customer fills in, the URL of each event, the click ids that the tracker gives out, and
the meaning of its answers. `expand` turns it into settings of `url_template`. To add a
tracker, add a file: the tests check all of them.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from marshmallow import ValidationError

from plugins.contract import EventKind, translatable
from plugins.kit import macros
from plugins.kit.answer_rules import check_rules
from plugins.kit.click_ids import MAX_CLICK
from plugins.kit.fields import Domain
from plugins.kit.secret_names import is_secret_name

#: The ways of reporting a lead to a tracker, with their titles.
MODES: Final[Mapping[str, str]] = {
    "one": "one conversion that changes status",
    "separate": "separate events",
    "approve": "approvals only",
}

#: In place of a list of rules: answers are read by `plugins.kit.altercpa`.
ALTERCPA: Final = "altercpa"

_VALUE: Final = re.compile(r"(?!\.+\Z)[^\s\x00-\x1f\x7f]{1,256}")
_PAYOUT: Final = "{payout}"
#: Words of events, as a tracker's own list of what to file them as: {status_wait},{status_hold}.
_WORD_LIST: Final = re.compile(r"\{status_[a-z]+\}(?:,\{status_[a-z]+\})*")


@dataclass(frozen=True, slots=True)
class Field:
    """One field that a customer fills in. `pattern` must match the whole value."""

    name: str
    title: str
    help: str = ""
    required: bool = True
    default: str = ""
    pattern: str = ""

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown: the name says it, to everybody who masks."""
        return is_secret_name(self.name)

    def check(self, value: object) -> str:
        """The value as it is stored; "" for an empty optional field. Raises ValidationError."""
        text = value.strip() if isinstance(value, str) else "" if value is None else str(value)
        text = text or self.default
        if not text:
            if self.required:
                raise ValidationError(translatable("is needed: %(title)s", title=self.title))
            return ""
        if self.name == "domain":
            return str(Domain().deserialize(text))
        if not _VALUE.fullmatch(text) or (self.pattern and not re.fullmatch(self.pattern, text)):
            raise ValidationError(
                translatable("cannot be used: %(error)s", error=self.help or self.title)
            )
        return text


@dataclass(frozen=True, slots=True)
class Click:
    """The click ids a tracker gives out.

    `parameter` takes them in a postback. `macro` stands for them in the tracker's own
    link, after `?start=CODE-`; it is "" where it is not known. A tracker for which
    they are not `required` finds people by their Telegram id.
    """

    parameter: str
    macro: str
    pattern: str = r"[A-Za-z0-9_-]+"
    max_length: int = MAX_CLICK
    required: bool = True

    def problem(self, click: str) -> str:
        """One sentence why the tracker cannot have given out `click`; "" if it can."""
        if len(click) > self.max_length:
            return f"this tracker's click ids have at most {self.max_length} characters"
        if not re.fullmatch(self.pattern, click):
            macro = f"; its own link needs {self.macro}" if self.macro else ""
            return f"this is no click id of this tracker{macro}"
        return ""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of reporting a lead: a URL by event, and the words for {status}.

    `reminder` is added to a success, where the tracker answers the same if it is set
    up wrongly.
    """

    urls: Mapping[EventKind, str]
    statuses: Mapping[EventKind, str]
    reminder: str = ""

    @property
    def overwrites_money(self) -> bool:
        """Whether a later event changes the sum of the conversion that an earlier one booked."""
        approval = self.urls.get(EventKind.APPROVE, "")
        return _PAYOUT in approval and "{lead}-" not in approval and len(self.urls) > 1


_NO_MODE: Final = Mode({}, {})


@dataclass(frozen=True, slots=True)
class Preset:
    """One tracker or network.

    `confidence` says how its facts are known: documented, source or seen. `adapter` is
    the adapter that speaks to the same tracker, "" where there is none.
    """

    key: str
    title: str
    kind: str
    source: str
    date: date
    confidence: str
    notes: str
    fields: tuple[Field, ...]
    click: Click
    modes: Mapping[str, Mode]
    method: str
    body: str
    payload: Mapping[str, Any]
    headers: Mapping[str, str]
    answer_rules: str | tuple[Mapping[str, Any], ...]
    adapter: str = ""


@functools.cache
def presets() -> Mapping[str, Preset]:
    """All presets by key, read once."""
    folder = resources.files("plugins.trackers.url_template") / "presets"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    parsed = [parse(file.read_text("utf-8")) for file in files if file.name.endswith(".json")]
    return MappingProxyType({preset.key: preset for preset in parsed})


def parse(text: str) -> Preset:
    """Parse one file. Raises KeyError, TypeError, ValueError or ValidationError if it is wrong."""
    raw: dict[str, Any] = json.loads(text)
    rules = raw.pop("answer_rules")
    if rules != ALTERCPA:
        rules = tuple(check_rules(rules))
    return Preset(
        date=date.fromisoformat(raw.pop("date")),
        fields=tuple(Field(**field) for field in raw.pop("fields")),
        click=Click(**raw.pop("click")),
        modes={name: _mode(**mode) for name, mode in raw.pop("modes").items()},
        method=raw.pop("method", "GET"),
        body=raw.pop("body", "none"),
        payload=raw.pop("payload", {}),
        headers=raw.pop("headers", {}),
        notes=raw.pop("notes", ""),
        answer_rules=rules,
        **raw,
    )


def _mode(
    url: str,
    statuses: Mapping[str, str],
    urls: Mapping[str, str] | None = None,
    append: Mapping[str, str] | None = None,
    reminder: str = "",
) -> Mode:
    """`urls` and `append` are by event; `else` in `append` is for the events without one.

    Raises ValueError where anything but an approval carries the payout.
    """
    own, more = urls or {}, append or {}
    words = {EventKind(name): word for name, word in statuses.items()}
    if stray := (set(own) | set(more)) - {"else", *words}:
        raise ValueError(
            translatable("there is no status for %(stray)s", stray=", ".join(sorted(stray)))
        )
    filled = {kind: own.get(kind, url) + more.get(kind, more.get("else", "")) for kind in words}
    if any(_PAYOUT in text for kind, text in filled.items() if kind is not EventKind.APPROVE):
        raise ValueError(translatable("only an approval carries the payout"))
    return Mode(filled, words, reminder)


def find(key: str) -> Preset:
    """The preset of this key. Raises ValidationError, naming those there are."""
    preset = presets().get(key)
    if preset is None:
        names = ", ".join(presets())
        reason = translatable("there is no such preset; there are: %(presets)s", presets=names)
        raise ValidationError({"preset": [reason]})
    return preset


def expand(
    key: str, mode: str, fields: Mapping[str, Any], statuses: Mapping[str, str]
) -> dict[str, Any]:
    """The settings of `url_template` for this tracker, as they are stored.

    Secret fields stay in the URLs by name, such as `{postback_key}`, so that the URLs
    can be shown; the other fields are filled in. `statuses` are the customer's own
    words for {status}; an empty word sends nothing for its event. Raises ValidationError.
    """
    preset = find(key)
    mode = mode or next(iter(preset.modes))
    if mode not in preset.modes:
        raise ValidationError(
            {"mode": [translatable("must be one of: %(choices)s", choices=", ".join(preset.modes))]}
        )
    values = _check_fields(preset, fields)
    usual = preset.modes[mode].statuses
    words = {**usual, **_customer_words(preset.modes[mode], statuses)}
    fill_in = _Filler(values, usual, words)
    return {
        "preset": key,
        "mode": mode,
        "fields": values,
        "statuses": {kind.value: word for kind, word in words.items() if word != usual[kind]},
        "urls": {
            kind.value: fill_in(preset.modes[mode].urls[kind], word) if word else ""
            for kind, word in words.items()
        },
        "method": preset.method,
        "body": preset.body,
        "payload": {
            name: value for name, value in preset.payload.items() if not _is_empty(value, values)
        },
        "headers": dict(preset.headers),
        "needs_click": preset.click.required,
    }


def find_mode(key: str, mode: str) -> Mode:
    """A mode of a preset; an empty one where a later version has dropped either."""
    preset = presets().get(key)
    return preset.modes.get(mode, _NO_MODE) if preset else _NO_MODE


def _customer_words(mode: Mode, statuses: Mapping[str, str]) -> dict[EventKind, str]:
    for name in statuses:
        if name not in mode.statuses:
            reason = translatable("this tracker is not told this event")
            raise ValidationError({"statuses": {name: [reason]}})
    return {EventKind(name): word for name, word in statuses.items()}


def _check_fields(preset: Preset, fields: Mapping[str, Any]) -> dict[str, str]:
    problems: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    names = [field.name for field in preset.fields]
    for name in fields:
        if name not in names:
            problems[name] = [
                translatable(
                    "is unknown; %(title)s asks for: %(names)s",
                    title=preset.title,
                    names=", ".join(names) or translatable("nothing"),
                )
            ]
    for field in preset.fields:
        try:
            values[field.name] = field.check(fields.get(field.name))
        except ValidationError as error:
            problems[field.name] = list(error.messages)
    if problems:
        raise ValidationError({"fields": problems})
    return values


class _Filler:
    """Fills the URLs of one mode: fields, the word of the event, the words of the others.

    `{no_payout}` is 0 where the customer gave a payout, so that an event without money
    takes back what the conversion had; without one the sum is the tracker's to decide.
    `{status_approve}` and the like are the words that other events go out with. In a
    list of them an event that is not sent has no word; elsewhere it has its usual one.
    """

    def __init__(
        self,
        values: Mapping[str, str],
        usual: Mapping[EventKind, str],
        words: Mapping[EventKind, str],
    ) -> None:
        self._values = {**values, "no_payout": "0" if values.get("payout") else ""}
        self._words = {f"{{status_{kind.value}}}": word for kind, word in words.items()}
        self._usual = {f"{{status_{kind.value}}}": word for kind, word in usual.items()}

    def __call__(self, url: str, status: str) -> str:
        """Fill in `url`; a parameter whose optional field or list is empty is left out."""
        address, mark, query = url.partition("?")
        pairs = filter(None, map(self._pair, query.split("&")))
        text = f"{address}{mark}{'&'.join(pairs)}"
        for name, value in self._values.items():
            if name == "domain":
                text = text.replace("{domain}", value)
            elif not is_secret_name(name):
                text = text.replace(f"{{{name}}}", macros.in_query(value))
        for name, usual in self._usual.items():
            text = text.replace(name, macros.in_query(self._words[name] or usual))
        return text.replace("{status}", macros.in_query(status))

    def _pair(self, pair: str) -> str:
        """`pair` with its list of words filled in, each once; "" if there is nothing to send."""
        parameter, _, value = pair.partition("=")
        if _is_empty(pair, self._values):
            return ""
        if not _WORD_LIST.fullmatch(value):
            return pair
        words = dict.fromkeys(self._words[name] for name in value.split(","))
        text = ",".join(macros.in_query(word) for word in words if word)
        return f"{parameter}={text}" if text else ""


def _is_empty(value: object, values: Mapping[str, str]) -> bool:
    """Whether `value` holds a field that the customer left empty."""
    return isinstance(value, str) and any(
        not text and f"{{{name}}}" in value for name, text in values.items()
    )
