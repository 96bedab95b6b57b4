"""What the conversion APIs of ad platforms share: settings, names, values, hashes.

Used by `meta_capi` and `tiktok_events`, and in part by `yandex_metrica`. Meta and TikTok
count events instead of keeping one status per lead, and both drop an event whose name and
id come again within 48 hours; that is why retries end before that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins.contract import (
    ConversionKind,
    Event,
    EventKind,
    translatable,
)
from plugins.kit.fields import AsciiWord, BaseUrl, object_field
from plugins.kit.platforms.empty_purchases import (
    is_empty_purchase,
    sends_zero,
    was_sent_with_zero,
)

#: Within the 48 hours in which a repeated event id is recognised.
RETRY_SECONDS: Final = 47 * 3600.0

#: A custom event's name, as all platforms take it.
_NAME: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 _-]{0,49})?")
_HASH: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_CURRENCY: Final = re.compile(r"(?:[A-Z]{3})?\Z")

#: For a platform that is told no conversions.
NO_NAMES: Final[Mapping[EventKind | ConversionKind, str]] = MappingProxyType({})


def _check_name(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise ValidationError(
            translatable("must be at most 50 Latin letters, digits, spaces, - and _")
        )


def event_names_field(names: Mapping[EventKind | ConversionKind, str]) -> fields.Nested:
    """The platform's name for each event: `names`, unless the customer changes them."""
    schema = Schema.from_dict(
        {
            kind.value: fields.String(
                load_default=name,
                validate=_check_name,
                metadata={"title": f"Name for {kind.value}"},
            )
            for kind, name in names.items()
        },
        name="EventNames",
    )
    return object_field(schema, "Event names", "an empty name sends nothing for that event")


def event_values_field() -> fields.Nested:
    """The money that each event is worth to the customer; none by default."""
    schema = Schema.from_dict(
        {
            kind.value: fields.Float(
                load_default=None,
                allow_none=True,
                validate=validate.Range(min=0, max=1e9),
                metadata={"title": f"Value of {kind.value}"},
            )
            for kind in EventKind
        },
        name="EventValues",
    )
    return object_field(schema, "Values", "what one event is worth to you, in your currency")


def currency_field() -> AsciiWord:
    """The currency of all values; empty while there are none."""
    return AsciiWord(
        load_default="",
        validate=validate.Regexp(
            _CURRENCY, error=translatable("must be three capital letters, such as USD")
        ),
        metadata={"title": "Currency", "help": "ISO 4217, such as USD; needed with a value"},
    )


def access_token_field(where: str) -> AsciiWord:
    """The access token; `where` names the platform's page that generates it."""
    return AsciiWord(
        required=True,
        validate=validate.Length(min=8, max=1024),
        metadata={
            "title": "Access token",
            "help": f"{where}, Generate access token",
            "secret": True,
        },
    )


def click_type_field(platform_type: str) -> fields.String:
    """The kind of click id in the customer's links; by default the platform's own kind."""
    return fields.String(
        load_default=platform_type,
        validate=validate.OneOf([platform_type, "external_id", "nothing"]),
        metadata={"title": "The click id of my links is", "help": "nothing: do not send it"},
    )


def send_click_field(parts: str) -> fields.Boolean:
    """Whether the platform hears of the visit that brought the person.

    Settings that are older than this switch lack it, which is read as off: nobody was asked.
    """
    return fields.Boolean(
        load_default=True,
        metadata={
            "title": "Send what is known of the click",
            "help": f"{parts}; only what your sites keep",
        },
    )


def test_code_field() -> AsciiWord:
    """The code with which the platform shows events to the customer and does not count them."""
    return AsciiWord(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"title": "Test event code", "help": "sends to the Test events tab; empty = live"},
    )


def base_url_field(default: str) -> BaseUrl:
    """The address of the platform's API."""
    return BaseUrl(
        load_default=default,
        validate=validate.Length(min=1, max=255),
        metadata={"title": "Address of the API", "help": "change it only for a gateway of yours"},
    )


class AdPlatformSettings(Schema):
    """The rule that the schemas of all platforms share. Each declares its fields itself."""

    @validates_schema
    def a_value_needs_a_currency(self, data: dict[str, Any], **_: Any) -> None:
        """Platforms refuse a number of money without its currency."""
        if not data["currency"] and any(value is not None for value in data["values"].values()):
            raise ValidationError(translatable("choose the currency of the values"), "currency")


def event_name(
    event: Event,
    settings: Mapping[str, Any],
    names: Mapping[EventKind | ConversionKind, str] = NO_NAMES,
) -> str:
    """The platform's name for `event`; empty where it is not sent.

    `names` are the usual ones, for settings that were stored before there were conversions.
    A purchase waits until its value is known, unless the settings have it sent with 0. A
    platform drops a corrected value, since it comes under the same id, or counts it as
    another purchase: so none is sent, nor the value of one that was sent with 0.
    """
    if event.revision or was_sent_with_zero(event):
        return ""
    if is_empty_purchase(event) and not sends_zero(settings):
        return ""
    return str(settings["events"].get(event.kind.value, names.get(event.kind, "")) or "")


def event_value(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"value": …, "currency": …}`; empty for an event without a value."""
    if event.value:
        return {"value": float(event.value), "currency": event.currency}
    if is_empty_purchase(event):
        return {"value": 0.0, "currency": settings["currency"]}
    value = settings["values"].get(event.kind.value)
    return {} if value is None else {"value": value, "currency": settings["currency"]}


def normalized_hash(text: str) -> str:
    """SHA-256, in hexadecimal, of `text` in lower case without space around; "" stays "".

    A text that is a hash already stays as it is: so does Meta's own library.
    """
    plain = text.lower().strip()
    if not plain or _HASH.fullmatch(plain):
        return plain
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def external_ids(event: Event, settings: Mapping[str, Any]) -> list[str]:
    """Hashes of the ids by which a platform may know the person: Telegram's, and the click."""
    hashes = [normalized_hash(str(event.subscriber))]
    if event.click and settings["click_type"] == "external_id":
        hashes.append(normalized_hash(event.click))
    return hashes
