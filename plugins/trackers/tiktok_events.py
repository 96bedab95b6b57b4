"""TikTok Events API 2.0: events in Telegram, sent to a TikTok pixel.

    POST {base_url}/open_api/v1.3/event/track/     Access-Token: {token}
    {"event_source": "web", "event_source_id": pixel, "data": [{event, event_time, event_id, …}]}

Source: business-api.tiktok.com/portal/docs, Events API 2.0 and Appendix "Return
codes"; the request form also as in docs.tealium.com's and TikTok's own examples,
read in November 2026. Our decisions where they are silent or leave a choice:

* HTTP 200 says nothing; `code` decides, and 0 is a success.
* `event_id` is the id of our event, so a retry is counted once: TikTok drops an
  equal name and id for 48 hours. Retries end before that.
* TikTok names no oldest `event_time` for the web, and 28 days for events from
  elsewhere: older ones are not sent. One that it refuses earlier is rejected.
* The click id may be TikTok's own `ttclid`; it is never hashed nor changed. One that came
  by a source's link is none: of that click ttclid, ttp, address, browser and page are sent.
* `external_id` is hashed as all personal data: in lower case, without space around.
* Leaving and being removed are custom events: TikTok cannot take one back.
* A refused token switches the destination off and the event waits. An answer
  that is not TikTok's JSON comes from a server between TikTok and us, and the
  event is tried again. Codes from 50000 on are TikTok's own failures.
* There is no probe: every call that this kind of token allows records an event.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema, validate

from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Event,
    EventKind,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    translatable,
)
from plugins.kit.ad_platforms import (
    RETRY_SECONDS,
    AdPlatformSettings,
    access_token_field,
    base_url_field,
    click_type_field,
    currency_field,
    event_name,
    event_names_field,
    event_value,
    event_values_field,
    external_ids,
    send_click_field,
    test_code_field,
)
from plugins.kit.click_ids import has_own_click_id, is_address
from plugins.kit.fields import AsciiWord, HttpUrl
from plugins.kit.json_bodies import json_bytes, json_object
from plugins.kit.platforms.answers import PlatformOutcomes
from plugins.kit.platforms.empty_purchases import after_empty_purchase, empty_purchase_field

API: Final = "https://business-api.tiktok.com"
TRACK: Final = "/open_api/v1.3/event/track/"
OLDEST_SECONDS: Final = 28 * 86400.0

NAMES: Final[Mapping[EventKind | ConversionKind, str]] = {
    EventKind.WAIT: "Contact",
    EventKind.HOLD: "SubmitForm",
    EventKind.APPROVE: "Subscribe",
    EventKind.CANCEL: "Unsubscribe",
    EventKind.TRASH: "Kicked",
    ConversionKind.REGISTER: "CompleteRegistration",
    ConversionKind.PURCHASE: "Purchase",
}

_TOUCH: Final = ("source", "landing", "referrer", "ip", "ua", "ttclid", "ttp")

_TIKTOK: Final = PlatformOutcomes.of("TikTok")

#: Any other code below 50000 says no to this one event; from there on TikTok failed.
_CODES: Final[Mapping[int, Outcome]] = {
    40001: _TIKTOK.no_rights,
    40002: Outcome(Verdict.REJECTED, translatable("TikTok does not accept a parameter")),
    40100: _TIKTOK.too_many_requests,
    40101: _TIKTOK.bad_token,
    40102: _TIKTOK.bad_token,
    40103: _TIKTOK.bad_token,
    40104: _TIKTOK.bad_token,
    40105: _TIKTOK.bad_token,
    40133: _TIKTOK.too_many_requests,
}
_OWN_FAILURE: Final = 50000


class TiktokEventsSettings(AdPlatformSettings):
    """Your pixel and an access token of its Events API."""

    title: ClassVar[str] = "TikTok Events API"

    pixel_code = AsciiWord(
        required=True,
        validate=validate.Regexp(
            r"[A-Za-z0-9]{8,40}\Z", error=translatable("is not the ID of a pixel")
        ),
        metadata={"title": "Pixel ID", "help": "from Events Manager, such as COQDA8RC77U2TMR44LI0"},
    )
    access_token = access_token_field("Events Manager, your pixel, Settings, Events API")
    events = event_names_field(NAMES)
    values = event_values_field()
    currency = currency_field()
    empty_purchase = empty_purchase_field()
    click_type = click_type_field("ttclid")
    page_url = HttpUrl(
        load_default="",
        validate=validate.Length(max=2048),
        metadata={"title": "Landing page", "help": "the page your ad leads to"},
    )
    send_click = send_click_field("ttclid, ttp, page, browser and address")
    test_event_code = test_code_field()
    base_url = base_url_field(API)


@hookimpl
def settings_schema() -> Schema:
    """Pixel, token, and the names and values of events."""
    return TiktokEventsSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """One POST with one event; nothing for an event without a name."""
    name = event_name(event, settings, NAMES)
    if not name:
        return ()
    conversion: dict[str, Any] = {
        "event": name,
        "event_time": event.time,
        "event_id": event.id,
        "user": _user(event, settings),
    }
    if page := _page(event, settings):
        conversion["page"] = page
    if properties := event_value(event, settings):
        conversion["properties"] = properties
    body: dict[str, Any] = {
        "event_source": "web",
        "event_source_id": settings["pixel_code"],
        "data": [conversion],
    }
    if settings["test_event_code"]:
        body["test_event_code"] = settings["test_event_code"]
    return Request(
        "POST",
        f"{settings['base_url']}{TRACK}",
        headers={"Access-Token": settings["access_token"], "Content-Type": "application/json"},
        body=json_bytes(body),
    )


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids, browser and page; without the switch only whether the click id is of a source's link."""
    return _TOUCH if settings.get("send_click") else ("source",)


