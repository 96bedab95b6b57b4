"""What Gatepost and a tracker adapter say to each other.

Everything here is a frozen value or a pure function, so that an adapter can
be tested without a network, a clock or a database, and so that one adapter
written years ago still loads. Adding an optional field is compatible; any
other change needs a new entry point group.
"""

import enum
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pluggy

from plugins import response_text
from plugins.kinds import ALL_KINDS as ALL_KINDS  # noqa: PLC0414 - for authors
from plugins.kinds import TOUCH_FIELDS as TOUCH_FIELDS  # noqa: PLC0414 - for authors
from plugins.kinds import ConversionKind as ConversionKind  # noqa: PLC0414 - for authors
from plugins.kinds import EventKind as EventKind  # noqa: PLC0414 - for authors
from plugins.kinds import kind_named as kind_named  # noqa: PLC0414 - for authors
from plugins.masking import MASK as MASK  # noqa: PLC0414 - for authors
from plugins.masking import mask as mask  # noqa: PLC0414 - for authors
from plugins.masking import mask_beginning
from plugins.uuids import uuid5_text

PROJECT: Final = "gatepost"
ENTRY_POINT_GROUP: Final = f"{PROJECT}.trackers.v1"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

#: Keys are derived inside this namespace, so they can be derived again.
_KEYS: Final = uuid.UUID("6f9a1c0e-55d1-5b0e-9a60-3c1f3c8a7d11")


class TranslatableText(str):
    """Text for people that keeps its English template and the terms in it.

    It is the English text wherever a string is wanted. Gatepost looks the template
    up in its catalogue and shows it in the account's language; a template that the
    catalogue lacks is shown in English. Made by `translatable`.
    """

    __slots__ = ("template", "terms")
    template: str
    terms: Mapping[str, object]

    def __new__(cls, template: str, /, **terms: object) -> Self:
        """Fill each `%(name)s` of `template` with the term of that name.

        A term that is neither a number nor a text is turned into one at once.
        """
        plain = {
            name: term if isinstance(term, int | float | str) else str(term)
            for name, term in terms.items()
        }
        text = super().__new__(cls, template % plain if plain else template)
        text.template, text.terms = template, plain
        return text

    def __str__(self) -> str:
        """The text itself, so that `str(error)` of an exception keeps the template."""
        return self

    def format(self, *_: object, **__: object) -> Self:
        """The text itself: marshmallow formats the `error` of a validator, and all is filled in."""
        return self


