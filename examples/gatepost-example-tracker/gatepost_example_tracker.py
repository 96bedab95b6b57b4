"""Example Tracker: JSON over POST, a bearer token, every error under status 200.

Its documentation would stand here as a link with the date you read it: vendors
change their minds. This tracker does not exist; its answers look like this:

    200 {"ok": true}    200 {"error": "duplicate"}    200 {"error": "key"}
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import marshmallow
from gatepost_plugins import Event, Outcome, Request, Response, Verdict, hookimpl, outcome_by_status

#: Our words for theirs; what is not here, they do not want to hear.
STATUSES: Final = {"wait": "lead", "hold": "pending", "approve": "sale", "cancel": "refund"}

#: Every error they document; any other one is rejected by its name.
ERRORS: Final = {
    "duplicate": Outcome(Verdict.DUPLICATE, "they had it already"),
    "busy": Outcome(Verdict.RETRY, "they are busy", retry_after=30),
    "click": Outcome(Verdict.REJECTED, "they do not know this click id"),
    "key": Outcome(Verdict.RETRY, "the token was refused", disable_destination=True),
}


class Settings(marshmallow.Schema):
    """What a customer types."""

    address = marshmallow.fields.Url(
        required=True, schemes={"http", "https"}, require_tld=False, metadata={"title": "Address"}
    )
    token = marshmallow.fields.String(
        required=True,
        validate=marshmallow.validate.Regexp(r"[A-Za-z0-9]{8,64}\Z"),
        metadata={"title": "API token", "help": "Account, then Integrations", "secret": True},
    )


@hookimpl
def settings_schema() -> marshmallow.Schema:
    """Ask for the address and the token."""
    return Settings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[Request, ...]:
    """Tell one conversion; () is for events they have no word for."""
    if event.kind not in STATUSES:
        return ()
    told = {"click": event.click, "status": STATUSES[event.kind], "at": event.time}
    return Request(
        "POST",
        f"{settings['address'].rstrip('/')}/v1/conversions",
        headers={
            "Authorization": f"Bearer {settings['token']}",
            "Content-Type": "application/json",
            "Idempotency-Key": event.step_key(),
        },
        body=json.dumps(told).encode(),
    )


@hookimpl
def classify_response(response: Response) -> Outcome:
    """Read the body first: their status is 200 whatever happens."""
    said = response.json()
    if isinstance(said, dict) and (code := said.get("error")):
        return ERRORS.get(str(code), Outcome(Verdict.REJECTED, f"they said {code}"))
    return outcome_by_status(response)
