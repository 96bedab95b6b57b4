"""Meta Conversions API: events in Telegram, sent to a Meta pixel (data set).

    POST {base_url}/{version}/{pixel_id}/events?access_token={token}
    {"data": [{event_name, event_time, event_id, action_source, user_data, custom_data}]}

Source: developers.facebook.com/docs/marketing-api/conversions-api (parameters,
server-event, using-the-api) and graph-api/guides/error-handling, read in
November 2026; normalising and hashing as in `facebook-business` 26.0.3. Our
decisions where they are silent or leave a choice:

* One event per request: Meta refuses a whole request for one event it dislikes.
* `event_id` is the id of our event, so a retry is counted once: Meta drops an
  equal name and id for 48 hours. Retries end before that.
* Events older than 7 days are refused, so they are not sent (`max_event_age`).
* Where the page and the browser of the click are known, `action_source` is `website`, which
  needs both. Else it is `chat` by default: a bot in Telegram sees no browser.
* fbc and fbp of the click are sent as they came, unhashed like address and browser; what Meta
  would not take is left out. An fbp is never made up.
* The click id of a start link may be Meta's own `fbclid`. It is sent as an `fbc`, but for one that
  came by a source's link, which is no id of Meta's.
* `external_id` is hashed, although Meta's library leaves that to its caller.
* Names of people are sent only if the customer says so. No phone: we have none.
* Leaving and being removed are custom events, `Unsubscribe` and `Kicked`: Meta
  has no way to take a conversion back.
* A refused token switches the destination off and the event waits: its owner
  can put in a new one. An answer that is not Meta's JSON comes from a server
  between Meta and us, and the event is tried again.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema, fields, validate

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
from plugins.kit import macros
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
    normalized_hash,
    send_click_field,
    test_code_field,
)
from plugins.kit.click_ids import has_own_click_id, is_address, meta_fbc
from plugins.kit.fields import AsciiWord
from plugins.kit.json_bodies import json_bytes, json_object
from plugins.kit.platforms.answers import PlatformOutcomes
from plugins.kit.platforms.empty_purchases import after_empty_purchase, empty_purchase_field
from plugins.kit.platforms.meta_ids import is_fbc, is_fbp

GRAPH: Final = "https://graph.facebook.com"
VERSION: Final = "v26.0"  # of facebook-business 26.0.3; Meta keeps one for about two years
OLDEST_SECONDS: Final = 7 * 86400.0

NAMES: Final[Mapping[EventKind | ConversionKind, str]] = {
    EventKind.WAIT: "Contact",
    EventKind.HOLD: "SubmitApplication",
    EventKind.APPROVE: "Subscribe",
    EventKind.CANCEL: "Unsubscribe",
    EventKind.TRASH: "Kicked",
    ConversionKind.REGISTER: "CompleteRegistration",
    ConversionKind.PURCHASE: "Purchase",
}

_TOUCH: Final = ("source", "landing", "ip", "ua", "country", "fbc", "fbp")

_META: Final = PlatformOutcomes.of("Meta")
_NO_PIXEL: Final = Outcome(
    Verdict.RETRY,
    translatable("this pixel does not exist, or the token cannot see it"),
    disable_destination=True,
)
_TOO_OLD: Final = Outcome(Verdict.REJECTED, translatable("Meta takes no events older than 7 days"))

#: By code and subcode, then by code alone. Any other says no to this one event.
_ERRORS: Final[Mapping[tuple[int, int] | int, Outcome]] = {
    (100, 33): _NO_PIXEL,
    (100, 2804003): _TOO_OLD,
    1: _META.unavailable,
    2: _META.unavailable,
    4: _META.too_many_requests,
    17: _META.too_many_requests,
    32: _META.too_many_requests,
    341: _META.too_many_requests,
    613: _META.too_many_requests,
    80004: _META.too_many_requests,
    102: _META.bad_token,
    190: _META.bad_token,
    3: _META.no_rights,
    10: _META.no_rights,
    **dict.fromkeys(range(200, 300), _META.no_rights),
}


class MetaCapiSettings(AdPlatformSettings):
    """Your pixel (data set) and an access token of its Conversions API."""

    title: ClassVar[str] = "Meta Conversions API"

    pixel_id = AsciiWord(
        required=True,
        validate=validate.Regexp(
            r"\d{5,20}\Z", error=translatable("is not a pixel id, which is a number")
        ),
        metadata={"title": "Pixel or data set id", "help": "from Events Manager"},
    )
    access_token = access_token_field("Events Manager, Settings, Conversions API")
    events = event_names_field(NAMES)
    values = event_values_field()
    currency = currency_field()
    empty_purchase = empty_purchase_field()
    action_source = fields.String(
        load_default="chat",
        validate=validate.OneOf(["chat", "system_generated", "other"]),
        metadata={"title": "Where it happened", "help": "what Meta shall believe about it"},
    )
    click_type = click_type_field("fbclid")
    send_click = send_click_field("page, browser, address, fbc and fbp, for a website event")
    send_names = fields.Boolean(
        load_default=False,
        metadata={"title": "Send names", "help": "first and last name, hashed"},
    )
    test_event_code = test_code_field()
    version = AsciiWord(
        load_default=VERSION,
        validate=validate.Regexp(r"v\d{1,3}\.\d\Z", error=translatable("must look like v26.0")),
        metadata={"title": "Version of the Graph API"},
    )
    base_url = base_url_field(GRAPH)


@hookimpl
def settings_schema() -> Schema:
    """Pixel, token, and the names and values of events."""
    return MetaCapiSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """One POST with one event; nothing for an event without a name."""
    name = event_name(event, settings, NAMES)
    if not name:
        return ()
    conversion: dict[str, Any] = {
        "event_name": name,
        "event_time": event.time,
        "event_id": event.id,
        **_place(event, settings),
        "user_data": _user_data(event, settings),
    }
    if custom := event_value(event, settings):
        conversion["custom_data"] = custom
    body: dict[str, Any] = {"data": [conversion]}
    if settings["test_event_code"]:
        body["test_event_code"] = settings["test_event_code"]
    return Request(
        "POST",
        _url(settings, f"{settings['pixel_id']}/events"),
        headers={"Content-Type": "application/json"},
        body=json_bytes(body),
    )


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What a website event says; without the switch only whether it came by a source's link."""
    return _TOUCH if settings.get("send_click") else ("source",)


