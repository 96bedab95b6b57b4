"""AlterCPA Lite (altercpa.red, altercpa.one): one postback address, five statuses.

    GET https://{domain}/api/tracker/postback.json?id={key}&click={click}&uid={lead}&status=…
    GET https://{domain}/api/tracker/status.json?id={key}      the probe

Sources, and how answers are read: `plugins/kit/altercpa.py`. Our decisions where the
vendor's documents are silent:

* `wait` is sent as `new`: of the tracker's own words it is the one before `hold`.
* The key is sent as `?id=`, as everywhere in that API.
* A refused key, a suspended and an unpaid account switch the destination off; the
  event waits until its owner has mended the cause.
* Nothing is sent for a lead without a click id: the tracker finds its leads by click.
* A status replaces the one before it, so superseded ones are dropped, and nothing is sent
  of a start or a request of a person who is in: it would take the approval back.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from marshmallow import Schema, fields, validate

from plugins.contract import (
    Event,
    EventKind,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    translatable,
)
from plugins.kit import altercpa, macros
from plugins.kit.fields import Domain

STATUSES: Final[Mapping[EventKind, str]] = {
    EventKind.WAIT: "new",
    EventKind.HOLD: "hold",
    EventKind.APPROVE: "approve",
    EventKind.CANCEL: "cancel",
    EventKind.TRASH: "trash",
}


class AltercpaLiteSettings(Schema):
    """The domain of your tracker and the API key of your profile there."""

    title: ClassVar[str] = "AlterCPA Lite"

    domain = Domain(
        required=True,
        validate=validate.Length(min=1, max=255),
        metadata={"title": "Domain", "help": "such as www.altercpa.red"},
    )
    key = fields.String(
        required=True,
        validate=validate.Regexp(
            r"[!-~]{1,128}\Z", error=translatable("is not a key, which looks like 42-abc")
        ),
        metadata={"title": "API key", "help": "looks like 42-d3adb33f", "secret": True},
    )
    scheme = fields.String(
        load_default="https",
        validate=validate.OneOf(["https", "http"]),
        metadata={"scheme_of": "domain"},
    )


@hookimpl
def settings_schema() -> Schema:
    """Domain and key."""
    return AltercpaLiteSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """One GET; nothing for a lead without a click id, or a start of a person who is in."""
    if not event.click or not isinstance(event.kind, EventKind):
        return ()
    if event.joined is not None and event.kind in (EventKind.WAIT, EventKind.HOLD):
        return ()
    return Request("GET", macros.fill_url(postback_template(event.kind, settings), event))


@hookimpl
def classify_response(response: Response) -> Outcome:
    """Judge the JSON, once the status is 200."""
    return altercpa.classify(response)


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """Ask for the tracker's status, which changes nothing there."""
    return Request("GET", _address(settings, "status"))


@hookimpl
def classify_probe(response: Response) -> Outcome:
    """Accept a JSON object that is no error. Anything else is not this tracker."""
    outcome = altercpa.classify_probe(response)
    if outcome.verdict.is_success and not isinstance(response.json(), dict):
        return Outcome(
            Verdict.REJECTED, translatable("this domain does not answer as AlterCPA does")
        )
    return outcome


def postback_template(kind: EventKind, settings: Mapping[str, Any]) -> str:
    """The URL template for events of `kind`; it holds the key in clear."""
    address = _address(settings, "postback")
    return f"{address}&click={{click}}&uid={{lead}}&status={STATUSES[kind]}"


def _address(settings: Mapping[str, Any], function: str) -> str:
    scheme = settings.get("scheme", "https")
    key = macros.in_query(settings["key"])
    return f"{scheme}://{settings['domain']}/api/tracker/{function}.json?id={key}"
