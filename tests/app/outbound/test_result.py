"""What became of one request."""

import pytest

from app.outbound.result import Answer, Failure
from plugins.contract import Response

_NOT_SENT = {Failure.UNREACHABLE, Failure.BLOCKED, Failure.INVALID}


def test_a_response_was_sent_for_and_has_a_status():
    answer = Answer(None, Response(204), None, "HTTP 204", 3, 1000.0)
    assert (answer.was_sent, answer.status) == (True, 204)


@pytest.mark.parametrize("failure", Failure)
def test_only_a_request_that_never_left_cannot_have_arrived(failure):
    answer = Answer(None, None, failure, "", 3, 1000.0)
    assert answer.was_sent is (failure not in _NOT_SENT)
    assert answer.status == 0
