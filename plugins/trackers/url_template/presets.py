"""Presets: trackers and networks reachable by URL, as data files in `presets/`.

A file holds the source of its facts and the date they were read, the fields that a
customer fills in, the URL of each event, the click ids that the tracker gives out, and
the meaning of its answers. `expansion.expand` turns it into settings of `url_template`. To add a
tracker, add a file: the tests check all of them.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from types import MappingProxyType
from typing import Any, Final

from marshmallow import ValidationError

from plugins.contract import ConversionKind, EventKind, TranslatableText, translatable
from plugins.kit.answer_rules import check_rules
from plugins.kit.click_ids import MAX_CLICK
from plugins.kit.fields import Domain
from plugins.kit.secrets.names import is_secret_name

#: The mode in which a later status replaces the one before, and with it what that was worth.
ONE: Final = "one"
#: The ways of reporting a lead to a tracker, with their titles.
MODES: Final[Mapping[str, str]] = {
    ONE: "one conversion that changes status",
    "separate": "separate events",
    "approve": "approvals only",
}

#: In place of a list of rules: answers are read by `plugins.kit.altercpa`.
ALTERCPA: Final = "altercpa"

_VALUE: Final = re.compile(r"(?!\.+\Z)[^\s\x00-\x1f\x7f]{1,256}")
_PAYOUT: Final = "{payout}"
#: Words of events, as a tracker's own list of what to file them as: {status_wait},{status_hold}.
WORD_LIST: Final = re.compile(r"\{status_[a-z]+\}(?:,\{status_[a-z]+\})*")


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
            return translatable(
                "this tracker's click ids have at most %(max_length)d characters",
                max_length=self.max_length,
            )
        if not re.fullmatch(self.pattern, click):
            if not self.macro:
                return translatable("this is no click id of this tracker")
            return translatable(
                "this is no click id of this tracker; its own link needs %(macro)s",
                macro=self.macro,
            )
        return ""


@dataclass(frozen=True, slots=True)
class Mode:
    """One way of reporting a lead: a URL by event, and the words for {status}.

    `reminder` is added to a success, where the tracker answers the same if it is set
    up wrongly. `takes` are the only words that the tracker knows; empty where it takes any.
    `conversions` are the URLs of the conversions that the tracker takes.
    """

    urls: Mapping[EventKind, str]
    statuses: Mapping[EventKind, str]
    reminder: str = ""
    takes: tuple[str, ...] = ()
    conversions: Mapping[ConversionKind, str] = field(default_factory=dict)

    @property
    def lists(self) -> dict[EventKind, str]:
        """By event, the parameter in whose list its word stands; {} where there are none."""
        query = next(iter(self.urls.values()), "").partition("?")[2]
        return {
            EventKind(name): parameter
            for parameter, _, value in (pair.partition("=") for pair in query.split("&"))
            if WORD_LIST.fullmatch(value)
            for name in re.findall(r"status_([a-z]+)", value)
        }


_NO_MODE: Final = Mode({}, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One tracker or network.

    `confidence` says how its facts are known: documented, source or seen. `adapter` is
    the adapter that speaks to the same tracker, "" where there is none. `otherwise` is why
    an answer under 2xx that no rule knows is no success; "" where the tracker's successes
    are not documented, so that any answer may be one.
    """

    key: str
    title: str
    kind: str
    source: str
    date: date
    confidence: str
    notes: str = ""
    fields: tuple[Field, ...]
    click: Click
    modes: Mapping[str, Mode]
    method: str = "GET"
    body: str = "none"
    payload: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    answer_rules: str | tuple[Mapping[str, Any], ...]
    adapter: str = ""
    otherwise: str = ""

    @property
    def has_success_rules(self) -> bool:
        """Whether its successes are known, and not only its failures."""
        return self.answer_rules == ALTERCPA or bool(self.otherwise)


#: Those of the operator.
_added: Final[dict[str, Preset]] = {}


@functools.cache
def presets() -> Mapping[str, Preset]:
    """All presets by key, those of the operator last."""
    return MappingProxyType({**built_in(), **_added})


def replace_added(added: Mapping[str, Preset]) -> None:
    """Take the operator's presets, in place of those that were taken before."""
    _added.clear()
    _added.update(added)
    presets.cache_clear()


@functools.cache
def built_in() -> Mapping[str, Preset]:
    """The presets that come with us by key, read once."""
    folder = resources.files("plugins.trackers.url_template") / "presets"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    parsed = [parse(file.read_text("utf-8")) for file in files if file.name.endswith(".json")]
    return MappingProxyType({preset.key: preset for preset in parsed})


def parse(text: str) -> Preset:
    """Parse one file. Raises KeyError, TypeError, ValueError or ValidationError if it is wrong."""
    raw: dict[str, Any] = json.loads(text)
    rules = raw.pop("answer_rules")
    if rules != ALTERCPA:
        rules = tuple(map(_in_our_words, check_rules(rules)))
    return Preset(
        date=date.fromisoformat(raw.pop("date")),
        fields=tuple(Field(**field) for field in raw.pop("fields")),
        click=Click(**raw.pop("click")),
        modes={name: _mode(**mode) for name, mode in raw.pop("modes").items()},
        otherwise=TranslatableText(raw.pop("otherwise", "")),
        answer_rules=rules,
        **raw,
    )


def _mode(
    url: str,
    statuses: Mapping[str, str],
    *,
    urls: Mapping[str, str] | None = None,
    append: Mapping[str, str] | None = None,
    reminder: str = "",
    takes: Sequence[str] = (),
    conversions: Mapping[str, str] | None = None,
) -> Mode:
    """`urls` and `append` are by event; `else` in `append` is for the events without one.

    `conversions` are whole URLs by kind.

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
    by_kind = {ConversionKind(name): address for name, address in (conversions or {}).items()}
    return Mode(filled, words, TranslatableText(reminder), tuple(takes), by_kind)


def _in_our_words(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    """A rule whose reason is our own sentence, so that no customer's key is masked in it."""
    reason = {"reason": TranslatableText(rule["reason"])} if "reason" in rule else {}
    return {**rule, **reason}


def find(key: str) -> Preset:
    """The preset of this key. Raises ValidationError, naming those there are."""
    preset = presets().get(key)
    if preset is None:
        names = ", ".join(presets())
        reason = translatable("there is no such preset; there are: %(presets)s", presets=names)
        raise ValidationError({"preset": [reason]})
    return preset


def find_mode(key: str, mode: str) -> Mode:
    """A mode of a preset; an empty one where a later version has dropped either."""
    preset = presets().get(key)
    return preset.modes.get(mode, _NO_MODE) if preset else _NO_MODE
