"""AlterCPA's dialect: the address of a postback, the key in it, and what answers mean.

The adapter `altercpa_lite` speaks it. URL templates meet it too: in the presets of the
family, and in addresses that customers copy from its documents.

Source: altercpa.red/en/api.html and www.altercpa.red/en/postback.html, read in
September 2026. HTTP 200 is always the status and the JSON decides. What a postback is
answered is not shown there. The family's API says `"status":"ok"` of every success
(docs.altercpa.top/en/api/authentication), so that is one and no other JSON is.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from plugins.contract import Outcome, Response, Verdict, outcome_by_status, translatable
from plugins.kit.failures import failure_words, says_failure, stated_failure
from plugins.kit.json_bodies import json_objects

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

#: The statuses that the family surely knows. It recognises others by itself, or by lists of
#: words in further parameters, and does not say which.
STATUSES: Final = ("wait", "new", "hold", "approve", "cancel", "trash")

#: `track` is what the guide says, `tracker` what the API page says.
_POSTBACK: Final = re.compile(r"https?://[^/?#]+/api/track(?:er)?/postback\.json(?:[?#]|\Z)")


def is_postback_url(url: str) -> bool:
    """Whether `url` is the postback address of an AlterCPA tracker, on whichever domain."""
    return bool(_POSTBACK.match(url))


def doubtful_status(url: str, query: Mapping[str, str], status: str) -> str:
    """Why the family may not know `status`, sent to `url` with `query`; "" if it surely does."""
    is_mapped = any(status in value.split(",") for name, value in query.items() if name != "status")
    if not is_postback_url(url) or not status or status in STATUSES or is_mapped:
        return ""
    return translatable(
        "AlterCPA may not know the status %(status)s; it surely knows: %(words)s",
        status=repr(status),
        words=", ".join(STATUSES),
    )


def classify(response: Response) -> Outcome:
    """What a tracker of the family means by this answer to a postback.

    A page of HTML, nothing at all or broken JSON comes from a server in front of the tracker, so it
    is tried again. 401, which the vendor's own pages never answer, is taken for a
    refused key.
    """
    outcome = classify_probe(response)
    if outcome.verdict is not Verdict.DELIVERED:
        return outcome
    objects = json_objects(response)
    if all(str(answer.get("status")).casefold() == "ok" for answer in objects):
        return outcome
    for answer in objects:
        if "status" in answer:
            return _rejected(str(answer["status"]))
    return Outcome(Verdict.RETRY, translatable("the tracker did not say that it took it"))


def classify_probe(response: Response) -> Outcome:
    """Whether a tracker of the family answered; of `status.json` only the errors are known."""
    objects = json_objects(response)
    outcome = _classify_failure(response, objects)
    if outcome is not None:
        return outcome
    if not objects:
        return _classify_text(response.text.lstrip())
    return Outcome(Verdict.DELIVERED, translatable("the tracker took it"))


def classify_lookalike(response: Response) -> Outcome | None:
    """A failure that some tracker states; None if it states none.

    Of the family's codes only those that ask for another try keep their meaning. Which key a
    strange tracker speaks of is not certain, so its word switches nothing off.
    """
    words = stated_failure(response)
    if words is None:
        return None
    is_passing = words in ERRORS and not ERRORS[words].disable_destination
    verdict = Verdict.RETRY if is_passing else Verdict.REJECTED
    return Outcome(verdict, translatable("the tracker says: %(code)s", code=words))


def _classify_failure(response: Response, objects: list[Mapping[str, Any]]) -> Outcome | None:
    """What an answer means that is no JSON of a success; None for one that may be."""
    if response.status == 401:
        return ERRORS["key"]
    if response.unreadable and 200 <= response.status < 300:
        return Outcome(Verdict.RETRY, response.unreadable)
    outcome = outcome_by_status(response)
    if not outcome.verdict.is_success:
        return outcome
    for answer in objects:
        if says_failure(answer):
            code = failure_words(answer)
            return ERRORS.get(code) or _rejected(code)
    return None


def _rejected(words: str) -> Outcome:
    return Outcome(Verdict.REJECTED, translatable("the tracker says: %(code)s", code=words[:200]))


def _classify_text(text: str) -> Outcome:
    """What was not understood is tried again: another try under the same `uid` counts once."""
    if text[:1] in ("{", "["):
        return Outcome(Verdict.RETRY, translatable("the tracker did not say that it took it"))
    return Outcome(Verdict.RETRY, translatable("the tracker did not answer in JSON"))
