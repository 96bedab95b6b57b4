"""Keys that customers write into URLs, headers and bodies, and the spellings they appear in."""

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from plugins.contract import MASK
from plugins.kit import altercpa, macros
from plugins.kit.bounded_cache import remembered
from plugins.kit.secrets import harmless
from plugins.kit.secrets.escapes import mask_hidden
from plugins.kit.secrets.names import is_secret_name
from plugins.kit.secrets.search import MIN_SECRET, TooManyPlaces, search_for
from plugins.masking import WITHHELD, are_too_many, mask, takes_long

#: Fewer characters of base64 stand by chance in many texts.
_HEAD: Final = 8
#: So often a text is gone through for secrets that appear beside masks.
_MOST_PASSES: Final = 100

_FOR_URLS: Final = str.maketrans("+/", "-_")

#: Keitaro and Orbitra: https://host/{postback key}/postback?…
_BEFORE_POSTBACK: Final = re.compile(r"/([A-Za-z0-9]*\d[A-Za-z0-9]*)/postback(?=[/?.]|\Z)")


@remembered(16_000_000)
def secrets_of_url(template: str) -> tuple[str, ...]:
    """What is typed into a URL template and not known to be harmless, in every encoding.

    Scheme, host, and what macros stand for are no secrets. Raises ValueError for a template
    that is no http or https address.
    """
    secrets = _typed_into_url(template)
    for secret in tuple(secrets):
        plain = unquote_plus(secret)
        secrets += [unquote(secret), *encodings(plain)]
    return tuple(dict.fromkeys(secrets))


def mask_address(template: str) -> str:
    """A URL template without its secrets, for whoever has typed it.

    They are looked for as addresses spell them, which takes a fraction of what all encodings take.
    Raises ValueError as `secrets_of_url`.
    """
    secrets: list[str] = []
    for secret in _typed_into_url(template):
        plain = unquote_plus(secret)
        secrets += [secret, unquote(secret), plain]
        if not plain.isalnum() or not plain.isascii():
            percent = quote(plain, safe="", errors="replace")
            secrets += [percent, percent.lower(), quote(plain, errors="replace")]
            secrets.append(quote_plus(plain, errors="replace"))
    return mask(template, tuple(dict.fromkeys(secrets)))


def _typed_into_url(template: str) -> list[str]:
    """The pieces of a URL template that may be secrets, as they stand there."""
    literal = "".join(
        part[0] if part[1] is None else f"{part[0]}{{x}}" for part in macros.compile_url(template)
    )
    address, _, query = literal.partition("#")[0].partition("?")
    secrets: list[str] = _BEFORE_POSTBACK.findall(address)
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
    return secrets


def secrets_of_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What is typed into headers, but for those that never carry a key, in every encoding."""
    secrets: list[str] = []
    for name, value in headers.items():
        if harmless.is_header(name):
            continue
        scheme, space, rest = value.partition(" ")
        credentials = rest if space and scheme.isalpha() else value
        # A tracker repeats the header, or only the key among its parts: sid=…; theme=dark
        parts = [part.partition("=")[2].strip('" ') for part in re.split("[;,]", credentials)]
        for text in (credentials, *parts):
            for typed in _typed(text):
                secrets += [typed, *encodings(typed)]
    return tuple(dict.fromkeys(secrets))


def _typed(text: str) -> list[str]:
    """The pieces between macros that are long enough to be looked for."""
    return [piece for piece in macros.MACRO.split(text)[::2] if len(piece) >= MIN_SECRET]


def secrets_of_fields(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What is typed into a body, its nested values too, and not known to be harmless.

    In every encoding. The name of a value may say that it is a secret; of other values the
    words and numbers of harmless.py are shown, and the words of a sentence.
    """
    secrets: list[str] = []
    for name, value in _values(fields):
        for typed in _typed_into(name, value):
            secrets += [typed, *encodings(typed)]
    return tuple(dict.fromkeys(secrets))


def holds_secret(fields: Mapping[str, Any]) -> bool:
    """Whether `secrets_of_fields` would find any; nothing is spelled out for that."""
    return any(_pieces(name, value, _typed_into_url) for name, value in _values(fields))


@remembered(16_000_000)
def _typed_into(name: str, value: str) -> tuple[str, ...]:
    """The pieces of one value of a body that may be secrets."""
    return tuple(_pieces(name, value, secrets_of_url))


def _pieces(name: str, value: str, of_url: Callable[[str], Sequence[str]]) -> Sequence[str]:
    if _is_secret(name, value):
        return [value.rpartition(" ")[2]]  # "Bearer abc": the scheme is no secret
    if harmless.is_parameter(name, value):
        return []
    if value.startswith(("http://", "https://")):
        try:
            return of_url(value)
        except ValueError:  # no address, so every word of it is looked at
            pass
    words = value.split()
    is_sentence = len(words) > 1
    pieces: list[str] = []
    for word in words:
        if not (is_sentence and all(map(harmless.is_prose_word, macros.MACRO.split(word)[::2]))):
            pieces += _typed(word)
    return pieces


def mask_cut(text: str, secrets: tuple[str, ...]) -> str:
    """Mask secrets, disguised ones too, and the heads of cut ones, in a text for people.

    A text is withheld whole if it would take long to find them.
    """
    if are_too_many(secrets):
        return WITHHELD if text else ""
    try:
        return _mask_others(mask_hidden(text, secrets), search_for(secrets).others)
    except TooManyPlaces:
        return WITHHELD


def _mask_others(text: str, secrets: tuple[str, ...]) -> str:
    """Mask short secrets, and those that a mask and its neighbour spell."""
    if takes_long(text, secrets):
        return WITHHELD
    passes = 0
    for secret in secrets:
        while secret in text and (len(secret) > len(MASK) or MASK[0] not in secret):
            if passes == _MOST_PASSES:
                return WITHHELD
            text = text.replace(secret, MASK)
            passes += 1
    return text


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


def _inside_base64(raw: bytes) -> Iterator[str]:
    """What stands for `raw` in the base64 of a longer text, wherever in it: it goes by threes."""
    for before in range(3):
        encoded = b64encode(bytes(before) + raw).decode()
        first = -(-before * 8 // 6)  # without those that also tell of what is before and behind
        whole = encoded[first : (before + len(raw)) * 8 // 6]
        if len(whole) >= _HEAD:
            yield whole


@remembered(16_000_000)
def _spellings(text: str) -> tuple[str, ...]:
    """A text, and how URLs, forms, JSON, HTML, base64 and hexadecimal digits spell it."""
    raw = text.encode("utf-8", "replace")
    base64 = (b64encode(raw).decode().rstrip("="), *_inside_base64(raw))
    spellings = [text, *base64, *(word.translate(_FOR_URLS) for word in base64)]
    spellings += [raw.hex(), raw.hex().upper()]
    if len(text) >= _HEAD:
        spellings.append(text.encode("utf-16-le", "replace").hex())
        twice = list(_inside_base64(base64[0].encode()))
        spellings += [*twice, *(word.translate(_FOR_URLS) for word in twice)]
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


def _values(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The texts and whole numbers among nested fields, with their names."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _values(value)
        elif isinstance(value, str):
            yield name, value
        elif type(value) is int and len(str(value)) >= MIN_SECRET:
            yield name, str(value)


def _is_secret(name: str, value: str) -> bool:
    if not _is_literal(value):
        return False
    return is_secret_name(name) or (name == "id" and bool(altercpa.KEY.fullmatch(value)))


def _is_literal(value: str) -> bool:
    """Whether `value` was typed: a macro in it means that it comes from the event."""
    return bool(value) and not macros.MACRO.search(value)
