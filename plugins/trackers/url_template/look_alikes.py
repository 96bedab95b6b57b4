"""Which trackers of presets a template written by hand may be meant for."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from plugins.kit import macros
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.presets import Preset

#: An address at any host that many trackers have, and parameters that tell none of them apart.
_COMMON_ADDRESS: Final = "https://{domain}/postback"
_COMMON_NAMES: Final = frozenset({"status", "payout", "currency", "txid"})


@functools.lru_cache(maxsize=4096)
def presets_like(template: str) -> tuple[Preset, ...]:
    """The presets that a template written by hand looks like.

    The address and the parameter of the click id must be the preset's. An address that many
    trackers have needs all parameters of the preset, or one that is rare. Of several presets,
    those at whose own host it is are returned, and of these those with the most in common.
    """
    address, _, query = template.partition("?")
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    scores: dict[str, tuple[bool, int]] = {}
    for shape in _shapes():
        preset = shape.preset
        if parameters.get(preset.click.parameter) == "{click}" and shape.fits(address, parameters):
            score = shape.is_of_one_host, len(shape.names & set(parameters))
            scores[preset.key] = max(score, scores.get(preset.key, score))
    best = max(scores.values(), default=None)
    return tuple(presets.presets()[key] for key, score in scores.items() if score == best)


@dataclass(frozen=True, slots=True)
class _Shape:
    """One URL of a preset: its address, and the names of its parameters."""

    preset: Preset
    address: str
    pattern: re.Pattern[str]
    names: frozenset[str]

    @property
    def is_of_one_host(self) -> bool:
        """Whether no other tracker has this address."""
        return not self.address.startswith("https://{")

    def fits(self, address: str, parameters: Mapping[str, str]) -> bool:
        """Whether a template of this address and these parameters looks like it."""
        if not self.pattern.fullmatch(address):
            return False
        if self.address != _COMMON_ADDRESS or self.names <= set(parameters):
            return True
        return bool((self.names & set(parameters)) - _COMMON_NAMES - {self.preset.click.parameter})


@functools.cache
def _shapes() -> tuple[_Shape, ...]:
    """The URLs of each preset that is called by GET."""
    shapes = []
    for preset in presets.presets().values():
        if preset.method != "GET" or not preset.click.parameter:
            continue
        for url in {url for mode in preset.modes.values() for url in mode.urls.values()}:
            address, _, query = url.partition("?")
            names = frozenset(name for name, _ in parse_qsl(query, keep_blank_values=True))
            shapes.append(_Shape(preset, address, _pattern(address, preset), names))
    return tuple(shapes)


def _pattern(address: str, preset: Preset) -> re.Pattern[str]:
    shapes = {field.name: field.pattern for field in preset.fields}
    parts = macros.MACRO.split(address.removeprefix("https://"))  # text, name, text, name, text
    pieces = [
        f"(?:{shapes.get(part) or '[^/?#]+'})" if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    ]
    return re.compile("https?://" + "".join(pieces))
