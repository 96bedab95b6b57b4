"""Bodies of Altcraft's requests: how a profile is found, its data, its goal, its automation."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from plugins.contract import Event
from plugins.kit import macros
from plugins.kit.json_bodies import valid_text
from plugins.trackers.altcraft.settings import MATCHING

MAX_PIXEL_DATA: Final = 1024  #: bytes of JSON
_MAX_VALUE: Final = 1024  # characters of one field; the vendor names no limit
_INT: Final = re.compile(r"-?[0-9]{1,18}")
#: What mailings and scenarios are told. A list of its own: what macros learn later is not sent
#: to customers' Altcrafts unasked.
_CONTENT: Final = (
    "click",
    "status",
    "campaign",
    "user",
    "lead",
    "subscriber",
    "username",
    "chat",
    "time",
    "title",
    "premium",
    "language",
    "event_id",
    "value",
    "value_currency",
    "name",
)


def match(event: Event, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """The keys by which Altcraft finds the profile; None where the event has no value for them."""
    matching, value = settings["matching"], _fill(settings["match_value"], event)
    if not value:
        return None
    if matching != "custom":
        return {"matching": matching, MATCHING[matching]: value}
    field = {"matching": matching, "field_name": settings["field_name"]}
    if settings["field_type"] == "string":
        return {**field, "field_value": value}
    return {**field, "field_value": int(value)} if _INT.fullmatch(value) else None


def profile(event: Event, settings: Mapping[str, Any], match: Mapping[str, Any]) -> dict[str, Any]:
    """The body of profiles/import but for `match`. A bad subscription must not cost the profile."""
    data = {name: _fill(text, event) for name, text in settings["field_map"].items()}
    if settings["send_names"]:
        data |= {"_fname": valid_text(event.first_name), "_lname": valid_text(event.last_name)}
    if settings["send_vendor"]:
        data["_vendor"] = valid_text(event.campaign)
    if settings["joined_field"] and event.joined is not None:
        data[settings["joined_field"]] = _date(event.joined)
    if settings["status_field"]:
        data[settings["status_field"]] = event.kind.value
    written: dict[str, Any] = {name: value for name, value in data.items() if value}
    written |= _match_as_data(match)
    status = settings["events"][event.kind.value]["subscription"]
    if settings["resource_id"] is not None and status:
        written["subscriptions"] = [_subscription(event, settings["resource_id"], status)]
    return {
        "db_id": settings["db_id"],
        "skip_invalid_subscriptions": True,
        "skip_triggers": settings["skip_triggers"],
        "data": written,
    }


def _match_as_data(match: Mapping[str, Any]) -> dict[str, Any]:
    """The value of `match` as data of the profile, so that a new one can be found by it."""
    key = MATCHING[match["matching"]]
    value = match[key]
    if key == "field_value":
        return {match["field_name"]: value}
    return {"email": {key: value}, "phone": {"phones": [value]}}.get(key, {})


def _subscription(event: Event, resource: int, status: str) -> dict[str, Any]:
    """The subscription to the bot's private chat, whose id is the person's."""
    return {
        "channel": "telegram_bot",
        "resource_id": resource,
        "cc_data": {"id": event.subscriber},
        "status": status,
    }


def goal(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The body of goals/register but for the match.

    `enrich_profile` stays off: it would store our server's address as the person's.
    """
    event_settings = settings["events"][event.kind.value]
    body = {
        "db_id": settings["db_id"],
        "pixel_id": settings["pixel_id"],
        "goal": event_settings["goal"],
        "value": event_settings["value"],
        "date": _date(event.time),
        "vendor": valid_text(event.campaign) if settings["send_vendor"] else None,
        "enrich_profile": False,
        "skip_triggers": settings["skip_triggers"],
        "pixel_data": _pixel_data(event),
    }
    return {name: value for name, value in body.items() if value not in (None, "")}


def trigger(number: int, match: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """The body of campaigns/triggers/start: a mailing to the profile of `match`.

    A trigger knows its own database.
    """
    return {"id": number, **match, "content": _content(event)}


def workflow(
    number: int, match: Mapping[str, Any], event: Event, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """The body of workflows/start, which has no `email_profile`.

    With an address as the match it needs a resource.
    """
    body = trigger(number, match, event)
    if body["matching"] == "email_profile":
        body["matching"] = "email"
    if body["matching"] in ("email", "phone") and settings["resource_id"] is not None:
        body["resource_id"] = settings["resource_id"]
    return body


def _content(event: Event) -> dict[str, str]:
    """Values of the event by the names of macros, for `{apicontent.click}` and the like."""
    filled = macros.values(event)
    values = {name: valid_text(filled[name])[:_MAX_VALUE] for name in _CONTENT}
    return {name: value for name, value in values.items() if value}


def _pixel_data(event: Event) -> dict[str, str]:
    """Flat data of at most 1 KB: the least important is dropped first, the click id is cut last."""
    values = {"click": event.click, "campaign": event.campaign, "chat": str(event.chat)}
    values |= {"language": event.language, "title": event.title}
    data = {name: valid_text(value) for name, value in values.items() if value}
    for name in ("title", "language", "chat", "campaign"):
        if _size(data) > MAX_PIXEL_DATA:
            data.pop(name, None)
    while _size(data) > MAX_PIXEL_DATA:
        data["click"] = data["click"][:-16]
    return data


def _size(data: Mapping[str, str]) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())


def _fill(template: str, event: Event) -> str:
    return valid_text(macros.fill(template, macros.all_values(event)))[:_MAX_VALUE]


def _date(seconds: int) -> str:
    """RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