def translatable(template: str, /, **terms: object) -> TranslatableText:
    """Mark a sentence for people: `translatable("at most %(most)d days", most=366)`.

    `template` is English and a literal: the catalogue collects the templates of
    these calls. A term that was made by `translatable` is translated as well.
    Only the terms of a reason are masked, so what a tracker said goes into one.
    """
    return TranslatableText(template, **terms)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a tracker should hear about one lead, frozen when it happened.

    Times are Unix seconds of Telegram's clock. `lead` and `account` are numbers of Gatepost,
    `chat` and `subscriber` ids of Telegram. Texts come from strangers: an adapter must place
    them as data, never as syntax. Any but `id` and `campaign` may be empty. `state` is what the
    step or try before this one left in `Outcome.state`, and `earlier` what the last one of the
    report before did, of the same conversion.
    """

    id: str  #: unique per report, the same on every retry
    kind: EventKind | ConversionKind
    time: int
    lead: int
    account: int
    campaign: str  #: the campaign's public code
    chat: int
    subscriber: int
    click: str = ""
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    title: str = ""  #: of the chat
    premium: bool = False
    language: str = ""
    joined: int | None = None  #: when the person joined, if they did
    sequence: int = 1  #: the number of this report among those of its lead
    key: str = ""  #: identifies this event at this destination, for all tries
    now: int = 0  #: Unix seconds when this try is built; changes with every retry
    tries: int = 0  #: made before this one; begins anew when a person sends it again
    state: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    value: str = ""  #: of a conversion: "49.5", below zero for a refund, "" while unknown
    currency: str = ""  #: of `value`, three capital letters
    name: str = ""  #: what a conversion's sender calls it, such as "deposit"
    revision: int = 0  #: how many values of this conversion were reported before, under one `id`
    earlier: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    touch: Mapping[str, str] = field(default_factory=dict, hash=False)  #: see hook `touch_fields`

    def step_key(self, step: str = "") -> str:
        """A UUID that stays the same on every retry of this event's `step`."""
        return uuid5_text(_KEYS, f"{self.key or self.id}|{step}")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as a value. The transport sends it; nothing else does.

    `secrets` lists texts that must not be shown to a person or stored, in the
    spelling in which they stand in `url`, `headers` or `body`. Secret settings
    are added by Gatepost, so only derived ones need listing.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    step: str = ""
    idempotency_key: str = ""
    secrets: tuple[str, ...] = ()

    def redacted(self, most: int | None = None) -> str:
        """The request as text for people, with every secret masked; at most `most` characters."""
        lines = [f"{self.method} {self.url}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines += ["", self.body.decode("utf-8", "replace")]
        text = "\n".join(lines)
        if most is None:
            return mask(text, self.secrets)
        return mask_beginning(text, self.secrets, most)


_UNREADABLE: Final[Mapping[response_text.Fault, TranslatableText]] = {
    response_text.Fault.CODING: translatable("the answer has a coding that cannot be read"),
    response_text.Fault.PAGE: translatable("the answer is a web page; check the address"),
    response_text.Fault.PROGRAM: translatable("the answer is an error of the tracker's program"),
    response_text.Fault.BROKEN: translatable("the answer is JSON that breaks off"),
    response_text.Fault.BLANK: translatable("the answer is white space without an end"),
    response_text.Fault.BINARY: translatable("the answer is neither a text nor a picture"),
}


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: a status, lower-case header names, at most 16 KB of body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes, without a byte order mark.

        A mark or the zeros of UTF-16 and UTF-32 decide, then the charset of the
        Content-Type, else it is UTF-8.
        """
        return response_text.decode(self.body, self.headers.get("content-type", ""))

    def json(self) -> Any:
        """The body as JSON, or None when it is not JSON."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def unreadable(self) -> str:
        """Why this is no answer of a tracker's (response_text.py); "" if it may be one."""
        fault = response_text.fault_of(self.body, self.headers)
        return _UNREADABLE[fault] if fault else ""

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asks us to wait, if it says so in whole seconds."""
        value = self.headers.get("retry-after", "").strip()
        return float(value) if value.isascii() and value.isdigit() else None


class Verdict(enum.StrEnum):
    """What an answer means for the postback."""

    DELIVERED = "delivered"
    DUPLICATE = "duplicate"  #: they had it already; as good as delivered
    RETRY = "retry"
    REJECTED = "rejected"

    @property
    def is_success(self) -> bool:
        """Whether the tracker has the event."""
        return self in (Verdict.DELIVERED, Verdict.DUPLICATE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An adapter's reading of one answer.

    `reason` is one sentence for the owner. `retry_after` (seconds) is the
    tracker's wish. `disable_destination` switches the destination off and tells its owner:
    the key was revoked, the account is unpaid, the address is gone for good.
    With RETRY the event waits until the owner has mended it.

    `state` is what the next request of this event should know: the next step, or the next
    try. It is stored with the postback and comes back as `Event.state`; what a conversion ended
    with is `Event.earlier` of its next report. None leaves it as it is, an empty mapping clears
    it. At most 16 texts or whole numbers, 1 KB as JSON, no secrets.
    """

    verdict: Verdict
    reason: str = ""
    retry_after: float | None = None
    disable_destination: bool = False
    state: Mapping[str, str | int] | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How many requests a tracker accepts; each step of an event is one request.

    `key` is what the tracker counts by, such as the API key: destinations of
    one tracker with the same key share one limit, over all processes. It may be
    a secret: only its hash is stored. `burst` (at least 1) requests may go at
    once after a pause; `per_minute` is the lasting rate.
    """

    key: str = field(repr=False)
    per_minute: float
    burst: int


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How the events of one destination are delivered; every field is optional.

    `retry_window` is the time in seconds from the first try of a step to its
    last; None is the whole schedule of about 45 hours. `max_event_age` is the
    age in seconds, counted from `Event.time`, beyond which an event is not
    sent; None is any age. `rate_limit` None is as fast as the tracker answers.
    `send_superseded` says whether a status is sent after a newer one of the
    same lead: True for trackers that count events.
    """

    retry_window: float | None = None
    max_event_age: float | None = None
    rate_limit: RateLimit | None = None
    send_superseded: bool = False


def outcome_by_status(response: Response) -> Outcome:
    """Judge by HTTP status alone: the default to start from.

    A success that is a page of HTML, or that cannot be decoded, is none: nobody
    knows what it means, and another try might count twice.
    """
    status = response.status
    reason = f"HTTP {status}"
    if 200 <= status < 300:
        if response.unreadable:
            return Outcome(Verdict.REJECTED, response.unreadable)
        return Outcome(Verdict.DELIVERED, reason)
    if status in (408, 425, 429) or status >= 500:
        return Outcome(Verdict.RETRY, reason, response.retry_after)
    if 300 <= status < 400:
        return Outcome(
            Verdict.REJECTED,
            translatable("HTTP %(status)d: redirects are not followed", status=status),
        )
    if status == 410:
        return Outcome(
            Verdict.REJECTED,
            translatable("HTTP %(status)d: the address is gone for good", status=status),
            disable_destination=True,
        )
    return Outcome(Verdict.REJECTED, reason)
