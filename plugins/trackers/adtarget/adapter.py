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

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

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
    outcome_by_status,
)
from plugins.kit.failures import says_failure
from plugins.trackers.adtarget import bodies
from plugins.trackers.adtarget.settings import AdTargetSettings
from plugins.trackers.adtarget.steps import RETRY_SECONDS, VISIT_STEPS, build_steps

#: "300 requests/min per key, burst 50", buckets independent per key.
PER_MINUTE: Final = 300
BURST: Final = 50
VISIT_TRIES: Final = 3  #: of a visit, before its conversion goes on without it
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
REPLAYS: Final = 2  #: of a stored failure, before another key is tried


class _Rule(NamedTuple):
    code: str
    status: int
    verdict: Verdict
    meaning: str
    disable_destination: bool = False
    wait: float | None = None  #: seconds, where the answer names none


#: The vendor's errors page, whole.
RULES: Final = (
    _Rule("AUTH_REQUIRED", 401, Verdict.RETRY, "AdTarget saw no API key", disable_destination=True),
    _Rule(
        "INVALID_KEY",
        401,
        Verdict.RETRY,
        "AdTarget does not know this API key",
        disable_destination=True,
    ),
    _Rule("REVOKED_KEY", 401, Verdict.RETRY, "the API key was revoked", disable_destination=True),
    _Rule(
        "SUBSCRIPTION_INACTIVE",
        402,
        Verdict.RETRY,
        "AdTarget is not paid for",
        disable_destination=True,
    ),
    _Rule("INVALID_PAYLOAD", 400, Verdict.REJECTED, "AdTarget refused the event"),
    _Rule("CHANNEL_NOT_FOUND", 404, Verdict.REJECTED, "AdTarget does not know this channel"),
    _Rule("LEAD_NOT_FOUND", 404, Verdict.REJECTED, "AdTarget does not know this person"),
    _Rule("CONVERSION_NOT_FOUND", 404, Verdict.REJECTED, "AdTarget has no such conversion"),
    _Rule("RATE_LIMITED", 429, Verdict.RETRY, "too many requests for this API key"),
    _Rule("INTERNAL_ERROR", 500, Verdict.RETRY, "AdTarget failed inside"),
    _Rule("API_DISABLED", 503, Verdict.RETRY, "AdTarget switched its API off", wait=1800.0),
    _Rule("IDEMPOTENT_REPLAY", 200, Verdict.DUPLICATE, "AdTarget had this event already"),
)
_BY_CODE: Final = {rule.code: rule for rule in RULES}
_BY_STATUS: Final = {rule.status: rule for rule in RULES if rule.status >= 400}


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
    """What a conversion and a visit say; else only whether our door gave the click id."""
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
    outcome = _judge(response, event)
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
    code, _ = _error(answer)
    if code == "LEAD_NOT_FOUND" or (
        response.status == 200 and isinstance(answer, dict) and not code
    ):
        return Outcome(Verdict.DELIVERED, "AdTarget accepts the key")
    outcome = _judge(response)
    if outcome.verdict.is_success:
        return Outcome(Verdict.REJECTED, "the server at this address is not AdTarget")
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
    outcome = _judge(response, event)
    if outcome.verdict.is_success or response.status == 204:
        return Outcome(Verdict.DELIVERED, "AdTarget knows of the visit")
    body = response.json()
    is_refused = isinstance(body, dict) and body.get("success") is False  # update-fbp says so
    is_over = outcome.verdict is Verdict.REJECTED or is_refused or event.tries >= VISIT_TRIES
    if is_over and not outcome.disable_destination:
        return Outcome(Verdict.DELIVERED, f"AdTarget takes no visit: {outcome.reason}")
    return outcome


def _judge_value(response: Response) -> Outcome:
    code, _ = _error(response.json())
    if 200 <= response.status < 300 and not code and not response.unreadable:
        return Outcome(Verdict.DELIVERED, "AdTarget knows the value")
    return _judge(response, None)


def _after_replay(outcome: Outcome, event: Event) -> Outcome:
    """The outcome of a failure that AdTarget stored earlier and has answered again.

    What it says of the account or the key may no longer hold, so it disables nothing.
    """
    turn = int(event.state.get("turn", 0))
    replays = int(event.state.get("replays", 0)) + 1
    reason = f"AdTarget repeats a stored answer ({outcome.reason})"
    if outcome.disable_destination:
        carry = {**event.state, "turn": turn + 1}
        return Outcome(Verdict.RETRY, reason, state=carry)
    if replays < REPLAYS:
        return Outcome(Verdict.RETRY, reason, state={**event.state, "replays": replays})
    if "renewed" in event.state:
        return Outcome(Verdict.REJECTED, f"{reason} under a new key too; resend the event")
    return Outcome(Verdict.RETRY, reason, state={"turn": turn + 1, "renewed": 1})


def _judge(response: Response, event: Event | None = None) -> Outcome:
    body = response.json()
    by_status = outcome_by_status(response)
    if by_status.verdict.is_success and isinstance(body, dict) and body.get("conversionId"):
        number = str(body["conversionId"])
        is_kept = event and isinstance(event.kind, ConversionKind) and _NUMBER.fullmatch(number)
        state = {**event.state, "conversion": number} if event and is_kept else None
        return Outcome(Verdict.DELIVERED, _describe_success(body), state=state)
    code, message = _error(body)
    if rule := _BY_CODE.get(code):
        reason = f"{rule.meaning}: {message}" if message else rule.meaning
        return _outcome(rule, reason, response)
    if 200 <= response.status < 300:
        if not isinstance(body, dict) or not body or says_failure(body):
            # What it did is not known, and a retry under the same key cannot count twice.
            reason = f"HTTP {response.status}, but the answer is not AdTarget's"
            return Outcome(Verdict.RETRY, reason)
        return Outcome(Verdict.DELIVERED, f"{by_status.reason}, but no conversion id in the answer")
    if rule := _BY_STATUS.get(response.status):
        return _outcome(rule, by_status.reason, response)
    return by_status


def _outcome(rule: _Rule, reason: str, response: Response) -> Outcome:
    wait = response.retry_after if response.retry_after is not None else rule.wait
    return Outcome(rule.verdict, reason, wait, rule.disable_destination)


def _error(body: Any) -> tuple[str, str]:
    """Code and message of `{"error": {"code": …, "message": …}}`; empty without one."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")[:200]


def _describe_success(body: dict[str, Any]) -> str:
    """What became of a conversion, from either documented shape; only the id is always there."""
    reason = f"conversion {str(body['conversionId'])[:64]}"
    if body.get("capiStatus") == "skipped" or body.get("dispatched") is False:
        reason += ", accepted but not forwarded to any ad platform"
    if body.get("coldLead") is True:
        reason += ", for a person AdTarget had not seen before"
    return reason
