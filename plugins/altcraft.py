"""Altcraft Platform: a profile, optionally its Telegram subscription, and a goal.

Up to two steps an event: `profile` (profiles/import) and `goal`
(goals/register), which finds the profile the first step made. Source: the
vendor's developer guide, v1.1 (guides.altcraft.com, v71 to current), and for
Request-ID its Android SDK. Where it is silent we decided:

- The goal looks the profile up again instead of using the `profile_id` of the
  first step: steps are built before any is sent.
- Every event is wanted, even an overtaken one: goals count events.
- Retries end an hour before Altcraft forgets a Request-ID (one day, unless an
  installation's owner changed it).
- A failure that is marked as a duplicate was replayed, not tried; the same
  Request-ID can only bring it again, so it is final. A resend by hand goes
  under a new one.
- 404 for a goal right after its profile was written is tried again: the
  profile may not be found yet. In the mode `goal` it is final.
- 402 (tariff limit) keeps the event and stops; 401 and 403 stop.
- An installation's limit is its owner's secret; 5 requests a second per token,
  unless the customer knows better.
- Values that come out empty are left out, lest they wipe what is known.
- `_regdate` is not written: the profile may be older than our first sight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from marshmallow import Schema

from plugins import macros
from plugins.altcraft_answers import error_code, is_replayed, judge
from plugins.altcraft_settings import MATCHING, PER_SECOND, AltcraftSettings
from plugins.contract import (
    Event,
    Outcome,
    Pace,
    Request,
    Response,
    Verdict,
    hookimpl,
)

RETRY_SECONDS: Final = 23 * 3600.0
MAX_PIXEL_DATA: Final = 1024  #: bytes of JSON
_MAX_VALUE: Final = 1024  # characters of one field; the vendor names no limit
_INT: Final = re.compile(r"-?[0-9]{1,18}")
_ERROR: Final = re.compile(r'"error"\s*:\s*"?(-?[0-9]{1,9})\b')


@hookimpl
def settings_schema() -> Schema:
    """Address, token, database, how profiles are found, goals."""
    return AltcraftSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
    """The profile, then its goal. Nothing when there is nothing to find a profile by."""
    found_by = _match(event, settings)
    if found_by is None:
        return ()
    mode, steps = settings["mode"], []
    if mode != "goal":
        body = {**found_by, **_profile(event, settings, found_by)}
        steps.append(_call("profile", "profiles/import", body, event, settings))
    if mode != "profile" and settings["events"][event.kind.value]["goal"]:
        body = {**found_by, **_goal(event, settings)}
        steps.append(_call("goal", "goals/register", body, event, settings))
    return tuple(steps)


@hookimpl
def classify_response(response: Response, request: Request, settings: Mapping[str, Any]) -> Outcome:
    """The JSON `error` decides, then the status; a replayed failure is final."""
    outcome = judge(response, request.step, settings["mode"])
    if not is_replayed(response):
        return outcome
    if outcome.verdict.is_success:
        return Outcome(Verdict.DUPLICATE, "Altcraft had this already")
    if outcome.verdict is Verdict.RETRY:
        again = "Altcraft keeps repeating a stored answer; resend the event to try anew"
        return Outcome(Verdict.REJECTED, f"{again} ({outcome.reason})")
    return outcome


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """List the database's fields: proves token, rights and database, changes nothing."""
    return _post("databases/fields_get", {}, settings)


@hookimpl
def classify_probe(response: Response, settings: Mapping[str, Any]) -> Outcome:
    """Say which custom fields seem to be missing, too."""
    code = error_code(response)
    if code is None and (cut := _ERROR.search(response.text)):
        code = int(cut[1])  # a long list of fields arrives cut, and is no JSON then
    if code != 0:
        outcome = judge(response, "", settings["mode"])
        strange = Outcome(Verdict.REJECTED, "the server at this address is not Altcraft")
        return strange if outcome.verdict.is_success else outcome
    if missing := _missing(response, settings):
        return Outcome(Verdict.DELIVERED, f"connected; not in the database: {', '.join(missing)}")
    return Outcome(Verdict.DELIVERED, "Altcraft accepts the token and knows the database")


@hookimpl
def wants_every_event() -> bool:
    """Goals count events; one that was overtaken has happened all the same."""
    return True


@hookimpl
def retry_span() -> float:
    """A Request-ID is remembered for a day; a later retry could count a goal twice."""
    return RETRY_SECONDS


@hookimpl
def pace(settings: Mapping[str, Any]) -> Pace:
    """What the customer says that the installation takes, counted by token."""
    # Settings that were kept before the field existed lack it.
    rate = settings.get("per_second", PER_SECOND)
    return Pace(f"{settings['base_url']} {settings['token']}", rate * 60, max(1, int(rate)))


