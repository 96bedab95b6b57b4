"""What Altcraft's answers mean: the JSON `error` first, the HTTP status second."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from plugins.contract import Outcome, Response, Verdict, outcome_by_status, translatable
from plugins.kit.failures import says_failure

_INT: Final = re.compile(r"-?[0-9]{1,18}")
_PROFILE: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")  # 24 hex digits in all samples


class _Rule(NamedTuple):
    verdict: Verdict
    meaning: str
    disable_destination: bool = False


#: The JSON `error` of an answer; an HTTP status, where the body tells nothing.
RULES: Final[Mapping[int, _Rule]] = {
    0: _Rule(Verdict.DELIVERED, translatable("done")),
    400: _Rule(Verdict.REJECTED, translatable("Altcraft cannot read the request")),
    401: _Rule(
        Verdict.RETRY, translatable("Altcraft does not accept the token"), disable_destination=True
    ),
    402: _Rule(
        Verdict.RETRY,
        translatable("the tariff's limit in Altcraft is reached"),
        disable_destination=True,
    ),
    403: _Rule(
        Verdict.RETRY,
        translatable("the token's role lacks the rights for this"),
        disable_destination=True,
    ),
    404: _Rule(
        Verdict.REJECTED, translatable("Altcraft finds no such database, pixel, trigger or profile")
    ),
    409: _Rule(Verdict.REJECTED, translatable("another record has the same unique values")),
    413: _Rule(Verdict.REJECTED, translatable("the database is not available in this resource")),
    415: _Rule(Verdict.REJECTED, translatable("Altcraft does not take this kind of content")),
    429: _Rule(Verdict.RETRY, translatable("too many requests for this installation")),
    435: _Rule(
        Verdict.REJECTED, translatable("several profiles match; the database holds duplicates")
    ),
    440: _Rule(Verdict.REJECTED, translatable("Altcraft refused with its undocumented code 440")),
    441: _Rule(Verdict.REJECTED, translatable("this object belongs to another group")),
    450: _Rule(Verdict.REJECTED, translatable("Altcraft finds a value invalid")),
    500: _Rule(Verdict.RETRY, translatable("Altcraft failed inside")),
    501: _Rule(
        Verdict.REJECTED, translatable("this Altcraft is too old, or the address is not its own")
    ),
}


def judge(response: Response, step: str) -> Outcome:
    """Judge one answer by itself; `step` is empty for the probe. Repetitions are `attempts`'."""
    code = error_code(response)
    if code is None:
        return _judge_status(response, step)
    rule = _rule(code, response)
    reason = (
        translatable(
            "%(meaning)s (%(code)s)", meaning=rule.meaning, code=f"{code}{_error_text(response)}"
        )
        if code
        else rule.meaning
    )
    if code == 409 and step == "profile":
        return Outcome(Verdict.DUPLICATE, reason)
    return Outcome(rule.verdict, reason, response.retry_after, rule.disable_destination)


def _judge_status(response: Response, step: str) -> Outcome:
    """Judge an answer without a number under `error`: a proxy's, or one that arrived cut."""
    by_status = outcome_by_status(response)
    if is_unreadable(response, step):
        return Outcome(
            Verdict.RETRY,
            translatable("%(reason)s, but the answer is not Altcraft's", reason=by_status.reason),
        )
    if by_status.verdict.is_success:
        return Outcome(
            Verdict.DELIVERED,
            translatable("%(reason)s, without an error number", reason=by_status.reason),
        )
    rule = RULES.get(response.status)
    if rule is None:
        return by_status
    return Outcome(rule.verdict, by_status.reason, response.retry_after, rule.disable_destination)


def is_unreadable(response: Response, step: str) -> bool:
    """Whether a success by status is no answer of Altcraft's: what was done is not known.

    `profiles/import` is documented to say `error`. Of the answer of goals/register nothing is
    documented, so there an object without one is taken for a success.
    """
    if error_code(response) is not None or not 200 <= response.status < 300:
        return False
    body = response.json()
    if not isinstance(body, dict) or says_failure(body):
        return True
    return body.get("error") is not None or step == "profile"


def profile_id(response: Response) -> str:
    """The id of the profile in the answer; empty without one."""
    body = response.json()
    value = body.get("profile_id") if isinstance(body, dict) else None
    return value if isinstance(value, str) and _PROFILE.fullmatch(value) else ""


def _rule(code: int, response: Response) -> _Rule:
    """The rule of a number. An unknown number is final, unless the status asks for another try."""
    if rule := RULES.get(code):
        return rule
    by_status = RULES.get(response.status)
    verdict = by_status.verdict if by_status else outcome_by_status(response).verdict
    if verdict is Verdict.RETRY and not (by_status and by_status.disable_destination):
        return _Rule(Verdict.RETRY, translatable("Altcraft failed with an unknown code"))
    return _Rule(Verdict.REJECTED, translatable("Altcraft refused with an unknown code"))


def error_code(response: Response) -> int | None:
    """The number under `error`, however it is spelled; None where there is none."""
    body = response.json()
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str) and _INT.fullmatch(error):
        return int(error)
    if isinstance(error, bool) or not isinstance(error, int | float):
        return None
    return int(error) if isinstance(error, int) or error.is_integer() else None


def _error_text(response: Response) -> str:
    text = response.json().get("error_text")
    return f", {text[:200]}" if isinstance(text, str) and text else ""


def is_replayed(response: Response) -> bool:
    """Current versions say Duplicate-Request, older ones put X- before it."""
    names = ("duplicate-request", "x-duplicate-request")
    return any(response.headers.get(name, "").strip().casefold() == "true" for name in names)
