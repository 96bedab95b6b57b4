"""Warnings about postback URLs and click ids that will probably not work.

Nothing here refuses a template: it may be right for a reason that we do not know. It
is stored as it was written, and the API answers the warnings with it.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from plugins.contract import ConversionKind, EventKind, translatable
from plugins.kit import altercpa, macros, spelling
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.look_alikes import presets_like
from plugins.trackers.url_template.presets import Preset

#: Macros by which a tracker can find the person of an event.
_IDENTIFYING: Final = frozenset({"click", "lead", "subscriber", "username", "event_id"})
#: Parameters that distinguish Affise and RedTrack, which take `clickid` too, from Binom.
_NOT_BINOM: Final = frozenset({"action_id", "secure", "status", "sum", "type"})
#: Keitaro's parameters that name the words of a status of its own, and those statuses.
_KEITARO_LISTS: Final = (
    "lead_status", "sale_status", "rejected_status", "trash_status", "ignore_status",
)  # fmt: skip
#: The statuses that it or Orbitra has by itself.
_KEITARO_WORDS: Final = frozenset(
    {
        *(name.removesuffix("_status") for name in _KEITARO_LISTS),
        "rebill",
        "registration",
        "deposit",
    }
)


@dataclass(frozen=True, slots=True)
class ClickFormats:
    """The click ids that one destination takes: its tracker's, or those of several that fit."""

    presets: tuple[Preset, ...]

    @property
    def title(self) -> str:
        """The tracker's name, or the names of all that look alike."""
        return _any_of(preset.title for preset in self.presets)

    @property
    def macro(self) -> str:
        """The macro in the tracker's own link, after the dash; "" where they differ."""
        own = {preset.click.macro for preset in self.presets}
        return own.pop() if len(own) == 1 else ""

    def problem(self, click: str) -> str:
        """One sentence why no tracker gave out `click`; "" if one of them may have.

        `click` may be a macro, which is right where it is the tracker's own or that is unknown.
        """
        if any(click == preset.click.macro for preset in self.presets):
            return ""
        if click.endswith(("}", "]")) and not all(preset.click.macro for preset in self.presets):
            return ""
        clicks = [preset.click for preset in self.presets]
        problems = [own.problem(click) if own.parameter else "" for own in clicks]
        if not all(problems):
            return ""
        return translatable("%(name)s: %(doubt)s", name=self.title, doubt=problems[0])


def click_formats_of(tracker: str, settings: Mapping[str, Any]) -> tuple[ClickFormats, ...]:
    """The click ids that a destination takes: by its preset or adapter, or by its URLs' look."""
    if key := settings.get("preset"):
        preset = presets.presets().get(key)
        return (ClickFormats((preset,)),) if preset else ()
    if same := [preset for preset in presets.presets().values() if preset.adapter == tracker]:
        return (ClickFormats(tuple(same)),)
    urls = settings.get("urls") if tracker == "url_template" else None
    candidates = (presets_like(url) for url in (urls or {}).values() if url)
    formats = (ClickFormats(fitting) for fitting in candidates if fitting)
    return tuple({format_.title: format_ for format_ in formats}.values())


def _any_of(names: Iterable[str]) -> str:
    """The names with "or" between them."""
    first, *others = names
    return functools.reduce(
        lambda text, name: translatable("%(first)s or %(second)s", first=text, second=name),
        others,
        first,
    )


@dataclass(frozen=True, slots=True)
class _Template:
    """A template in its parts: the path, and the parameters of the query."""

    kind: EventKind | ConversionKind
    path: str
    query: Mapping[str, str]

    @property
    def is_for_money(self) -> bool:
        return self.kind in (EventKind.APPROVE, ConversionKind.PURCHASE)

    def has(self, *names: str) -> bool:
        return all(name in self.query for name in names)


#: Templates known to be wrong, with advice. Sources are those of the presets; the
#: first two templates are what the documents of AlterCPA TOP propose.
_FAULTS: Final[tuple[tuple[Callable[[_Template], bool], str], ...]] = (
    (
        lambda template: template.path == "/postback" and template.has("subid"),
        translatable(
            "Keitaro and Orbitra want their postback key before /postback; copy their address whole"
        ),
    ),
    (
        lambda template: (
            template.path == "/postback"
            and template.has("clickid", "goal")
            and not _NOT_BINOM & set(template.query)
        ),
        translatable(
            "if this is Binom: it is told at /click.php?cnv_id={click}&cnv_status=…,"
            " not by clickid and goal"
        ),
    ),
    (
        lambda template: (
            template.has("cnv_id") and not template.has("cnv_status") and not template.is_for_money
        ),
        translatable("Binom takes this for the same conversion as an approval; add cnv_status"),
    ),
    (
        lambda template: template.has("reject_status"),
        translatable("Keitaro reads rejected_status and ignores reject_status"),
    ),
    (
        lambda template: (
            template.path.rstrip("/") == "/pb"
            and template.has("hit")
            and not template.has("rev")
            and not template.is_for_money
        ),
        translatable("FunnelFlux books the offer's default payout where rev is missing; add rev=0"),
    ),
    (
        lambda template: (
            template.path.endswith(("/tracking202/static/gpb.php", "/tracking202/static/upx.php"))
            and not template.is_for_money
        ),
        translatable("Prosper202 has no statuses: this event would count as a conversion"),
    ),
)


