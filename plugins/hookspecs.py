"""The hooks of a tracker adapter. These docstrings are the reference.

Implement them in a module with `@plugins.hookimpl` and name the module in the
entry point group `gatepost.trackers.v1`. Take only the arguments you need, by
the names given here. Every hook is a pure function: no network, no clock, no
environment, and the same answer for the same arguments.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Event,
    Outcome,
    Request,
    Response,
    hookspec,
)

if TYPE_CHECKING:
    import marshmallow

REQUIRED = ("settings_schema", "build_request", "classify_response")


@hookspec(firstresult=True)
def settings_schema() -> marshmallow.Schema:  # type: ignore[empty-body]
    """What a customer must type to connect this tracker.

    Returns an instance of a marshmallow `Schema`. Asked once, when the adapter
    is loaded. What it loads is kept as JSON, so its fields must give JSON
    values. `metadata` of a field may hold `title` and `help` for the form, and
    `secret=True` for a value that must never be shown or stored in clear. A
    field with `scheme_of="domain"` is not asked for: Gatepost fills in http or
    https, by where the host in the field `domain` lies. The class attribute
    `title` and the docstring of the schema introduce the tracker.
    """


@hookspec(firstresult=True)
def build_request(  # type: ignore[empty-body]
    event: Event, settings: Mapping[str, Any]
) -> Request | tuple[Request, ...]:
    """Say `event` in the tracker's dialect.

    Returns one `Request`, or a tuple of them: steps that are sent in order,
    each with its own `step` name of at most 32 characters. A step that
    succeeded is not sent again. An empty tuple means that this tracker has
    nothing to hear about this event. `settings` is what the schema loaded.
    An empty `idempotency_key` is filled in with `event.step_key(step)`. It is
    called for every try, and again between two steps when the answer to the
    first gave a new state: `event.state` may change what the steps
    say, never which they are.
    """


@hookspec(firstresult=True)
def classify_response(  # type: ignore[empty-body]
    response: Response, request: Request, event: Event, settings: Mapping[str, Any]
) -> Outcome:
    """Judge one answer by its status and its body.

    Returns an `Outcome`. Many trackers answer 200 for every error, so read the
    body where it tells more. `plugins.outcome_by_status(response)` is the
    default to start from. Timeouts and broken connections never come here:
    they are always tried again. What a later step or try must know of this
    answer, such as an id or a count, goes into `Outcome.state`.
    """


@hookspec(firstresult=True)
def build_probe(  # type: ignore[empty-body]
    settings: Mapping[str, Any], now: int
) -> Request:
    """Ask the tracker whether these settings are good, without any effect there.

    Optional, and only together with `classify_probe`. Returns one `Request`.
    It is sent by `dest/check`, when a customer asks for it. `now` is the time
    in Unix seconds, for what is signed or dated.
    """


@hookspec(firstresult=True)
def classify_probe(  # type: ignore[empty-body]
    response: Response, settings: Mapping[str, Any]
) -> Outcome:
    """Judge the answer to the probe.

    Optional, and only together with `build_probe`. Returns an `Outcome`; the
    customer reads its `reason` when the verdict is not a success.
    """


@hookspec(firstresult=True)
def delivery_policy(settings: Mapping[str, Any]) -> DeliveryPolicy:  # type: ignore[empty-body]
    """Say how the events of a destination with these settings are delivered.

    Optional. Returns a `DeliveryPolicy`; without the hook every field has its
    default.

    * `retry_window`: seconds after the first try of a step when its retries
      end. Give it when the tracker forgets an idempotency key: a later retry
      could be counted twice. Tries that surely did not arrive (no connection,
      a refusal with 4xx, an answer with `disable_destination`) do not count as
      the first. An event that waited longer after a try that may have arrived
      is not sent again: it ends as failed.
    * `max_event_age`: seconds after `event.time` when the tracker no longer
      accepts an event. An older one is not built or sent: its postback ends,
      and its owner sees why.
    * `rate_limit`: a `RateLimit`. A postback over the limit waits; that is no
      try and no failure. All processes share one count per tracker and
      `RateLimit.key`. Probes are not counted.
    * `send_superseded`: True for trackers that count events instead of keeping
      one status per lead. Otherwise a superseded status is dropped.
    """


@hookspec(firstresult=True)
def conversion_kinds() -> Collection[ConversionKind]:  # type: ignore[empty-body]
    """Say which conversions this tracker wants to hear of: registrations, purchases and so on.

    Optional. Returns some of `ConversionKind`; asked once, when the adapter is loaded. Without
    the hook `build_request` is only called for the five kinds of `EventKind`. Of a conversion
    `event.value`, `event.currency`, `event.name` and `event.revision` may be filled.
    """


@hookspec(firstresult=True)
def touch_fields(settings: Mapping[str, Any]) -> Collection[str]:  # type: ignore[empty-body]
    """Say what of the click that brought a person this destination is to hear.

    Optional. Returns some of `TOUCH_FIELDS`; without the hook `event.touch` is always empty.
    `event.touch` has those of them that are known, none of them an empty text. They are read
    anew for every try and are not stored with the event: what was deleted is gone. Ask only for
    what you send: the address and the user agent of a person are in it.
    """
