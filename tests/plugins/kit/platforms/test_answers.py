"""What the answers of ad platforms mean."""

import pytest

from plugins.contract import Outcome, Response, Verdict
from plugins.kit.platforms.answers import MAX_MESSAGE, PlatformOutcomes, with_message

ACME = PlatformOutcomes.of("Acme")


def test_a_known_error_keeps_its_outcome_and_the_platforms_words():
    outcome = ACME.error(ACME.bad_token, "expired", "code 7", Response(200), is_passing=False)
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    assert outcome.reason == "Acme does not accept the access token; Acme says: expired (code 7)"


@pytest.mark.parametrize(
    ("status", "is_passing", "verdict"),
    [(400, False, Verdict.REJECTED), (400, True, Verdict.RETRY), (503, False, Verdict.RETRY)],
)
def test_an_unknown_error_is_final_unless_the_platform_failed(
    status: int, is_passing: bool, verdict: Verdict
):
    response = Response(status, {"retry-after": "5"})
    outcome = ACME.error(None, "x" * 999, "code 7", response, is_passing=is_passing)
    assert outcome.verdict is verdict
    assert outcome.retry_after == (5 if verdict is Verdict.RETRY else None)
    assert outcome.reason.count("x") == MAX_MESSAGE


def test_a_message_alone_is_the_reason():
    assert with_message(Outcome(Verdict.REJECTED), "no", Response(400)).reason == "no"
