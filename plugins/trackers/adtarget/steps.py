"""The requests that tell AdTarget of one event, each under its own Idempotency-Key."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from plugins.contract import ConversionKind, Event, Request
from plugins.kit.platforms.empty_purchases import sends_zero
from plugins.kit.platforms.meta_ids import is_fbp
from plugins.trackers.adtarget import bodies
from plugins.trackers.adtarget.settings import OFF

RETRY_SECONDS: Final = 23 * 3600.0
VISIT_STEPS: Final = ("visit", "fbp", "invite")


def build_steps(event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
    """The visit where it is asked for, the conversion, and its value where that comes later."""
    steps = _visit_steps(event, settings) if settings.get("send_visit") else ()
    conversion_type = bodies.conversion_type(event, settings)
    if conversion_type == OFF:
        return steps
    if number := event.earlier.get("conversion"):
        return (*steps, _value(number, event, settings)) if event.value else steps
    if event.revision and _is_forgotten(event):
        return steps
    body = bodies.conversion(conversion_type, event, settings)
    secrets = (json.dumps(body["pii"]),) if "pii" in body else ()
    conversion = _post("events/conversion", body, event, settings, secrets=secrets)
    if not _has_later_value(event, settings):
        return (*steps, conversion)
    return (*steps, conversion, _value(event.state.get("conversion", "-"), event, settings))


def _value(number: str | int, event: Event, settings: Mapping[str, Any]) -> Request:
    """The value of the conversion that AdTarget has under this number."""
    path = f"leads/{event.subscriber}/conversions/{number}/value"
    step = f"value{event.revision or ''}"
    return _post(path, bodies.value(event), event, settings, step)


def _post(
    path: str, body: Mapping[str, Any], event: Event, settings: Mapping[str, Any],
    step: str = "", *, secrets: tuple[str, ...] = (),
) -> Request:  # fmt: skip
    key = _idempotency_key(event, step)
    return Request(
        "POST",
        f"{settings['base_url']}/api/v1/{path}",
        headers={
            "Authorization": f"Bearer {settings['key']}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        },
        body=json.dumps(body).encode(),
        step=step,
        idempotency_key=key,
        secrets=secrets,
    )


def _visit_steps(event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
    """The visit, its fbp and its invite link, before the first event of a lead."""
    touch = event.touch
    if event.sequence > 1 or isinstance(event.kind, ConversionKind) or not touch.get("landing"):
        return ()
    steps = [_post("events/visit", bodies.visit(event), event, settings, "visit")]
    if is_fbp(touch.get("fbp", "")):
        steps.append(_post("events/update-fbp", bodies.late_fbp(event), event, settings, "fbp"))
    if touch.get("how") in ("link", "request"):
        body = bodies.invite(event, settings)
        steps.append(_post("events/invite", body, event, settings, "invite"))
    return tuple(steps)


def _has_later_value(event: Event, settings: Mapping[str, Any]) -> bool:
    """Whether the conversion may have been told before with another value."""
    is_purchase = event.kind is ConversionKind.PURCHASE
    return bool(event.value) and (event.revision > 0 or (is_purchase and sends_zero(settings)))


def _is_forgotten(event: Event) -> bool:
    """Whether AdTarget may no longer know the key under which the conversion was told.

    Then it would count another conversion rather than tell the number of the first.
    """
    return event.now - event.time > RETRY_SECONDS


def _idempotency_key(event: Event, step: str = "") -> str:
    """The Idempotency-Key: the event's own, or the next one after a stored failure."""
    if event.revision and not step:
        # Only the value is new: the conversion is repeated to hear its number. A person who
        # sends the correction again must not make another one of it.
        event = replace(event, key=_first_key(event.key))
    turn = event.state.get("turn", 0)
    return f"{event.step_key(step)}:r{turn}" if turn else event.step_key(step)


def _first_key(key: str) -> str:
    """The key of an event before anybody sent it again: its last part says how often."""
    name, mark, _ = key.rpartition("|")
    return f"{name}{mark}0" if mark else key
