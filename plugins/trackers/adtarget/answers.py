"""What AdTarget's answers mean: the error code in the body first, the HTTP status second."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from plugins.contract import (
    ConversionKind,
    Event,
    Outcome,
    Response,
    Verdict,
    outcome_by_status,
    translatable,
)
from plugins.kit.failures import says_failure

_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class _Rule(NamedTuple):
    code: str
    status: int
    verdict: Verdict
    meaning: str
    disable_destination: bool = False
    wait: float | None = None  #: seconds, where the answer names none


#: The vendor's errors page, whole.
RULES: Final = (
    _Rule(
        "AUTH_REQUIRED",
        401,
        Verdict.RETRY,
        translatable("AdTarget saw no API key"),
        disable_destination=True,
    ),
    _Rule(
        "INVALID_KEY",
        401,
        Verdict.RETRY,
        translatable("AdTarget does not know this API key"),
        disable_destination=True,
    ),
    _Rule(
        "REVOKED_KEY",
        401,
        Verdict.RETRY,
        translatable("the API key was revoked"),
        disable_destination=True,
    ),
    _Rule(
        "SUBSCRIPTION_INACTIVE",
        402,
        Verdict.RETRY,
        translatable("AdTarget is not paid for"),
        disable_destination=True,
    ),
    _Rule("INVALID_PAYLOAD", 400, Verdict.REJECTED, translatable("AdTarget refused the event")),
    _Rule(
        "CHANNEL_NOT_FOUND",
        404,
        Verdict.REJECTED,
        translatable("AdTarget does not know this channel"),
    ),
    _Rule(
        "LEAD_NOT_FOUND", 404, Verdict.REJECTED, translatable("AdTarget does not know this person")
    ),
    _Rule(
        "CONVERSION_NOT_FOUND",
        404,
        Verdict.REJECTED,
        translatable("AdTarget has no such conversion"),
    ),
    _Rule("RATE_LIMITED", 429, Verdict.RETRY, translatable("too many requests for this API key")),
    _Rule("INTERNAL_ERROR", 500, Verdict.RETRY, translatable("AdTarget failed inside")),
    _Rule(
        "API_DISABLED",
        503,
        Verdict.RETRY,
        translatable("AdTarget switched its API off"),
        wait=1800.0,
    ),
    _Rule(
        "IDEMPOTENT_REPLAY", 200, Verdict.DUPLICATE, translatable("AdTarget had this event already")
    ),
)
_BY_CODE: Final = {rule.code: rule for rule in RULES}
_BY_STATUS: Final = {rule.status: rule for rule in RULES if rule.status >= 400}


def judge(response: Response, event: Event | None = None) -> Outcome:
    """Judge the error code in the body, then the status; keep the id of a conversion."""
    body = response.json()
    by_status = outcome_by_status(response)
    if by_status.verdict.is_success and isinstance(body, dict) and body.get("conversionId"):
        number = str(body["conversionId"])
        is_kept = event and isinstance(event.kind, ConversionKind) and _NUMBER.fullmatch(number)
        state = {**event.state, "conversion": number} if event and is_kept else None
        return Outcome(Verdict.DELIVERED, _describe_success(body), state=state)
    code, message = error(body)
    if rule := _BY_CODE.get(code):
        reason = (
            translatable("%(meaning)s: %(message)s", meaning=rule.meaning, message=message)
            if message
            else rule.meaning
        )
        return _outcome(rule, reason, response)
    if 200 <= response.status < 300:
        if not isinstance(body, dict) or not body or says_failure(body):
            # What it did is not known, and a retry under the same key cannot count twice.
            reason = translatable(
                "HTTP %(status)d, but the answer is not AdTarget's", status=response.status
            )
            return Outcome(Verdict.RETRY, reason)
        return Outcome(
            Verdict.DELIVERED,
            translatable("%(reason)s, but no conversion id in the answer", reason=by_status.reason),
        )
    if rule := _BY_STATUS.get(response.status):
        return _outcome(rule, by_status.reason, response)
    return by_status


def _outcome(rule: _Rule, reason: str, response: Response) -> Outcome:
    wait = response.retry_after if response.retry_after is not None else rule.wait
    return Outcome(rule.verdict, reason, wait, rule.disable_destination)


def error(body: Any) -> tuple[str, str]:
    """Code and message of `{"error": {"code": …, "message": …}}`; empty without one."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")[:200]


def _describe_success(body: dict[str, Any]) -> str:
    """What became of a conversion, from either documented shape; only the id is always there."""
    reason = translatable("conversion %(id)s", id=str(body["conversionId"])[:64])
    if body.get("capiStatus") == "skipped" or body.get("dispatched") is False:
        reason = translatable(
            "%(reason)s, accepted but not forwarded to any ad platform", reason=reason
        )
    if body.get("coldLead") is True:
        reason = translatable(
            "%(reason)s, for a person AdTarget had not seen before", reason=reason
        )
    return reason
