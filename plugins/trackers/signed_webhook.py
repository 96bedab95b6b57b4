"""A signed JSON webhook to the customer's own server, by Standard Webhooks 1.0.

    POST {url}
    webhook-id: {the same on every retry}
    webhook-timestamp: {Unix seconds of this try}
    webhook-signature: v1,{base64 of HMAC-SHA256 over id.timestamp.body}
    {"type": "lead.approve", "timestamp": "2026-09-21T14:13:20Z", "data": {…}}

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md,
read in November 2026. Our decisions where it leaves a choice:

* `webhook-id` is the key of this event at this destination; it has no dot.
* `webhook-timestamp` is `event.now`, since receivers refuse what is more than
  five minutes away from their clock. `timestamp` in the body is the event's.
* While a secret is replaced there are two, and two signatures in one header.
* `data.touch` says what is known of the click, and is left out where nothing is: a try after
  the click was purged says less than the one before, under the same `webhook-id`.
* Every status but 2xx is tried again, redirects and 4xx too: the receiver is the
  customer's own code, and a 404 is more often a deployment than a verdict.
  410 switches the destination off, as the standard says. 401 is a receiver that
  does not accept the signature: it switches the destination off too, and the event
  waits until both sides have the same secret.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

from marshmallow import Schema, ValidationError, fields, validate

from plugins.contract import (
    ALL_KINDS,
    TOUCH_FIELDS,
    ConversionKind,
    DeliveryPolicy,
    Event,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
    translatable,
)
from plugins.kit.fields import AsciiWord, HttpUrl
from plugins.kit.json_bodies import json_bytes
from plugins.kit.secrets.typed import secrets_of_url
from plugins.response_text import Fault, fault_of

PREFIX: Final = "whsec_"
#: The standard's bounds of a secret, in bytes.
SHORTEST: Final = 24
LONGEST: Final = 64

_KINDS: Final = tuple(kind.value for kind in ALL_KINDS)
_EVENT_FIELDS: Final = (
    "lead campaign chat title subscriber username first_name last_name "
    "premium language click joined sequence"
).split()
#: Of the click, unless the customer chooses otherwise: not the address and browser of a person.
_USUAL_TOUCH: Final = tuple(name for name in TOUCH_FIELDS if name not in ("ip", "ua"))
#: Only a conversion has them.
_MONEY_FIELDS: Final = ("value", "currency", "name", "revision")


class _Secret(AsciiWord):
    """`whsec_` and base64; the prefix may be left out."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).removeprefix(PREFIX)
        if not text:
            return ""
        try:
            size = len(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValidationError(translatable("must be whsec_ and base64")) from error
        if not SHORTEST <= size <= LONGEST:
            raise ValidationError(
                translatable(
                    "must hold %(shortest)s to %(longest)s bytes; this one has %(size)s",
                    shortest=SHORTEST,
                    longest=LONGEST,
                    size=size,
                )
            )
        return PREFIX + text


class WebhookSettings(Schema):
    """Sends every event to a server of your own, signed so that the server can trust it."""

    title: ClassVar[str] = "Signed webhook"

    url = HttpUrl(
        required=True,
        validate=validate.Length(min=1, max=2048),
        metadata={"title": "Address", "help": "https, on your own server"},
    )
    secret = _Secret(
        required=True,
        validate=validate.Length(min=1, error=translatable("a secret is needed")),
        metadata={
            "title": "Signing secret",
            "help": "whsec_ and 24 to 64 random bytes in base64: openssl rand -base64 32",
            "secret": True,
        },
    )
    previous_secret = _Secret(
        load_default="",
        metadata={
            "title": "Previous secret",
            "help": "while you replace it: both sign, until you empty this field",
            "secret": True,
        },
    )
    touch = fields.List(
        fields.String(validate=validate.OneOf(TOUCH_FIELDS)),
        load_default=lambda: list(_USUAL_TOUCH),
        metadata={"title": "Of the click", "help": "what of it is sent, as far as it is kept"},
    )
    events = fields.List(
        fields.String(validate=validate.OneOf(_KINDS)),
        load_default=lambda: list(_KINDS),
        validate=validate.Length(min=1, error=translatable("choose at least one")),
        metadata={"title": "Events", "help": "those that are sent"},
    )


@hookimpl
def settings_schema() -> Schema:
    """Address, secrets, and the events that are sent."""
    return WebhookSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """One signed POST; nothing for an event that the customer left out."""
    if event.kind.value not in settings["events"]:
        return ()
    key, body = event.step_key(), json_bytes(_payload(event))
    secrets = filter(None, (settings["secret"], settings["previous_secret"]))
    return Request(
        "POST",
        settings["url"],
        headers={
            "Content-Type": "application/json",
            "webhook-id": key,
            "webhook-timestamp": str(event.now),
            "webhook-signature": " ".join(sign(secret, key, event.now, body) for secret in secrets),
        },
        body=body,
        idempotency_key=key,
        secrets=secrets_of_url(settings["url"]),
    )


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that the customer has chosen; none in settings of before there was a choice."""
    return tuple(settings.get("touch", ()))


@hookimpl
def conversion_kinds() -> tuple[ConversionKind, ...]:
    """All of them, unless the customer leaves some out."""
    return tuple(ConversionKind)


@hookimpl
def classify_response(response: Response) -> Outcome:
    """Judge the status alone: 2xx is a success, 410 is final, anything else is tried again.

    Standard Webhooks asks for nothing in the body. A web page is the exception: it is
    another program that answers at this address, such as a login.
    """
    if 200 <= response.status < 300:
        if fault_of(response.body, response.headers) is Fault.PAGE:
            return Outcome(Verdict.REJECTED, response.unreadable)
        return Outcome(Verdict.DELIVERED, f"HTTP {response.status}")
    outcome = outcome_by_status(response)
    if outcome.disable_destination:
        return outcome
    if response.status == 401:
        return Outcome(
            Verdict.RETRY,
            translatable("the receiver does not accept the signature"),
            disable_destination=True,
        )
    return Outcome(Verdict.RETRY, outcome.reason, response.retry_after)


@hookimpl
def delivery_policy() -> DeliveryPolicy:
    """The customer's log needs all events; `sequence` tells their order."""
    return DeliveryPolicy(send_superseded=True)


def sign(secret: str, key: str, timestamp: int, body: bytes) -> str:
    """One `v1` signature over `key.timestamp.body`. `secret` is whsec_ and base64."""
    signed = b".".join((key.encode(), str(timestamp).encode(), body))
    digest = hmac.digest(_key_of(secret), signed, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


@lru_cache(maxsize=1024)
def _key_of(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def _payload(event: Event) -> dict[str, Any]:
    happened = datetime.fromtimestamp(event.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {"id": event.id, "status": event.kind.value, "time": event.time}
    data |= {name: getattr(event, name) for name in _EVENT_FIELDS}
    if isinstance(event.kind, ConversionKind):
        data |= {name: getattr(event, name) for name in _MONEY_FIELDS}
    if event.touch:
        data["touch"] = dict(event.touch)
    return {"type": f"lead.{event.kind.value}", "timestamp": happened, "data": data}
