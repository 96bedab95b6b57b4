"""The address of a tracker's server, as a settings field."""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from marshmallow import ValidationError, fields

from plugins.kit import macros


class BaseUrl(fields.String):
    """`https://host` or `https://host:port`, kept without a slash at its end.

    Plain http is for a private address or localhost only: keys travel in
    these requests, and such an address is reached only where the operator
    opened it.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return parse_base_url(str(super()._deserialize(value, attr, data, **kwargs)).strip())


def parse_base_url(text: str) -> str:
    """The address in the spelling that DNS knows. Raises ValidationError."""
    try:
        address, macro = macros.compile_url(text)[0][:2]
    except ValueError as error:
        raise ValidationError(f"{error}") from None
    parts = urlsplit(address)
    if macro or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValidationError("the address ends after the domain and port; leave out the path")
    if parts.scheme == "http" and not _is_near(parts.hostname or ""):
        raise ValidationError("the address must begin with https://")
    return f"{parts.scheme}://{parts.netloc}"


def _is_near(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False
