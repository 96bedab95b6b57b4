"""What the conversion APIs of ad platforms share: names, values, hashes.

Used by `meta_capi` and `tiktok_events`. Both count events instead of keeping
one status per lead, and both drop an event of the same name and id that comes
again within 48 hours; that is why retries end before that.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins.contract import Event, EventKind, Outcome, Response, Verdict, outcome_by_status
from plugins.kit.fields import AsciiWord, BaseUrl

#: Within the 48 hours in which a repeated event id is recognised.
RETRY_SECONDS: Final = 47 * 3600.0

#: A custom event's name, as both platforms take it.
_NAME: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 _-]{0,49})?")
_HASHED: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_CURRENCY: Final = re.compile(r"(?:[A-Z]{3})?\Z")


def _valid_name(text: str) -> None:
    if not _NAME.fullmatch(text):
        raise ValidationError("must be at most 50 Latin letters, digits, spaces, - and _")


def event_names_field(names: Mapping[EventKind, str]) -> fields.Nested:
    """The platform's name for each event, `names` unless the customer says otherwise."""
    schema = Schema.from_dict(
        {
            kind.value: fields.String(
                load_default=name,
                validate=_valid_name,
                metadata={"title": f"Name for {kind.value}"},
            )
            for kind, name in names.items()
        },
        name="EventNames",
    )
    return fields.Nested(
        schema,
        load_default=lambda: schema().load({}),
        metadata={"title": "Event names", "help": "an empty name sends nothing for that event"},
    )


def event_values_field() -> fields.Nested:
    """What each event is worth; nothing unless the customer says so."""
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
    return fields.Nested(
        schema,
        load_default=lambda: schema().load({}),
        metadata={"title": "Values", "help": "what one event is worth to you, in your currency"},
    )


def currency_field() -> AsciiWord:
    """The currency of all values; empty while there are none."""
    return AsciiWord(
        load_default="",
        validate=validate.Regexp(_CURRENCY, error="must be three capital letters, such as USD"),
        metadata={"title": "Currency", "help": "ISO 4217, such as USD; needed with a value"},
    )


def access_token_field(where: str) -> AsciiWord:
    """The access token; `where` is found what the customer has to paste."""
    return AsciiWord(
        required=True,
        validate=validate.Length(min=8, max=1024),
        metadata={
            "title": "Access token",
            "help": f"{where}, Generate access token",
            "secret": True,
        },
    )


def click_type_field(own: str) -> fields.String:
    """What the click id of a link is: `own`, the platform's kind, unless the customer says."""
    return fields.String(
        load_default=own,
        validate=validate.OneOf([own, "external_id", "nothing"]),
        metadata={"title": "The click id of my links is", "help": "nothing: do not send it"},
    )


def test_code_field() -> AsciiWord:
    """The code under which events are shown to the customer and not counted."""
    return AsciiWord(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"title": "Test event code", "help": "sends to the Test events tab; empty = live"},
    )


def base_url_field(usual: str) -> BaseUrl:
    """Where the platform's API is."""
    return BaseUrl(
        load_default=usual,
        validate=validate.Length(min=1, max=255),
        metadata={"title": "Address of the API", "help": "change it only for a gateway of yours"},
    )


class AdPlatformSettings(Schema):
    """What the schemas of the platforms have in common; each declares the fields itself."""

    @validates_schema
    def a_value_needs_a_currency(self, data: dict[str, Any], **_: Any) -> None:
        """A number alone says nothing."""
        if not data["currency"] and any(worth is not None for worth in data["values"].values()):
            raise ValidationError("choose the currency of the values", "currency")


def event_name(event: Event, settings: Mapping[str, Any]) -> str:
    """The platform's name for `event`; empty when it is not told."""
    return str(settings["events"].get(event.kind.value) or "")


def event_value(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """`{"value", "currency"}`, or nothing for an event without a value."""
    value = settings["values"].get(event.kind.value)
    return {} if value is None else {"value": value, "currency": settings["currency"]}


def normalized_hash(text: str) -> str:
    """SHA-256 of `text` in lower case without space around, in hexadecimal; "" stays "".

    What is a hash already stays as it is: so does Meta's own library.
    """
    plain = text.lower().strip()
    if not plain or _HASHED.fullmatch(plain):
        return plain
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def external_ids(event: Event, settings: Mapping[str, Any]) -> list[str]:
    """Hashed ids by which the platform may know the person: Telegram's, and the click."""
    known = [normalized_hash(str(event.subscriber))]
    if event.click and settings["click_type"] == "external_id":
        known.append(normalized_hash(event.click))
    return known


def foreign_answer(response: Response, token: Outcome) -> Outcome:
    """What an answer means that is not in the platform's words.

    Something in between spoke, so a success is none. 401 means `token`,
    whoever says it.
    """
    outcome = token if response.status == 401 else outcome_by_status(response)
    if outcome.verdict.is_success:
        return Outcome(Verdict.RETRY, "the answer is not the platform's")
    return outcome


def with_message(known: Outcome, said: str, response: Response) -> Outcome:
    """`known`, with the platform's own words, and with the wait it asks for if it is one."""
    wait = response.retry_after if known.verdict is Verdict.RETRY else None
    reason = f"{known.reason}; {said}" if known.reason else said
    return Outcome(known.verdict, reason, wait, known.stop)
