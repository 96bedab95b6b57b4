"""AlterCPA's dialect: the address of a postback, the key in it, and what answers mean.

The adapter `altercpa_lite` speaks it. URL templates meet it too: in the presets of the
family, and in addresses that customers copy from its documents.

Source: altercpa.red/en/api.html and www.altercpa.red/en/postback.html, read in
September 2026. HTTP 200 is always the status and the JSON decides. The shape of a
success is not documented, so whatever JSON is no error is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from plugins.contract import Outcome, Response, Verdict, outcome_by_status, translatable
from plugins.kit.json_bodies import json_objects, says_failure

#: Error codes. Any other code refuses this one event.
ERRORS: Final[Mapping[str, Outcome]] = {
    "key": Outcome(
        Verdict.RETRY, translatable("the tracker does not accept the key"), disable_destination=True
    ),
    "ban": Outcome(
        Verdict.RETRY,
        translatable("the account at the tracker is suspended"),
        disable_destination=True,
    ),
    "unpaid": Outcome(
        Verdict.RETRY, translatable("the tracker is not paid for"), disable_destination=True
    ),
    "db": Outcome(Verdict.RETRY, translatable("the tracker's database failed")),
    "server": Outcome(Verdict.RETRY, translatable("the tracker failed")),
    "rate": Outcome(Verdict.RETRY, translatable("the tracker asks us to slow down")),
}

#: `id=12-abcdef…` is how the family writes an API key.
KEY: Final = re.compile(r"\d+-[A-Za-z0-9_-]{4,}")

#: `track` is what the guide says, `tracker` what the API page says.
_POSTBACK: Final = re.compile(r"https?://[^/?#]+/api/track(?:er)?/postback\.json(?:[?#]|\Z)")


def is_postback_url(url: str) -> bool:
    """Whether `url` is the postback address of an AlterCPA tracker, on whichever domain."""
    return bool(_POSTBACK.match(url))


def classify(response: Response) -> Outcome:
    """What a tracker of the family means by this answer to a postback.

    A page of HTML, nothing at all or broken JSON comes from a server in front of the tracker, so it
    is tried again. 401, which the vendor's own pages never answer, is taken for a
    refused key.
    """
    if response.status == 401:
        return ERRORS["key"]
    if response.unreadable and 200 <= response.status < 300:
        return Outcome(Verdict.RETRY, response.unreadable)
    outcome = outcome_by_status(response)
    if not outcome.verdict.is_success:
        return outcome
    objects = json_objects(response)
    if not objects and not isinstance(response.json(), list):
        return _classify_text(response.text.lstrip("\ufeff \t\r\n"))
    for answer in objects:
        if says_failure(answer) or answer.get("error"):
            code = answer.get("error") or answer.get("message") or "error"
            error = ERRORS.get(code) if isinstance(code, str) else None
            return error or Outcome(
                Verdict.REJECTED, translatable("the tracker says: %(code)s", code=str(code)[:200])
            )
    return Outcome(Verdict.DELIVERED, translatable("the tracker took it"))


def classify_lookalike(response: Response) -> Outcome | None:
    """An answer in the family's shape from a tracker that may be another; None for other shapes.

    Only codes that ask for another try keep their meaning. Which key a strange tracker
    speaks of is not certain, so its word switches nothing off.
    """
    answer = next(filter(says_failure, json_objects(response)), None)
    if answer is None:
        return None
    code = str(answer.get("error") or answer.get("message") or "error")[:200]
    error = ERRORS.get(code)
    is_passing = (
        error is not None and error.verdict is Verdict.RETRY and not error.disable_destination
    )
    verdict = Verdict.RETRY if is_passing else Verdict.REJECTED
    return Outcome(verdict, translatable("the tracker says: %(code)s", code=code))


def _classify_text(text: str) -> Outcome:
    """What is no JSON was not understood, and another try under the same `uid` counts once."""
    if text.startswith("<"):
        return Outcome(Verdict.RETRY, translatable("the tracker answered a page instead of JSON"))
    if text[:1] in ("{", "["):
        return Outcome(Verdict.RETRY, translatable("the tracker's answer is broken JSON"))
    return Outcome(Verdict.RETRY, translatable("the tracker did not answer in JSON"))