@hookimpl
def conversion_kinds() -> tuple[ConversionKind, ...]:
    """Registrations and purchases. Money that goes back cannot be told."""
    return (ConversionKind.REGISTER, ConversionKind.PURCHASE)


@hookimpl
def classify_response(response: Response, event: Event) -> Outcome:
    """Judge Meta's JSON, whatever the status is."""
    answer = json_object(response)
    if isinstance(answer.get("error"), dict):
        return _classify_error(answer["error"], response)
    received = answer.get("events_received") if response.status == 200 else None
    if received == 1:
        state = after_empty_purchase(event)
        return Outcome(Verdict.DELIVERED, translatable("Meta received the event"), state=state)
    if received == 0:
        return Outcome(
            Verdict.REJECTED,
            translatable("Meta received nothing: %(messages)s", messages=answer.get("messages")),
        )
    return _META.foreign_answer(response)


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """Ask Meta whose token it is: a token may lack the right to read its own pixel."""
    return Request("GET", _url(settings, "me") + "&fields=id")


@hookimpl
def classify_probe(response: Response) -> Outcome:
    """Accept a good token. Only the first event shows whether it may write to the pixel."""
    answer = json_object(response)
    if isinstance(answer.get("error"), dict):
        return _classify_error(answer["error"], response)
    if response.status == 200 and answer.get("id"):
        return Outcome(Verdict.DELIVERED, translatable("Meta accepts the access token"))
    return _META.foreign_answer(response)


@hookimpl
def delivery_policy() -> DeliveryPolicy:
    """Meta counts events, so superseded ones are sent too.

    Retries end inside the 48 hours in which it recognises a repeated event;
    `event_time` can be up to 7 days before the event is sent.
    """
    return DeliveryPolicy(
        retry_window=RETRY_SECONDS, max_event_age=OLDEST_SECONDS, send_superseded=True
    )


def _url(settings: Mapping[str, Any], path: str) -> str:
    token = macros.in_query(settings["access_token"])
    return f"{settings['base_url']}/{settings['version']}/{path}?access_token={token}"


def _place(event: Event, settings: Mapping[str, Any]) -> dict[str, str]:
    """Where it happened: on the page of the click, if its browser is known too."""
    landing = event.touch.get("landing", "")
    if landing and event.touch.get("ua"):
        return {"action_source": "website", "event_source_url": landing}
    return {"action_source": settings["action_source"]}


def _user_data(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    user_data: dict[str, Any] = {
        "external_id": external_ids(event, settings),
        **_of_the_click(event, settings),
    }
    if settings["send_names"]:
        names = {"fn": normalized_hash(event.first_name), "ln": normalized_hash(event.last_name)}
        user_data |= {field: [name] for field, name in names.items() if name}
    return user_data


def _of_the_click(event: Event, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies the browser of the click; only the country is hashed."""
    touch = event.touch
    fbc = touch.get("fbc", "")
    if has_own_click_id(event) and settings["click_type"] == "fbclid":
        fbc = meta_fbc(event)
    country = normalized_hash(touch.get("country", ""))
    values = {
        "client_ip_address": touch.get("ip") if is_address(touch.get("ip", "")) else None,
        "client_user_agent": touch.get("ua"),
        "fbc": fbc if is_fbc(fbc) else None,
        "fbp": touch.get("fbp") if is_fbp(touch.get("fbp", "")) else None,
        "country": [country] if country else None,
    }
    return {name: value for name, value in values.items() if value}


def _classify_error(error: Mapping[str, Any], response: Response) -> Outcome:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    message = error.get("error_user_msg") or error.get("error_user_title") or error.get("message")
    return _META.error(
        _ERRORS.get((code, subcode)) or _ERRORS.get(code),
        message,
        f"code {code}, subcode {subcode}",
        response,
        is_passing=error.get("is_transient") is True,
    )


def _number(value: object) -> int:
    return value if type(value) is int else 0
