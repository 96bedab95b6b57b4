"""The connection check: one exchange while a customer waits, and what it says of the settings."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.config import current_settings
from app.errors import translatable
from app.extensions import db
from app.outbound.result import Answer
from app.outbound.transport import Transport
from app.services.trackers import attempt
from app.web.request_slots import slot_released
from plugins.contract import Request
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a probe showed. `ok` is None when the adapter has no probe.

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
    allow = current_settings().outbound_allow
    with slot_released(), Transport(allow=allow, connections=1) as transport:
        return next(transport.exchange([request]))


def check(adapter: Adapter, settings: Mapping[str, Any]) -> CheckResult:
    """Ask the tracker whether these settings are good."""
    try:
        request = adapter.probe(settings, int(time.time()))
        if request is None:
            return CheckResult(None, "", "this tracker offers no check; try postbacks/test")
        answer = exchange(request)
        outcome = attempt.read(answer, lambda response: adapter.classify_probe(response, settings))
    except AdapterFailed as error:
        reason = translatable("the adapter failed: %(reason)s", reason=error.reason)
        return CheckResult(False, "", reason)
    return CheckResult(
        outcome.verdict.is_success,
        outcome.verdict.value,
        outcome.reason,
        answer.status,
        answer.ms,
    )
