"""Yandex Metrica: events in Telegram, sent as offline conversions.

    POST {base_url}/management/v1/counter/{counter}/offline_conversions/upload
    Authorization: OAuth {token}        multipart/form-data, one file of CSV

Source: yandex.com/dev/metrika, Passing offline conversions, Uploading offline
conversions, List of uploads, Quotas and Errors, read in November 2026. Our
decisions where they are silent or leave a choice:

* Metrica is made for files of many rows; each event is a file of one row, so that
  an answer is that of one event. Quotas allow a user 5000 requests a day.
* The click id of a start link is Metrica's ClientID, Yandex Direct's yclid, or the
  site's own UserID. The first two are numbers: another text is not sent, since
  Metrica would accept it and join it with no visit. One that came by a source's link is
  none; of that click the ClientID (ym_uid) is sent, else the yclid, since an ad blocker's
  visitor has neither counter nor ClientID.
* 200 means that the file was accepted. Metrica joins it with a visit within two
  hours and shows that only on its own pages.
* Metrica does not recognise a repeated file. A retry after a lost answer can count
  twice; that is less harm than a missing event.
* The documents name 420 and 429 for a quota: both are tried again later.
* 401, 403 and a counter that is not found switch the destination off, and the event
  waits until that is mended.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema, fields, validate

from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Event,
    EventKind,
    Outcome,
    RateLimit,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
    translatable,
)
from plugins.kit.ad_platforms import (
    AdPlatformSettings,
    base_url_field,
    currency_field,
    event_name,
    event_names_field,
    event_value,
    event_values_field,
    send_click_field,
)
from plugins.kit.click_ids import has_own_click_id
from plugins.kit.fields import AsciiWord
from plugins.kit.json_bodies import json_object
from plugins.kit.platforms.answers import MAX_MESSAGE, with_message

API: Final = "https://api-metrika.yandex.net"

#: A user has 5000 requests a day: a burst, and the rest spread over the day, less
#: some for the customer's own requests.
PER_MINUTE: Final = 2.5
BURST: Final = 1000

#: Goals of the kind "JavaScript event", by the identifier that the customer gave.
GOALS: Final[Mapping[EventKind | ConversionKind, str]] = {
    EventKind.WAIT: "telegram_start",
    EventKind.HOLD: "telegram_request",
    EventKind.APPROVE: "telegram_join",
    EventKind.CANCEL: "",
    EventKind.TRASH: "",
}

#: Columns by which Metrica finds the visit, with the values they take. A site
#: makes its UserIDs itself.
_COLUMNS: Final[Mapping[str, re.Pattern[str]]] = {
    "ClientId": re.compile(r"[0-9]{1,20}"),
    "Yclid": re.compile(r"[0-9]{1,20}"),
    "UserId": re.compile(r".+", re.DOTALL),
}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_TAKEN: Final = translatable("Metrica took it and looks for the visit within two hours")
_QUOTA: Final = Outcome(Verdict.RETRY, translatable("Metrica's quota is used up"))
_TOKEN: Final = Outcome(
    Verdict.RETRY, translatable("Metrica does not accept the token"), disable_destination=True
)
_RIGHTS: Final = Outcome(
    Verdict.RETRY, translatable("the token may not write to this counter"), disable_destination=True
)
_COUNTER: Final = Outcome(
    Verdict.RETRY, translatable("Metrica does not know this counter"), disable_destination=True
)
_STATUSES: Final[Mapping[int, Outcome]] = {
    401: _TOKEN,
    403: _RIGHTS,
    404: _COUNTER,
    420: _QUOTA,
    429: _QUOTA,
}


class YandexMetricaSettings(AdPlatformSettings):
    """Your counter, a token that may write to it, and the goals of your events."""

    title: ClassVar[str] = "Yandex Metrica"

    counter = AsciiWord(
        required=True,
        validate=validate.Regexp(
            r"[0-9]{1,12}\Z", error=translatable("is the number of a counter")
        ),
        metadata={"title": "Counter", "help": "its number, such as 2215573"},
    )
    access_token = AsciiWord(
        required=True,
        validate=validate.Regexp(
            r"[A-Za-z0-9_.-]{8,512}\Z", error=translatable("is not a token of OAuth")
        ),
        metadata={
            "title": "OAuth token",
            "help": "from oauth.yandex.com, with the right metrika:write",
            "secret": True,
        },
    )
    events = event_names_field(GOALS)
    values = event_values_field()
    currency = currency_field()
    click_type = fields.String(
        load_default="ClientId",
        validate=validate.OneOf(list(_COLUMNS)),
        metadata={
            "title": "The click id of my links is",
            "help": "what your landing page puts there: ym(…, 'getClientID'), or the yclid",
        },
    )
    send_click = send_click_field("ClientID or yclid")
    base_url = base_url_field(API)


@hookimpl
def settings_schema() -> Schema:
    """Counter, token, and the goal that each event reaches."""
    return YandexMetricaSettings()


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """By what Metrica finds the visit; without the switch only if by a source's link."""
    names = ("source", "click_token")
    return (*names, "ym_uid", "yclid") if settings.get("send_click") else names


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """One file with one row; nothing without a goal, or without an id that Metrica can find."""
    goal, visit = event_name(event, settings), _visit(event, settings)
    if not goal or not visit:
        return ()
    row = {**visit, "Target": goal, "DateTime": str(event.time)}
    if value := event_value(event, settings):
        row |= {"Price": f"{value['value']:.2f}", "Currency": value["currency"]}
    boundary = f"gatepost-{event.step_key()}"
    return Request(
        "POST",
        f"{_uploads(settings)}/upload",
        headers={
            **_authorization(settings),
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        },
        body=_file(f"{','.join(row)}\n{','.join(map(_cell, row.values()))}\n", boundary),
    )


