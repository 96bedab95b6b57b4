"""Macros such as `{click}`: replaced once, and escaped for the place where they stand.

`MACROS` are the nine of AlterCPA TOP, plus title, premium, language and event_id, and of a
conversion value, value_currency and name. `OF_TOUCH` are of the click that brought the person,
and no part of `values`. An unknown macro stays as it is, an empty value becomes an empty
string, and a value that contains braces is not expanded again.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from plugins.contract import TOUCH_FIELDS, Event, translatable
from plugins.kit import url_spelling
from plugins.kit.bounded_cache import remembered

MACROS: Final[Mapping[str, Callable[[Event], str]]] = {
    "click": lambda event: event.click,
    "status": lambda event: event.kind.value,
    "campaign": lambda event: event.campaign,
    "user": lambda event: str(event.account),
    "lead": lambda event: str(event.lead),
    "subscriber": lambda event: str(event.subscriber),
    "username": lambda event: event.username,
    "chat": lambda event: str(event.chat),
    "time": lambda event: str(event.time),
    "title": lambda event: event.title,
    "premium": lambda event: "1" if event.premium else "0",
    "language": lambda event: event.language,
    "event_id": lambda event: event.id,
    "value": lambda event: event.value,
    "value_currency": lambda event: event.currency,
    "name": lambda event: event.name,
}

#: The macros that only a conversion has values for.
OF_CONVERSIONS: Final = ("value", "value_currency", "name")


def _of_touch(name: str) -> Callable[[Event], str]:
    return lambda event: event.touch.get(name, "")


#: The macros of the click that brought the person. A welcome has none of them.
OF_TOUCH: Final[Mapping[str, Callable[[Event], str]]] = {
    name: _of_touch(name) for name in TOUCH_FIELDS
}
#: Every macro of a postback.
KNOWN: Final[Mapping[str, Callable[[Event], str]]] = {**MACROS, **OF_TOUCH}

MAX_URL: Final = 2048

NUMBER: Final = "|number"
#: A macro in a template. Its group is the name, with `|number` where a JSON body asks for
#: a number. A name that is not in `KNOWN` is no macro here: the text stays as it is.
MACRO: Final = re.compile(r"\{([A-Za-z_]+\d{0,2}(?:\|number)?)\}", re.ASCII)
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_~-]*")
_SHAPE: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 253
#: Printable ASCII stays as it is, so that only what a URL cannot carry is encoded. A browser
#: reads a backslash as a slash, a server does not.
_KEEP: Final = "".join(map(chr, range(0x21, 0x7F))).replace("\\", "")

Part = tuple[str, Callable[[Event], str] | None, Callable[[str], str] | None]


def values(event: Event) -> dict[str, str]:
    """The macros of `event` itself by name, as plain text; none of the touch."""
    return {name: value_of(event) for name, value_of in MACROS.items()}


def all_values(event: Event) -> dict[str, str]:
    """The macros of `event` and of its touch by name; for templates, which name what they want."""
    return {name: value_of(event) for name, value_of in KNOWN.items()}


def touch_names(*templates: str) -> set[str]:
    """The macros in `templates` that tell of the click."""
    return {name for template in templates for name in names(template) if name in OF_TOUCH}


def fill(template: str, values: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """Replace each known macro in `template` by its escaped value, once."""

    def replace(match: re.Match[str]) -> str:
        value = values.get(match[1])
        return match[0] if value is None else escape(value)

    return MACRO.sub(replace, template)


def names(template: str) -> list[str]:
    """The names of all macros in `template`, known or not, each once and without `|number`."""
    return list(dict.fromkeys(name.removesuffix(NUMBER) for name in MACRO.findall(template)))


def number_name(template: str) -> str:
    """The name of the macro, where `template` is nothing but a `{name|number}`; else ""."""
    match = MACRO.fullmatch(template)
    return match[1].removesuffix(NUMBER) if match and match[1].endswith(NUMBER) else ""


def fill_url(template: str, event: Event) -> str:
    """Fill a URL so that no value leaves its parameter or path segment.

    Raises ValueError, with a sentence for people, if the template is no http or
    https address or has a macro before its path.
    """
    text = ""
    for literal, value_of, escape in compile_url(template):
        text += literal
        if value_of is not None and escape is not None:
            text += escape(value_of(event))
    return text


def in_query(value: str) -> str:
    """Percent-encode a value for a query: everything but unreserved characters."""
    return value if _UNRESERVED.fullmatch(value) else quote(value, safe="", errors="replace")


def in_path(value: str) -> str:
    """Percent-encode a value for one path segment.

    Dots alone would climb the path, and servers and libcurl read `%2E` as a
    dot just as well. So they are encoded twice and arrive as the text `%2E`.
    """
    return in_query(value) if value.strip(".") or not value else "%252E" * len(value)


def check_callable(template: str) -> None:
    """Raise ValueError, with a sentence for people, if a filled `template` can never be called."""
    url_spelling.check_url(compile_url(template)[0][0])


@remembered(16_000_000)
def compile_url(template: str) -> tuple[Part, ...]:
    """Split a URL template into (literal, value_of, escape). Raises as `fill_url` does."""
    scheme, authority, path, rest = _split(template)
    parts = [*_parts(path or "/", in_path), *_parts(rest, in_query)]
    first = (f"{scheme.lower()}://{authority}{parts[0][0]}", *parts[0][1:])
    return (first, *parts[1:])


def _split(template: str) -> tuple[str, str, str, str]:
    if len(template) > MAX_URL:
        raise ValueError(
            translatable("the address is longer than %(max_url)s characters", max_url=MAX_URL)
        )
    if any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in template):
        raise ValueError(translatable("the address contains control characters"))
    shape = _SHAPE.fullmatch(template)
    if shape is None:
        raise ValueError(translatable("the address must begin with http:// or https://"))
    scheme, authority, path, rest = shape.groups()
    return scheme, _authority(authority), path, rest


def _authority(text: str) -> str:
    if macro := re.search(r"\{[^}]*\}?", text):
        raise ValueError(
            translatable(
                "%(macro)s stands in the domain; write the tracker's own domain there, "
                "macros only work after it",
                macro=macro[0],
            )
        )
    if "@" in text:
        raise ValueError(translatable("the address must not carry a user name or password"))
    name, colon, port = text.partition(":")
    authority = text if name.isascii() else f"{_in_ascii(name)}{colon}{port}"
    host, number = url_spelling.split(f"https://{authority}/")
    url_spelling.check_host(host.lower(), number)
    return authority


def _in_ascii(name: str) -> str:
    """A name in another alphabet as DNS spells it. Raises ValueError."""
    host = ""
    if len(name) <= _LONGEST_NAME:  # to spell a long one in ASCII costs the square of its length
        with suppress(UnicodeError):
            host = name.encode("idna").decode("ascii")
    # Circled and full-width digits become plain ones, and ℀ becomes a/c: no domain has them.
    if host.rpartition(".")[2].isdigit() or not _NAME.fullmatch(host):
        raise ValueError(translatable("the domain is not one that DNS can know"))
    return host


def _parts(template: str, escape: Callable[[str], str]) -> list[Part]:
    parts: list[Part] = []
    end = 0
    for match in MACRO.finditer(template):
        if value_of := KNOWN.get(match[1]):
            literal = quote(template[end : match.start()], safe=_KEEP, errors="replace")
            parts.append((literal, value_of, escape))
            end = match.end()
    parts.append((quote(template[end:], safe=_KEEP, errors="replace"), None, None))
    return parts
