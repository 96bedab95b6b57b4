"""What AdTarget is told: the visit, the conversion, and a value that comes later.

The reference leaves open what `events/invite` and `…/value` take; our choice is in each function.
"""

import uuid
from collections.abc import Mapping
from typing import Any, Final

from plugins.contract import Event, EventKind
from plugins.kit.click_ids import has_own_click_id, is_address, meta_fbc
from plugins.kit.json_bodies import valid_text
from plugins.kit.platforms.empty_purchases import is_empty_purchase, sends_zero
from plugins.kit.platforms.meta_ids import is_fbc, is_fbp
from plugins.trackers.adtarget.settings import AUTO, OFF, PLANS, USUAL
from plugins.uuids import uuid5_text

#: What a conversion says of the click, and beside it what a visit does.
OF_CONVERSION: Final = (
    *("source", "click_token", "landing", "ip", "ua", "fbc", "fbp", "gclid", "ttclid", "sccid"),
)
OF_VISIT: Final = (
    *("how", "referrer", "country"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
)
_VISITORS: Final = uuid.UUID("0c1d2f3a-6a54-5d55-8d0f-4f7a51c1d3b2")
_UTM: Final = ("source", "medium", "campaign", "content", "term")
_PLATFORM_IDS: Final = ("gclid", "ttclid", "sccid")


def conversion_type(event: Event, settings: Mapping[str, Any]) -> str:
    """What the event becomes; OFF for nothing.

    A purchase without a value waits for it unless its destination has it sent with 0.
    """
    if is_empty_purchase(event) and not sends_zero(settings):
        return OFF
    chosen: str = _settings_of(event, settings)["type"]
    if chosen != AUTO:
        return chosen
    if event.kind is EventKind.APPROVE and settings["tracked_by_adtarget"]:
        return OFF
    return PLANS[event.kind].recommended


def conversion(conversion_type: str, event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The body of §3.1 of the API reference, without the keys that have no value."""
    event_settings = _settings_of(event, settings)
    name = event_settings["name"] or PLANS[event.kind].custom_name or valid_text(event.name)
    value, currency = event_settings["value"], settings["currency"]
    if event.value:
        value, currency = float(event.value), event.currency
    elif is_empty_purchase(event):
        value = 0.0
    site = "websiteId" if settings["site"].startswith("atid_") else "siteId"
    names = {"firstName": valid_text(event.first_name), "lastName": valid_text(event.last_name)}
    pii = {key: name for key, name in names.items() if name} if settings["send_names"] else {}
    body = {
        "telegramUserId": event.subscriber,
        "channelId": settings["channel"] or str(event.chat),
        site: settings["site"],
        "eventType": conversion_type,
        "customEventName": name if conversion_type == "Custom" else None,
        "value": value,
        "currency": currency if value is not None else None,
        "contentName": valid_text(event.campaign),
        "eventTime": event.time * 1000,
        "pii": pii,
        "eventSourceUrl": valid_text(event.touch.get("landing", "")),
        **_ids(event),
        **_attribution(event, settings["click_type"]),
    }
    return {key: value for key, value in body.items() if value not in (None, "", {})}


def value(event: Event) -> dict[str, Any]:
    """A value for a conversion that was told before; the names are those of a conversion."""
    return {"value": float(event.value), "currency": event.currency}


def visit(event: Event) -> dict[str, Any]:
    """The visit that the click was, as `events/visit` takes it. fbp comes later, by itself."""
    touch = event.touch
    utm = {f"utm{name.title()}": touch.get(f"utm_{name}") for name in _UTM}
    ids = {name: text for name, text in _ids(event).items() if name != "fbp"}
    body = {
        "href": touch.get("landing"),
        "landingPage": touch.get("landing"),
        "referrer": touch.get("referrer"),
        "tempId": visitor(event),
        "externalUserId": str(event.lead),
        "country": touch.get("country"),
        **utm,
        **ids,
    }
    return {key: valid_text(text) for key, text in body.items() if text}


def late_fbp(event: Event) -> dict[str, Any]:
    """The browser id for the visit, as `events/update-fbp` takes it."""
    return {"tempId": visitor(event), "fbp": event.touch["fbp"]}


def invite(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """That the visitor got an invite link; what `events/invite` takes is unknown."""
    return {"tempId": visitor(event), "channelId": settings["channel"] or str(event.chat)}


def visitor(event: Event) -> str:
    """The UUID of the visitor: the same for all that one click brings, and of no use elsewhere."""
    return uuid5_text(_VISITORS, event.touch.get("click_token", ""))


def _settings_of(event: Event, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings of this kind of event; the usual ones where none are stored."""
    chosen: Mapping[str, Any] = settings["events"].get(event.kind.value, USUAL)
    return chosen


def _ids(event: Event) -> dict[str, str]:
    """The ids and the browser of the click, without what platforms would refuse."""
    touch = event.touch
    ids = {name: valid_text(touch.get(name, "")) for name in _PLATFORM_IDS}
    ids["userAgent"] = valid_text(touch.get("ua", ""))
    ids["clientIp"] = touch["ip"] if is_address(touch.get("ip", "")) else ""
    ids["fbc"] = touch["fbc"] if is_fbc(touch.get("fbc", "")) else ""
    ids["fbp"] = touch["fbp"] if is_fbp(touch.get("fbp", "")) else ""
    return {name: text for name, text in ids.items() if text}


def _attribution(event: Event, click_type: str) -> dict[str, str]:
    """The click id under its own name. The external id is the lead's, unless the click is one.

    The click id in a source's link is an external one at most, and our token is not even that.
    """
    click, external = valid_text(event.click), {"externalUserId": str(event.lead)}
    if not click or click_type == "none" or click == event.touch.get("click_token"):
        return external
    if click_type == "external":
        return {"externalUserId": click}
    if not has_own_click_id(event):
        return external
    if click_type == "fbclid":
        return {**external, "fbc": valid_text(meta_fbc(event))}
    return {**external, click_type: click}