@hookimpl
def classify_response(response: Response) -> Outcome:
    """Judge the status. A file without an accepted row is refused, though the status is 200."""
    answer = json_object(response)
    uploading = answer.get("uploading")
    if response.status == 200 and isinstance(uploading, dict):
        if uploading.get("line_quantity") == 0:
            return Outcome(
                Verdict.REJECTED, translatable("Metrica did not take the row of the file")
            )
        return Outcome(Verdict.DELIVERED, _TAKEN)
    return _classify_failure(response, answer)


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """List the last upload of this counter: a read that needs the same counter and token."""
    url = f"{_uploads(settings)}/uploadings?limit=1"
    return Request("GET", url, headers=_authorization(settings))


@hookimpl
def classify_probe(response: Response) -> Outcome:
    """Accept a list of uploads: counter and token fit together."""
    answer = json_object(response)
    if response.status == 200 and isinstance(answer.get("uploadings"), list):
        return Outcome(Verdict.DELIVERED, translatable("Metrica knows the counter and the token"))
    return _classify_failure(response, answer)


@hookimpl
def delivery_policy(settings: Mapping[str, Any]) -> DeliveryPolicy:
    """Goals are counted, so superseded events are sent too.

    The rate stays inside the 5000 requests that a user has each day.
    """
    return DeliveryPolicy(
        rate_limit=RateLimit(settings["access_token"], PER_MINUTE, BURST), send_superseded=True
    )


def _visit(event: Event, settings: Mapping[str, Any]) -> dict[str, str]:
    """The column by which Metrica finds the visit, and its value; empty without one."""
    touch, column = event.touch, settings["click_type"]
    ids = [("ClientId", touch.get("ym_uid", "")), ("Yclid", touch.get("yclid", ""))]
    # A UserID is what the site calls a person, and may come as the click id in a source's link.
    is_user = column == "UserId" and event.click != touch.get("click_token", "")
    if has_own_click_id(event) or is_user:
        ids.insert(0, (column, event.click))
    for name, value in ids:
        if _COLUMNS[name].fullmatch(value):
            return {name: value}
    return {}


def _uploads(settings: Mapping[str, Any]) -> str:
    return f"{settings['base_url']}/management/v1/counter/{settings['counter']}/offline_conversions"


def _authorization(settings: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": f"OAuth {settings['access_token']}"}


def _cell(value: str) -> str:
    """A value of CSV without line ends, so that it stays in its row."""
    text = _CONTROL.sub(" ", value).replace('"', '""')
    return f'"{text}"' if re.search('[",]', text) else text


def _file(text: str, boundary: str) -> bytes:
    """A form whose only part is the file."""
    return (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="file"; filename="conversions.csv"\r\n'
        "Content-Type: text/csv\r\n"
        "\r\n"
        f"{text}\r\n"
        f"--{boundary}--\r\n"
    ).encode("utf-8", "replace")


def _classify_failure(response: Response, answer: Mapping[str, Any]) -> Outcome:
    """The outcome of an answer that is no success, with Metrica's message if it has one."""
    outcome = _STATUSES.get(response.status) or outcome_by_status(response)
    if 200 <= response.status < 300:
        return Outcome(Verdict.RETRY, translatable("the answer is not Metrica's"))
    message = answer.get("message")
    if not isinstance(message, str) or not message:
        return with_message(outcome, f"HTTP {response.status}", response)
    return with_message(
        outcome, translatable("Metrica says: %(message)s", message=message[:MAX_MESSAGE]), response
    )
