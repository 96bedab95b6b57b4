"""Keys that customers write into URLs, headers and bodies, and the spellings they appear in."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from plugins.kit import altercpa, harmless, macros
from plugins.kit.secret_names import is_secret_name

#: A shorter secret is not looked for: to mask it would mask half of every text.
MIN_SECRET: Final = 4

#: Keitaro and Orbitra: https://host/{postback key}/postback?…
_BEFORE_POSTBACK: Final = re.compile(r"/([A-Za-z0-9]*\d[A-Za-z0-9]*)/postback(?=[/?.]|\Z)")


@lru_cache(maxsize=4096)
def secrets_of_url(template: str) -> tuple[str, ...]:
    """What is typed into a URL template and not known to be harmless, in every encoding.

    Scheme, host, and what macros stand for are no secrets. Raises ValueError for a template
    that is no http or https address.
    """
    literal = "".join(
        part[0] if part[1] is None else f"{part[0]}{{x}}" for part in macros.compile_url(template)
    )
    address, _, query = literal.partition("#")[0].partition("?")
    secrets = _BEFORE_POSTBACK.findall(address)
    for segment in address.split("/")[3:]:
        if not harmless.is_path_segment(segment):
            secrets += _typed(segment)
            secrets += _typed(segment.partition(":")[2])  # a bot's token: its number is no secret
    id_is_key = altercpa.is_postback_url(address)
    for pair in re.split("[&;]", query):
        name, mark, value = pair.partition("=")
        if _is_secret(name, value) or (id_is_key and name == "id" and _is_literal(value)):
            secrets.append(value)
        elif not mark or not harmless.is_parameter(name, value):
            secrets += _typed(value if mark else name)
    for secret in tuple(secrets):
        plain = unquote_plus(secret)
        secrets += [unquote(secret), *encodings(plain)]
    return tuple(dict.fromkeys(secrets))


def secrets_of_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What is typed into headers, but for those that never carry a key, in every encoding."""
    secrets: list[str] = []
    for name, value in headers.items():
        if harmless.is_header(name):
            continue
        scheme, space, rest = value.partition(" ")
        credentials = rest if space and scheme.isalpha() else value
        for typed in _typed(credentials):
            secrets += [typed, *encodings(typed)]
    return tuple(dict.fromkeys(secrets))


def _typed(text: str) -> list[str]:
    """The pieces between macros that are long enough to be looked for."""
    return [piece for piece in macros.MACRO.split(text)[::2] if len(piece) >= MIN_SECRET]


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
        yield from _spellings(text)


@lru_cache(maxsize=4096)
def _spellings(text: str) -> tuple[str, ...]:
    """A text, and how URLs, forms, JSON, HTML and base64 spell it, each once."""
    raw = text.encode("utf-8", "replace")
    base64 = b64encode(raw).decode().rstrip("=")
    spellings = [text, base64, base64.replace("+", "-").replace("/", "_")]
    if not text.isalnum() or not text.isascii():
        percent = quote(text, safe="", errors="replace")
        spellings += [
            percent,
            percent.lower(),
            quote(text, errors="replace"),
            quote_plus(text, errors="replace"),
            quote(percent, safe=""),
            json.dumps(text)[1:-1],
            json.dumps(text, ensure_ascii=False)[1:-1],
            json.dumps(text)[1:-1].replace("/", "\\/"),
            html.escape(text),
            html.escape(text).replace("&#x27;", "&#39;"),
        ]
    return tuple(dict.fromkeys(spellings))


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