@hookimpl
def conversion_kinds() -> tuple[ConversionKind, ...]:
    """Registrations and purchases. Money that goes back cannot be told."""
    return (ConversionKind.REGISTER, ConversionKind.PURCHASE)


@hookimpl
def classify_response(response: Response, event: Event) -> Outcome:
    """Judge the `code` in the JSON, whatever the status is."""
    answer = json_object(response)
    code = answer.get("code")
    if type(code) is not int:
        return _TIKTOK.foreign_answer(response)
    if code == 0:
        state = after_empty_purchase(event)
        return Outcome(Verdict.DELIVERED, translatable("TikTok took the event"), state=state)
    return _TIKTOK.error(
        _CODES.get(code),
        answer.get("message"),
        f"code {code}",
        response,
        is_passing=code >= _OWN_FAILURE,
    )


@hookimpl
def delivery_policy() -> DeliveryPolicy:
    """TikTok counts events, so superseded ones are sent too.

    Retries end inside the 48 hours in which it recognises a repeated event;
    28 days is the longest time in which it joins an event with an ad.
    """
    return DeliveryPolicy(
        retry_window=RETRY_SECONDS, max_event_age=OLDEST_SECONDS, send_superseded=True
    )


def _user(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    user: dict[str, Any] = {"external_id": external_ids(event, settings)}
    if has_own_click_id(event) and settings["click_type"] == "ttclid":
        user["ttclid"] = event.click
    touch = event.touch
    ids = {"ttclid": touch.get("ttclid"), "ttp": touch.get("ttp"), "user_agent": touch.get("ua")}
    if is_address(touch.get("ip", "")):
        ids["ip"] = touch["ip"]
    return user | {name: value for name, value in ids.items() if value}


def _page(event: Event, settings: Mapping[str, Any]) -> dict[str, str]:
    """The page of the click, and the one before it; else the customer's landing page."""
    landing = event.touch.get("landing", "")
    if not landing:
        return {"url": settings["page_url"]} if settings["page_url"] else {}
    referrer = event.touch.get("referrer", "")
    return {"url": landing, "referrer": f"https://{referrer}"} if referrer else {"url": landing}
