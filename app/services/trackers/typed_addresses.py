"""Addresses and words that customers type into settings: what is refused, and what is warned of.

Hosts are judged by their spelling. What a name resolves to is judged when the connection is
made, so a test send says it and typing never waits for a name server.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from marshmallow import ValidationError

from app.config import current_settings
from app.errors import translatable
from app.outbound import urls
from plugins.contract import MASK
from plugins.kit import macros, spelling, url_spelling
from plugins.kit.secrets.names import is_secret_name

_IS_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
#: Settings whose text is a host without a scheme.
_DOMAIN: Final = "domain"
#: Settings of URL templates whose macros are judged together with the URLs.
_WITH_MACROS: Final = ("payload", "headers", "urls")
_Path = tuple[str, ...]


def public_fault(url: str) -> str:
    """Why the host in an accepted address would never be called; "" if it may be, or for ""."""
    if not url.strip():
        return ""
    try:
        urls.check_url(f"{_origin(url)}/", current_settings().outbound_allow)
    except url_spelling.AddressRefused as error:
        return error.reason
    return ""


def host_doubt(url: str) -> str:
    """A warning about a host that only a private network knows; "" if there is none.

    There is none either where the operator has opened a network of their own.
    """
    if not url.strip() or current_settings().outbound_allow:
        return ""
    try:
        host, _ = url_spelling.split(f"{_origin(url)}/")
    except ValueError:
        return ""
    if not url_spelling.is_internal_name(host):
        return ""
    return translatable("%(host)s is a name of private networks; we cannot reach it", host=host)


def check_typed(settings: Mapping[str, Any], field: str = "") -> None:
    """Raise ValidationError, by the path below `field`, for words with invisible characters."""
    for path, text in _texts(settings):
        if not spelling.is_prose(text) and (fault := spelling.word_fault(text)):
            raise _invalid_at(path, fault, field)
        if fault := next(filter(None, map(spelling.word_fault, path)), ""):
            raise _invalid_at(path, fault, field)


def require_public(settings: Mapping[str, Any], field: str = "") -> None:
    """Raise ValidationError, by the path below `field`, for hosts that would never be called."""
    for path, url in _addresses(settings):
        if fault := public_fault(url):
            raise _invalid_at(path, fault, field)


def settings_doubts(settings: Mapping[str, Any]) -> list[str]:
    """Warnings about the addresses and texts of any tracker's settings, one sentence each."""
    doubts = [
        (path, doubt)
        for path, url in _addresses(settings)
        for doubt in (
            host_doubt(url),
            spelling.fragment_doubt(url),
            spelling.blank_doubt(url),
            spelling.separator_doubt(url),
        )
    ]
    for path, text in _texts(settings):
        if not is_secret_name(path[-1]):
            doubts += [(path, doubt) for doubt in _text_doubts(path, text)]
    named = (
        translatable("%(name)s: %(doubt)s", name=".".join(path), doubt=doubt)
        for path, doubt in doubts
        if doubt
    )
    return list(dict.fromkeys(named))


def _text_doubts(path: _Path, text: str) -> Iterator[str]:
    if spelling.is_prose(text):
        yield spelling.invisible_fault(text)
    yield spelling.entity_fault(text)
    if path[0] not in _WITH_MACROS:
        yield spelling.macro_fault(text)
        yield from spelling.doubts(text)


def _origin(url: str) -> str:
    """Scheme, host and port. Raises ValueError for what is no http or https address."""
    return "/".join(macros.compile_url(url.strip())[0][0].split("/", 3)[:3])


def _addresses(settings: Mapping[str, Any]) -> Iterator[tuple[_Path, str]]:
    """The addresses among settings that an adapter has accepted, with their paths."""
    for path, text in _texts(settings):
        url = f"https://{text}/" if path[-1] == _DOMAIN and text.strip() else text
        if _IS_ADDRESS.match(url.strip()):
            try:
                macros.compile_url(url.strip())
            except ValueError:
                continue
            yield path, url


def _texts(node: Any, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    """All texts inside `node` that customers typed, with their paths."""
    if isinstance(node, str):
        if node != MASK:
            yield path, node
    elif isinstance(node, Mapping):
        for name, value in node.items():
            yield from _texts(value, (*path, str(name)))
    elif isinstance(node, list | tuple):
        for index, value in enumerate(node):
            yield from _texts(value, (*path, str(index)))


def _invalid_at(path: _Path, fault: str, field: str) -> ValidationError:
    messages: Any = [fault]
    for name in reversed((field, *path) if field else path):
        messages = {name: messages}
    return ValidationError(messages)
