"""Keys that customers write into URLs, headers and bodies, and the spellings they appear in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus

from plugins.kit import altercpa, macros
from plugins.kit.secret_names import is_secret_name

#: A shorter secret is not looked for: to mask it would mask half of every text.
MIN_SECRET: Final = 4

#: Keitaro and Orbitra: https://host/{postback key}/postback?…
_BEFORE_POSTBACK: Final = re.compile(r"/([A-Za-z0-9]*\d[A-Za-z0-9]*)/postback(?=[/?.]|\Z)")
#: A segment of a path that is long and mixes letters with digits is a key.
_KEY_IN_PATH: Final = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9-]{16,}")


@lru_cache(maxsize=4096)
def secrets_of_url(template: str) -> tuple[str, ...]:
    """Literal keys in a URL template, as the finished URL spells them.

    Raises ValueError for a template that is no http or https address.
    """
    literal = "".join(
        part[0] if part[1] is None else f"{part[0]}{{x}}" for part in macros.compile_url(template)
    )
    address, _, query = literal.partition("#")[0].partition("?")
    secrets = _BEFORE_POSTBACK.findall(address)
    secrets += [part for part in address.split("/")[3:] if _KEY_IN_PATH.fullmatch(part)]
    id_is_key = altercpa.is_postback_url(address)
    for pair in re.split("[&;]", query):
        name, _, value = pair.partition("=")
        if _is_secret(name, value) or (id_is_key and name == "id" and _is_literal(value)):
            secrets.append(value)
    return tuple(dict.fromkeys(secrets))


def secrets_of_fields(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Literal keys among headers, or among the nested values of a body, in every encoding."""
    secrets: list[str] = []
    for name, value in _texts(fields):
        if _is_secret(name, value):
            key = value.rpartition(" ")[2]  # "Bearer abc": the scheme is no secret
            secrets += [key, *encodings(key)]
    return tuple(dict.fromkeys(secrets))


def encodings(value: object) -> Iterator[str]:
    """Every text inside a secret value: as it is, and as a URL, a form and JSON encode it.

    Texts of fewer than `MIN_SECRET` characters are left out.
    """
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from encodings(item)
    elif isinstance(value, str | int) and len(text := str(value)) >= MIN_SECRET:
        yield text
        if not text.isalnum() or not text.isascii():
            yield quote(text, safe="", errors="replace")
            yield quote_plus(text, errors="replace")
            yield json.dumps(text)[1:-1]


def _texts(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif isinstance(value, str):
            yield name, value


def _is_secret(name: str, value: str) -> bool:
    if not _is_literal(value):
        return False
    return is_secret_name(name) or (name == "id" and bool(altercpa.KEY.fullmatch(value)))


def _is_literal(value: str) -> bool:
    """Whether `value` was typed: a macro in it means that it comes from the event."""
    return bool(value) and not macros.MACRO.search(value)