class Beside(NamedTuple):
    """What is sent with a template, such as a body: its macros, and the warnings about them."""

    macros: frozenset[str] = frozenset()
    doubts: tuple[str, ...] = ()


NOTHING: Final = Beside()


def read_beside(text: str) -> Beside:
    """Look at what is sent with several templates, once for all of them."""
    return Beside(frozenset(macros.names(text)), tuple(spelling.doubts(text)))


def template_warnings(
    kind: EventKind | ConversionKind, template: str, beside: Beside = NOTHING
) -> list[str]:
    """Warnings about a template for events of `kind`, one sentence each."""
    if not template:
        return []
    address, _, query = template.partition("?")
    path = "/" + address.partition("://")[2].partition("/")[2]
    parts = _Template(kind, path, dict(parse_qsl(query, keep_blank_values=True)))
    warnings = [sentence for is_wrong, sentence in _FAULTS if is_wrong(parts)]
    warnings += _status_warnings(parts, template)
    warnings += filter(None, [spelling.fragment_doubt(template)])
    return list(dict.fromkeys(warnings + _macro_warnings(template, beside)))


def _status_warnings(parts: _Template, template: str) -> list[str]:
    """Warnings about a status that the tracker files as nothing."""
    lists = [name for name in _KEITARO_LISTS if name in parts.query]
    status = parts.query.get("status", "").replace("{status}", parts.kind.value)
    if parts.has("subid", "status") and (lists or parts.path.endswith("/postback")):
        words = {word for name in lists for word in parts.query[name].split(",")}
        if status and "{" not in status and status not in words | _KEITARO_WORDS:
            own = lists[-1] if lists else "lead_status"
            return [
                translatable(
                    "the tracker files %(status)s as nothing; name it in %(parameter)s or the like",
                    status=repr(status),
                    parameter=own,
                )
            ]
    if "{" not in status and (doubt := altercpa.doubtful_status(template, parts.query, status)):
        return [doubt]
    foreign = list(_foreign_words(parts, template))
    if not foreign:
        return []
    return [
        translatable(
            "%(tracker)s takes no status %(status)s, but: %(words)s",
            tracker=_any_of(dict.fromkeys(preset.title for preset, _, _ in foreign)),
            status=repr(foreign[0][1]),
            words=_any_of(dict.fromkeys(", ".join(takes) for _, _, takes in foreign)),
        )
    ]


def _foreign_words(
    parts: _Template, template: str
) -> Iterator[tuple[Preset, str, tuple[str, ...]]]:
    """The presets that `template` looks like and that do not take its status, if none takes it."""
    alike = presets_like(template)
    foreign = []
    for preset in alike:
        for parameter, takes in _vocabularies(preset).items():
            word = parts.query.get(parameter, "").replace("{status}", parts.kind.value)
            if word and not macros.MACRO.search(word) and word not in takes:
                foreign.append((preset, word, takes))
    if len({preset.key for preset, _, _ in foreign}) == len(alike):
        yield from foreign


def _vocabularies(preset: Preset) -> dict[str, tuple[str, ...]]:
    """The words that a tracker takes, by the parameter that carries them.

    A parameter that takes any word in one of the modes has none.
    """
    words: dict[str, set[tuple[str, ...]]] = {}
    for mode in preset.modes.values():
        for url in mode.urls.values():
            for parameter, value in parse_qsl(url.partition("?")[2]):
                if value == "{status}":
                    words.setdefault(parameter, set()).add(mode.takes)
    return {name: takes.pop() for name, takes in words.items() if () not in takes}


def _macro_warnings(template: str, beside: Beside) -> list[str]:
    warnings = [*spelling.doubts(template), *beside.doubts]
    if not _IDENTIFYING & beside.macros.union(macros.names(template)):
        warnings.append(translatable("without {click} the tracker cannot tell whose event this is"))
    return warnings
