"""Fields that the settings of several trackers share: words, hosts and addresses."""

import ipaddress
import re
from typing import Any, Final
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields

from plugins.contract import translatable
from plugins.kit import macros, spelling

_WORD: Final = re.compile(r"[!-~]+")


class StrippedText(fields.String):
    """Text without the space around it that pasted text often has."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return str(super()._deserialize(value, attr, data, **kwargs)).strip()


class AsciiWord(StrippedText):
    """One word of printable ASCII."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text and not _WORD.fullmatch(text):
            raise ValidationError(
                translatable("must be one word of Latin letters, digits and signs")
            )
        return text


def object_field(schema: type[Schema], title: str, text: str = "") -> fields.Nested:
    """An object of `schema`, whose fields have their defaults where nothing is given."""
    described = {"title": title, "help": text} if text else {"title": title}
    return fields.Nested(schema, load_default=lambda: schema().load({}), metadata=described)


class HttpUrl(StrippedText):
    """An http or https URL, kept as it is sent. It has no macros and no fragment.

    A spelling that cannot mean what it says is refused as in a URL template.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if sign := re.search(r"[#{}]", text):
            raise ValidationError(
                translatable("must be an address without %(found)s", found=repr(sign[0]))
            )
        if fault := spelling.postback_fault(text):
            raise ValidationError(fault)
        try:
            if not text:
                return ""
            macros.check_callable(text)
            return "".join(part[0] for part in macros.compile_url(text))
        except ValueError as error:
            raise ValidationError(
                translatable("cannot be used: %(error)s", error=str(error))
            ) from error


class Domain(StrippedText):
    """A host, with a port where it needs one; kept in the spelling of DNS, in lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if "://" in text:
            raise ValidationError(
                translatable("must be the domain alone, without http:// or https://")
            )
        if sign := re.search(r"[/?#\\\s]", text):
            raise ValidationError(
                translatable("must be the domain alone, without %(found)s", found=repr(sign[0]))
            )
        try:
            macros.check_callable(f"https://{text}/")
            literal = macros.compile_url(f"https://{text}/")[0][0]
        except ValueError as error:
            raise ValidationError(
                translatable("cannot be used: %(error)s", error=str(error))
            ) from error
        return literal.removeprefix("https://").removesuffix("/").lower()


class BaseUrl(StrippedText):
    """`https://host` or `https://host:port`, kept without a slash at its end.

    Plain http is accepted for localhost and private addresses only, since these
    requests carry keys. Such an address is reached only where the operator has
    allowed it.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return parse_base_url(super()._deserialize(value, attr, data, **kwargs))


def parse_base_url(text: str) -> str:
    """The address in the spelling of DNS. Raises ValidationError."""
    try:
        macros.check_callable(text)
        address, macro = macros.compile_url(text)[0][:2]
    except ValueError as error:
        raise ValidationError(str(error)) from None
    parts = urlsplit(address)
    if macro or parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValidationError(
            translatable("the address ends after the domain and port; leave out the path")
        )
    if parts.scheme == "http" and not _is_private(parts.hostname or ""):
        raise ValidationError(translatable("the address must begin with https://"))
    return f"{parts.scheme}://{parts.netloc}"


def _is_private(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False
