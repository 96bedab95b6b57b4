"""A test send: what a tracker would be sent for a sample event, and what it says to it."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from app.domain import events
from app.errors import BadParameter, translatable
from app.models import Campaign
from app.outbound.result import Answer, Failure
from app.services.accounts import rate_limits
from app.services.lists import ownership
from app.services.trackers import catalogue, destinations, stored_secrets, url_templates
from app.services.trackers.attempt import TrackerAttempt, shown
from app.services.trackers.catalogue import Ready
from app.services.trackers.connection_check import exchange
from app.services.trackers.sample_event import sample_event, sample_touch
from plugins.contract import (
    ConversionKind,
    Event,
    EventKind,
    Outcome,
    Request,
    Verdict,
    kind_named,
    mask,
)
from plugins.host.validation import AdapterFailed

TOO_SLOW: Final = "the steps before took too long; the rest was not sent"
_STEP_SECONDS: Final = 20.0  # after which no further step is begun


@dataclass(frozen=True, slots=True)
class Step:
    """One request, secrets masked, and if it was sent what came of it.

    `status` is 0 without an answer, `verdict` "" when it was not sent.
    """

    step: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: str
    idempotency_key: str
    status: int = 0
    answer: str = ""
    ms: int = 0
    verdict: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TestResult:
    """The sample event and its steps; `event` as a postback would store it.

    `warnings` are those that the target would be stored with.
    """

    event: str
    sent: bool
    steps: list[Step]
    verdict: str = ""
    reason: str = ""
    warnings: list[str] = field(default_factory=list)


def run(
    account_id: int,
    *,
    event: str,
    send: bool,
    campaign: int | None = None,
    click: str = "",
    **target: Any,
) -> TestResult:
    """Render `event` for a target, and with `send` send it, step by step until one fails.

    `target` is `dest`, `template`, or `tracker` with `settings`. The event is new
    at each call, so its idempotency key is no real postback's. Raises
    BadParameter, ValidationError, NotFound or TooManyRequests.
    """
    kind = kind_named(event)
    with rate_limits.TESTS.hit_for_work(str(account_id)):
        ready = _ready(account_id, kind, **target)
        sample = _sample(account_id, kind, campaign, click)
        result = _result(account_id, ready, sample, send=send)
        stored = _warnings(kind, ready, target.get("template"))
    return replace(result, warnings=[*stored, *result.warnings])


def _result(account_id: int, ready: Ready, sample: Event, *, send: bool) -> TestResult:
    stored = events.serialize(sample)
    try:
        touch = sample_touch(ready.adapter.touch_fields(ready.settings))
        sample = replace(sample, touch=touch)
        requests = ready.adapter.build(sample, ready.settings)
    except AdapterFailed as error:
        return TestResult(stored, sent=False, steps=[], reason=_failed(error))
    if not requests:
        reason = "the destination has nothing to send for this event"
        return TestResult(stored, sent=False, steps=[], reason=reason)
    if not send:
        return TestResult(stored, sent=False, steps=[_rendered(request) for request in requests])
    rate_limits.OUTBOUND.hit(str(account_id))
    attempt = TrackerAttempt(
        adapter=ready.adapter, settings=ready.settings, event=sample, requests=requests
    )
    steps, outcome, unreachable = _send(attempt)
    return TestResult(
        stored,
        sent=True,
        steps=steps,
        verdict=outcome.verdict.value,
        reason=outcome.reason,
        warnings=_host_warnings(unreachable),
    )


def _warnings(kind: EventKind | ConversionKind, ready: Ready, template: str | None) -> list[str]:
    """What would be warned of if the target were stored now."""
    if template is not None:
        return url_templates.template_advice("template", kind, template)
    return url_templates.warnings_of(ready.settings)


def _host_warnings(unreachable: Request | None) -> list[str]:
    """What to look at if no connection could be made.

    The sentence is the same for a name that leads to a private address and for a server
    that is away: the difference would tell strangers what a private name server knows.
    """
    host = urlsplit(unreachable.url).hostname if unreachable else ""
    if not host:
        return []
    return [
        translatable(
            "no connection to %(host)s: see that the name exists and a server answers there; a name"
            " that leads to a private address is never called",
            host=host,
        )
    ]


def _ready(
    account_id: int,
    kind: EventKind | ConversionKind,
    *,
    dest: int | None = None,
    template: str | None = None,
    tracker: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Ready:
    if sum(target is not None for target in (dest, template, tracker)) != 1:
        raise BadParameter(
            "dest", translatable("give either dest, template, or tracker with settings")
        )
    if dest is not None:
        return destinations.ready_destination(account_id, dest)
    if template is not None:
        url_templates.check_url("template", template)
        adapter = catalogue.find(url_templates.TRACKER)
        return catalogue.ready(adapter, {"urls": {kind.value: template}})
    adapter = catalogue.find(tracker or "")
    return catalogue.ready(
        adapter, stored_secrets.merge_secrets(settings or {}, {}, adapter.secret_fields)
    )


def _sample(
    account_id: int, kind: EventKind | ConversionKind, campaign: int | None, click: str
) -> Event:
    fields = _of_campaign(account_id, campaign) if campaign else {}
    if click:
        fields["click"] = click
    event_id = f"test-{secrets.token_hex(6)}"
    return sample_event(kind, id=event_id, time=int(time.time()), account=account_id, **fields)


def _send(attempt: TrackerAttempt) -> tuple[list[Step], Outcome, Request | None]:
    """Send step by step until one fails.

    Returns the steps, the outcome of the last one sent, and its request if no connection
    could be made.
    """
    end = time.monotonic() + _STEP_SECONDS
    steps: list[Step] = []
    while True:
        request = attempt.request
        answer = exchange(request)
        outcome = attempt.read(answer)
        if attempt.fault is not None:
            outcome = replace(outcome, reason=_failed(attempt.fault))
        steps.append(_rendered(request, answer, outcome))
        if not outcome.verdict.is_success:
            break
        attempt.advance(outcome)
        attempt.refresh()
        if attempt.is_complete:
            break
        if time.monotonic() > end:
            outcome = Outcome(Verdict.RETRY, TOO_SLOW)
            break
    rest = [_rendered(request) for request in attempt.requests[len(steps) :]]
    return steps + rest, outcome, request if answer.failure is Failure.UNREACHABLE else None


def _failed(error: AdapterFailed) -> str:
    return f"the adapter failed: {error.reason}"


def _rendered(
    request: Request, answer: Answer | None = None, outcome: Outcome | None = None
) -> Step:
    hidden = request.secrets
    return Step(
        step=request.step,
        method=request.method,
        url=mask(request.url, hidden),
        headers={name: mask(value, hidden) for name, value in request.headers.items()},
        body=mask(request.body.decode("utf-8", "replace"), hidden),
        idempotency_key=mask(request.idempotency_key, hidden),
        status=answer.status if answer else 0,
        answer=shown(answer, request) if answer else "",
        ms=answer.ms if answer else 0,
        verdict=outcome.verdict.value if outcome else "",
        reason=outcome.reason if outcome else "",
    )


def _of_campaign(account_id: int, campaign_id: int) -> dict[str, Any]:
    row = ownership.find(Campaign, account_id, campaign_id, Campaign.living)
    return {"campaign": row.code, "chat": row.chat_id, "title": row.chat_title}
