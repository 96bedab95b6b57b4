"""Keys that customers write into URLs, headers and bodies, found by how they look."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

from plugins.kit import macros
from plugins.trackers import altercpa_lite

#: Parameters and headers whose literal value is a key in the trackers we know.
_NAME: Final = re.compile(
    r"(?:.*[-_])?(?:token|key|apikey|api_?key|secret|secure|password|passw?d?|pass|auth"
    r"|authorization|hash|sign|signature|cookie)",
    re.IGNORECASE,
)
#: `id=12-abcdef…` is how the AlterCPA family writes an API key.
_ALTERCPA_KEY: Final = re.compile(r"\d+-[A-Za-z0-9_-]{4,}")
#: Keitaro and Orbitra: https://host/{postback key}/postback?…
_BEFORE_POSTBACK: Final = re.compile(r"/([A-Za-z0-9]*\d[A-Za-z0-9]*)/postback(?=[/?.]|\Z)")
_IN_PATH: Final = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9-]{16,}")
_MACRO: Final = re.compile(r"\{[a-z_]+(?:\|number)?\}")


@lru_cache(maxsize=4096)
def secrets_of_url(template: str) -> tuple[str, ...]:
    """Literal keys in a URL template, spelled as in the finished URL."""
    literal = "".join(
        part[0] if part[1] is None else f"{part[0]}{{x}}" for part in macros.compile_url(template)
    )
    address, _, query = literal.partition("#")[0].partition("?")
    found = _BEFORE_POSTBACK.findall(address)
    found += [part for part in address.split("/")[3:] if _IN_PATH.fullmatch(part)]
    keyed = altercpa_lite.is_postback(address)  # there `id` is the key, whatever it looks like
    for pair in re.split("[&;]", query):
        name, _, value = pair.partition("=")
        if _is_secret(name, value) or (keyed and name == "id" and not _MACRO.search(value)):
            found.append(value)
    return tuple(dict.fromkeys(found))


def secrets_of_fields(typed: Mapping[str, Any]) -> tuple[str, ...]:
    """Literal keys among headers or the values of a body, in every spelling."""
    found: list[str] = []
    for name, value in _texts(typed):
        if _is_secret(name, value):
            word = value.rpartition(" ")[2]  # "Bearer abc": the scheme is no secret
            found += [word, quote(word, safe=""), quote_plus(word), json.dumps(word)[1:-1]]
    return tuple(dict.fromkeys(found))


def _texts(typed: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in typed.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield name, value


def _is_secret(name: str, value: str) -> bool:
    if not value or _MACRO.search(value):
        return False
    return bool(_NAME.fullmatch(name)) or (name == "id" and bool(_ALTERCPA_KEY.fullmatch(value)))
