"""AdTarget (adtarget.io): server-side conversions for Meta, TikTok, Snapchat and Google.

Every event becomes one `POST /api/v1/events/conversion`. Source: the vendor's
API reference, endpoints, idempotency and errors pages (adtarget.io/docs,
newest revision). Our decisions where it is silent:

- Refusals (leave, ban) are off: AdTarget knows conversions only, nothing takes
  one back, and ad platforms optimise towards whatever they are told.
- Every event is wanted, even a superseded one: each is a conversion of its own.
- Retries end an hour before AdTarget forgets an Idempotency-Key (24 h).
- A failure replayed from AdTarget's store is no new try: the same key can only
  bring the same answer. After two replays the event is sent once under another
  key, `…:r1`, then it ends. A replayed refusal of the API key or the account,
  under which nothing was done, is sent again under the next key at once, since
  the owner may have mended it.
- 401 and 402 keep the event: it is sent once the owner has mended the cause.
- 503 API_DISABLED waits half an hour: AdTarget's staff switch it by hand.
- What is known of the click goes along (`send_click`). Its visit, the fbp and the invite link
  are told before the first event only where the owner wants it (`send_visit`): the newest reference
  sends them elsewhere, without a key. One that is refused holds up no conversion.
- A value that comes later goes to the conversion of which it is, by the number that the report
  before it was answered. Where that is not known, it comes from repeating the conversion under its
  key, whose stored answer AdTarget gives whatever the body says; 23 hours after the event nothing
  is sent then, since the conversion would count again.
- A 2xx without a conversion id is taken as accepted: to send it again under
  another key could count twice.
"""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema

from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Event,
    Outcome,
    RateLimit,
    Request,
    Response,
    Verdict,
    hookimpl,
    translatable,
)
from plugins.trackers.adtarget import bodies
from plugins.trackers.adtarget.answers import error, judge
from plugins.trackers.adtarget.settings import AdTargetSettings
from plugins.trackers.adtarget.steps import RETRY_SECONDS, VISIT_STEPS, build_steps

#: "300 requests/min per key, burst 50", buckets independent per key.
PER_MINUTE: Final = 300
BURST: Final = 50
VISIT_TRIES: Final = 3  #: of a visit, before its conversion goes on without it
REPLAYS: Final = 2  #: of a stored failure, before another key is tried


@hookimpl
def settings_schema() -> Schema:
    """Key, site, and the conversion that each event becomes."""
    return AdTargetSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
    """The visit where it is asked for, the conversion, and its value where that comes later."""
    return build_steps(event, settings)


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """What a conversion and a visit say; else only whether it came by a source's link."""
    if settings.get("send_visit"):
        return (*bodies.OF_CONVERSION, *bodies.OF_VISIT)
    return bodies.OF_CONVERSION if settings.get("send_click") else ("source", "click_token")


@hookimpl
def conversion_kinds() -> tuple[ConversionKind, ...]:
    """All of them; a refund is off unless it is chosen as a Custom event."""
    return tuple(ConversionKind)


@hookimpl
def classify_response(response: Response, request: Request, event: Event) -> Outcome:
    """Judge the error code in the body, then the status. A replayed failure may change the key."""
    if request.step in VISIT_STEPS:
        return _judge_visit(response, event)
    if request.step:
        return _judge_value(response)
    outcome = judge(response, event)
    if response.headers.get("x-idempotent-replay", "").strip().casefold() != "true":
        return outcome
    if outcome.verdict.is_success:
        return Outcome(Verdict.DUPLICATE, outcome.reason, state=outcome.state)
    is_stored_failure = outcome.verdict is Verdict.RETRY and response.status >= 400
    return _after_replay(outcome, event) if is_stored_failure else outcome


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """Ask for a lead that does not exist: AdTarget says so only to an accepted key.

    A conversion cannot be sent as a test: no test mode is documented.
    """
    headers = {"Authorization": f"Bearer {settings['key']}"}
    return Request("GET", f"{settings['base_url']}/api/v1/leads/1", headers=headers)


@hookimpl
def classify_probe(response: Response) -> Outcome:
    """Accept 404 LEAD_NOT_FOUND, or a lead."""
    answer = response.json()
    code, _ = error(answer)
    if code == "LEAD_NOT_FOUND" or (
        response.status == 200 and isinstance(answer, dict) and not code
    ):
        return Outcome(Verdict.DELIVERED, translatable("AdTarget accepts the key"))
    outcome = judge(response)
    if outcome.verdict.is_success:
        return Outcome(Verdict.REJECTED, translatable("the server at this address is not AdTarget"))
    return outcome


@hookimpl
def delivery_policy(settings: Mapping[str, Any]) -> DeliveryPolicy:
    """Each event is a conversion of its own, so a superseded one still counts.

    An Idempotency-Key is honoured for 24 h; a later retry could count twice.
    The rate limit is the vendor's for one API key.
    """
    return DeliveryPolicy(
        retry_window=RETRY_SECONDS,
        rate_limit=RateLimit(settings["key"], PER_MINUTE, BURST),
        send_superseded=True,
    )


def _judge_visit(response: Response, event: Event) -> Outcome:
    """A visit that AdTarget does not take, or not for a while, holds up no conversion."""
    outcome = judge(response, event)
    if outcome.verdict.is_success or response.status == 204:
        return Outcome(Verdict.DELIVERED, translatable("AdTarget knows of the visit"))
    body = response.json()
    is_refused = isinstance(body, dict) and body.get("success") is False  # update-fbp says so
    is_over = outcome.verdict is Verdict.REJECTED or is_refused or event.tries >= VISIT_TRIES
    if is_over and not outcome.disable_destination:
        return Outcome(
            Verdict.DELIVERED,
            translatable("AdTarget takes no visit: %(reason)s", reason=outcome.reason),
        )
    return outcome


def _judge_value(response: Response) -> Outcome:
    code, _ = error(response.json())
    if 200 <= response.status < 300 and not code and not response.unreadable:
        return Outcome(Verdict.DELIVERED, translatable("AdTarget knows the value"))
    return judge(response, None)


def _after_replay(outcome: Outcome, event: Event) -> Outcome:
    """The outcome of a failure that AdTarget stored earlier and has answered again.

    What it says of the account or the key may no longer hold, so it disables nothing.
    """
    turn = int(event.state.get("turn", 0))
    replays = int(event.state.get("replays", 0)) + 1
    reason = translatable("AdTarget repeats a stored answer (%(reason)s)", reason=outcome.reason)
    if outcome.disable_destination:
        carry = {**event.state, "turn": turn + 1}
        return Outcome(Verdict.RETRY, reason, state=carry)
    if replays < REPLAYS:
        return Outcome(Verdict.RETRY, reason, state={**event.state, "replays": replays})
    if "renewed" in event.state:
        return Outcome(
            Verdict.REJECTED,
            translatable("%(reason)s under a new key too; resend the event", reason=reason),
        )
    return Outcome(Verdict.RETRY, reason, state={"turn": turn + 1, "renewed": 1})
