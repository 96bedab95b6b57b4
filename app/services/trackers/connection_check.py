"""The connection check: one exchange while a customer waits, and what it says of a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.config import current_settings
from app.extensions import db
from app.outbound.transport import Answer, Failure, Transport
from app.web.request_slots import slot_released
from plugins.contract import Outcome, Request, Verdict
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed

#: Trying again cannot help.
_NEVER: Final = (Failure.BLOCKED, Failure.INVALID)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a probe found. `ok` is None when the adapter knows no probe.

    `status` is that of HTTP, 0 without an answer; `ms` counts to its last byte.
    """

    ok: bool | None
    verdict: str
    message: str
    status: int = 0
    ms: int = 0


def exchange(request: Request) -> Answer:
    """Send one request and wait for its answer, ten seconds at most. Never raises.

    Ends the transaction first: no database connection is held meanwhile.
    """
    db.session.commit()
    ours = current_settings()
    with slot_released(), Transport(allow=ours.outbound_allow, connections=1) as transport:
        return next(transport.exchange([request]))


def check(adapter: Adapter, settings: Mapping[str, Any]) -> CheckResult:
    """Ask the tracker whether these settings are good."""
    try:
        request = adapter.probe(settings)
        if request is None:
            return CheckResult(None, "", "this tracker offers no check; try postbacks/test")
        answer = exchange(request)
        if answer.response is None:
            verdict = outcome_without_response(answer).verdict
            return CheckResult(False, verdict.value, answer.reason, 0, answer.ms)
        outcome = adapter.classify_probe(answer.response, settings)
    except AdapterFailed as error:
        return CheckResult(False, "", f"the adapter failed: {error.reason}")
    return CheckResult(
        outcome.verdict.is_success,
        outcome.verdict.value,
        outcome.reason,
        answer.response.status,
        answer.ms,
    )


def outcome_without_response(answer: Answer) -> Outcome:
    """What the lack of an answer means."""
    verdict = Verdict.REJECTED if answer.failure in _NEVER else Verdict.RETRY
    return Outcome(verdict, answer.reason)
