"""Advice on postback URLs and click ids: what will hardly work, told while somebody looks.

Nothing here refuses. A template may be right for a reason that we do not know,
so it is kept as it was written, and the sentence stands beside the answer.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from plugins.contract import EventKind
from plugins.kit import macros
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.presets import Click, Preset

#: Macros that let a tracker find out whose event it is told.
_WHO: Final = frozenset({"click", "lead", "subscriber", "username", "event_id"})
#: Parameters that tell Affise and RedTrack, which want `clickid` too, from Binom.
_NOT_BINOM: Final = frozenset({"action_id", "secure", "status", "sum", "type"})


@dataclass(frozen=True, slots=True)
class ClickFormats:
    """What is known of the click ids of one destination: its tracker, or those it may be."""

    presets: tuple[Preset, ...]

    @property
    def title(self) -> str:
        """The tracker's name; of those that look alike, all."""
        return " or ".join(preset.title for preset in self.presets)

    @property
    def macro(self) -> str:
        """What its own link carries after the dash; "" where they differ."""
        found = {preset.click.macro for preset in self.presets}
        return found.pop() if len(found) == 1 else ""

    def problem(self, click: str) -> str:
        """Why none of them gave out `click`, in a sentence; "" if one may have."""
        found = [problem for preset in self.presets if (problem := _problem(preset.click, click))]
        return f"{self.title}: {found[0]}" if len(found) == len(self.presets) else ""


def click_formats_of(tracker: str, settings: Mapping[str, Any]) -> tuple[ClickFormats, ...]:
    """Whose click ids a destination wants: by its preset, or by how its URLs look."""
    if key := settings.get("preset"):
        preset = presets.presets().get(key)
        return (ClickFormats((preset,)),) if preset else ()
    if same := [preset for preset in presets.presets().values() if preset.adapter == tracker]:
        return (ClickFormats(tuple(same)),)
    urls = settings.get("urls") if tracker == "url_template" else None
    found = (presets_like(url) for url in (urls or {}).values() if url)
    knowns = (ClickFormats(fitting) for fitting in found if fitting)
    return tuple({known.title: known for known in knowns}.values())


@functools.lru_cache(maxsize=4096)
def presets_like(template: str) -> tuple[Preset, ...]:
    """The presets that a template written by hand looks like.

    Its address and the parameter of the click id must be a preset's; of several,
    those with the most parameters in common.
    """
    address, _, query = template.partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    scores: dict[str, int] = {}
    for pattern, names, preset in _shapes():
        if given.get(preset.click.parameter) == "{click}" and pattern.fullmatch(address):
            score = len(names & set(given))
            scores[preset.key] = max(score, scores.get(preset.key, 0))
    best = max(scores.values(), default=0)
    return tuple(presets.presets()[key] for key, score in scores.items() if score == best)


@functools.cache
def _shapes() -> tuple[tuple[re.Pattern[str], frozenset[str], Preset], ...]:
    """The addresses of all presets that are called by GET, and their parameters."""
    found = []
    for preset in presets.presets().values():
        if preset.method != "GET" or not preset.click.parameter:
            continue
        for url in {url for mode in preset.modes.values() for url in mode.urls.values()}:
            address, _, query = url.partition("?")
            names = frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True))
            found.append((_pattern(address, preset), names, preset))
    return tuple(found)


def _pattern(address: str, preset: Preset) -> re.Pattern[str]:
    shapes = {field.name: field.pattern for field in preset.fields}
    parts = macros.MACRO.split(address.removeprefix("https://"))  # text, name, text, name, text
    pieces = [
        f"(?:{shapes.get(part) or '[^/?#]+'})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    ]
    return re.compile("https?://" + "".join(pieces))


def _problem(click: Click, value: str) -> str:
    return click.problem(value) if click.parameter else ""


@dataclass(frozen=True, slots=True)
class _Template:
    """A template taken apart: the path, and what is in the query."""

    kind: EventKind
    path: str
    query: Mapping[str, str]

    @property
    def is_for_money(self) -> bool:
        return self.kind is EventKind.APPROVE

    def has(self, *names: str) -> bool:
        return all(name in self.query for name in names)


#: Templates known to be wrong, with what to do. Sources: presets.md 4.3 and the
#: presets' own; the first two are what the documents of AlterCPA TOP propose.
_FAULTS: Final[tuple[tuple[Callable[[_Template], bool], str], ...]] = (
    (
        lambda one: one.path == "/postback" and one.has("subid"),
        "Keitaro and Orbitra want their postback key before /postback; copy their address whole",
    ),
    (
        lambda one: (
            one.path == "/postback"
            and one.has("clickid", "goal")
            and not _NOT_BINOM & set(one.query)
        ),
        "Binom is told at /click.php?cnv_id={click}&cnv_status=…, not by clickid and goal",
    ),
    (
        lambda one: one.has("cnv_id") and not one.has("cnv_status") and not one.is_for_money,
        "Binom takes this for the same conversion as an approval; add cnv_status",
    ),
    (
        lambda one: one.has("reject_status"),
        "Keitaro reads rejected_status and ignores reject_status",
    ),
    (
        lambda one: (
            one.path.rstrip("/") == "/pb"
            and one.has("hit")
            and not one.has("rev")
            and not one.is_for_money
        ),
        "FunnelFlux books the offer's default payout where rev is missing; add rev=0",
    ),
    (
        lambda one: (
            one.path.endswith(("/tracking202/static/gpb.php", "/tracking202/static/upx.php"))
            and not one.is_for_money
        ),
        "Prosper202 has no statuses: this event would count as a conversion",
    ),
)


def template_warnings(kind: EventKind, template: str, beside: str = "") -> list[str]:
    """Sentences about a template that reports `kind`; none if it looks right.

    `beside` is what is sent with it, such as a body, with macros of its own.
    """
    if not template:
        return []
    address, _, query = template.partition("?")
    path = "/" + address.partition("://")[2].partition("/")[2]
    parts = _Template(kind, path, dict(parse_qsl(query, keep_blank_values=True)))
    said = [sentence for is_wrong, sentence in _FAULTS if is_wrong(parts)]
    return said + _on_macros(template + beside)


def _on_macros(template: str) -> list[str]:
    found = macros.names(template)
    said = [
        f"{{{name}}} is no macro here and is sent as it stands"
        for name in found
        if name not in macros.MACROS
    ]
    if not _WHO & set(found):
        said.append("without {click} the tracker cannot tell whose event this is")
    return said