def _match(event: Event, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """By what the profile is found; None when the event has no value for it."""
    matching, value = settings["matching"], _fill(settings["match_value"], event)
    if not value:
        return None
    if matching != "custom":
        return {"matching": matching, MATCHING[matching]: value}
    named = {"matching": matching, "field_name": settings["field_name"]}
    if settings["field_type"] == "string":
        return {**named, "field_value": value}
    return {**named, "field_value": int(value)} if _INT.fullmatch(value) else None


def _profile(
    event: Event, settings: Mapping[str, Any], found_by: Mapping[str, Any]
) -> dict[str, Any]:
    """The rest of profiles/import. A bad subscription must not cost the profile."""
    data = {name: _fill(text, event) for name, text in settings["field_map"].items()}
    if settings["send_names"]:
        data |= {"_fname": _text(event.first_name), "_lname": _text(event.last_name)}
    if settings["send_vendor"]:
        data["_vendor"] = _text(event.campaign)
    if settings["joined_field"] and event.joined is not None:
        data[settings["joined_field"]] = _date(event.joined)
    if settings["status_field"]:
        data[settings["status_field"]] = event.kind.value
    written: dict[str, Any] = {name: value for name, value in data.items() if value}
    written |= _as_data(found_by)
    status = settings["events"][event.kind.value]["subscription"]
    if settings["resource_id"] is not None and status:
        written["subscriptions"] = [_subscription(event, settings["resource_id"], status)]
    return {
        "skip_invalid_subscriptions": True,
        "skip_triggers": settings["skip_triggers"],
        "data": written,
    }


def _as_data(found_by: Mapping[str, Any]) -> dict[str, Any]:
    """What was looked for, as data, so that a new profile has it."""
    key = MATCHING[found_by["matching"]]
    value = found_by[key]
    if key == "field_value":
        return {found_by["field_name"]: value}
    return {"email": {key: value}, "phone": {"phones": [value]}}.get(key, {})


def _subscription(event: Event, resource: int, status: str) -> dict[str, Any]:
    """In private chats the id of the chat is the person's."""
    return {
        "channel": "telegram_bot",
        "resource_id": resource,
        "cc_data": {"id": event.subscriber},
        "status": status,
    }


def _goal(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The rest of goals/register. `enrich_profile` would store our server as the person's."""
    told = settings["events"][event.kind.value]
    filled = {
        "pixel_id": settings["pixel_id"],
        "goal": told["goal"],
        "value": told["value"],
        "date": _date(event.time),
        "vendor": _text(event.campaign) if settings["send_vendor"] else None,
        "enrich_profile": False,
        "skip_triggers": settings["skip_triggers"],
        "pixel_data": _pixel_data(event),
    }
    return {name: value for name, value in filled.items() if value not in (None, "")}


def _pixel_data(event: Event) -> dict[str, str]:
    """Flat, at most 1 KB: what matters least goes first, the click id is cut last."""
    told = {"click": event.click, "campaign": event.campaign, "chat": str(event.chat)}
    told |= {"language": event.language, "title": event.title}
    data = {name: _text(value) for name, value in told.items() if value}
    for name in ("title", "language", "chat", "campaign"):
        if _size(data) > MAX_PIXEL_DATA:
            data.pop(name, None)
    while _size(data) > MAX_PIXEL_DATA:
        data["click"] = data["click"][:-16]
    return data


def _size(data: Mapping[str, str]) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())


def _call(
    step: str, method: str, body: Mapping[str, Any], event: Event, settings: Mapping[str, Any]
) -> Request:
    """One step under its own Request-ID; older versions read it as X-Request-ID."""
    key = event.step_key(step)
    return _post(method, body, settings, step=step, key=key)


def _post(
    method: str,
    body: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    step: str = "",
    key: str = "",
) -> Request:
    headers = {"Content-Type": "application/json"}
    names = {name: body.get("data", {}).get(name) for name in ("_fname", "_lname")}
    if key:
        headers |= {"Request-ID": key, "X-Request-ID": key}
    said: dict[str, Any] = {"db_id": settings["db_id"], **body}
    if settings["auth"] == "header":
        headers["Authorization"] = f"Bearer {settings['token']}"
    else:
        said = {"token": settings["token"], **said}
    return Request(
        "POST",
        f"{settings['base_url']}/api/v1.1/{method}",
        headers=headers,
        body=json.dumps(said).encode(),
        step=step,
        idempotency_key=key,
        secrets=tuple(json.dumps({name: value})[1:-1] for name, value in names.items() if value),
    )


def _missing(response: Response, settings: Mapping[str, Any]) -> list[str]:
    """Custom fields whose name stands nowhere in the list; its shape is not documented."""
    if response.json() is None:
        return []
    named = [settings["status_field"], settings["joined_field"], *settings["field_map"]]
    if settings["matching"] == "custom":
        named.insert(0, settings["field_name"])
    own = dict.fromkeys(name for name in named if name and not name.startswith("_"))
    text = response.text
    return [name for name in own if f'"{name}"' not in text and json.dumps(name) not in text]


def _fill(template: str, event: Event) -> str:
    return _text(macros.fill(template, macros.values(event)))[:_MAX_VALUE]


def _text(value: str) -> str:
    """Half of a surrogate pair is no character, and JSON readers stumble over it."""
    return value.encode("utf-8", "replace").decode()


def _date(seconds: int) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
