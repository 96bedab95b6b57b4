"""What each of our errors is called in AdTarget's API."""

import pytest

from app import errors
from app.web.adtarget_errors import answer_of, fault_of
from tests.support.adtarget_worker import CODES

OURS = {"IDEMPOTENCY_CONFLICT", "PAYLOAD_TOO_LARGE", "NOT_FOUND"}
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ApiError)
]


def made(kind):
    return kind(5) if kind in (errors.TooManyRequests, errors.BadParameter) else kind()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_has_a_word_that_is_documented_and_its_status(kind):
    fault = fault_of(made(kind))
    assert fault.code in CODES or fault.code in OURS
    if kind is not errors.DatabaseDown:  # to be tried again, as any 5xx
        assert fault.status == CODES.get(fault.code, fault.status)


def test_a_missing_key_is_told_from_a_wrong_one_and_one_missing_thing_from_another():
    words = [
        fault_of(made(kind)).code
        for kind in (
            errors.MissingKey, errors.BadKey, errors.LeadNotFound, errors.ConversionNotFound,
            errors.ChannelNotFound, errors.NotFound,
        )
    ]  # fmt: skip
    assert words == [
        "AUTH_REQUIRED", "INVALID_KEY", "LEAD_NOT_FOUND", "CONVERSION_NOT_FOUND",
        "CHANNEL_NOT_FOUND", "INVALID_PAYLOAD",
    ]  # fmt: skip


def test_an_answer_tells_how_long_to_wait_and_what_finds_our_fault_in_the_log(app):
    with app.app_context():
        limited = answer_of(errors.TooManyRequests(7), "wait")
        ours = answer_of(errors.ApiError(request_id="abc"), "sorry")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert ours.get_json() == {
        "error": {"code": "INTERNAL_ERROR", "message": "sorry", "requestId": "abc"}
    }
    assert "Retry-After" not in ours.headers
