"""The header Idempotency-Key."""

import pytest

from app.errors import BadParameter
from app.services.conversions.idempotency import Answered
from app.web.idempotency import HEADER, REPLAY, answer_of, idempotency_key


def test_a_key_is_read_and_none_is_empty(app):
    with app.test_request_context(headers={HEADER: "k" * 128}):
        assert idempotency_key() == "k" * 128
    with app.test_request_context():
        assert idempotency_key() == ""


def test_a_key_that_is_too_long_is_named(app):
    with app.test_request_context(headers={HEADER: "k" * 129}), pytest.raises(BadParameter) as info:
        idempotency_key()
    assert info.value.field == HEADER


@pytest.mark.parametrize("is_replay", [False, True])
def test_only_an_answer_that_is_repeated_is_marked(app, is_replay):
    with app.test_request_context():
        assert answer_of(Answered({"id": 5}, is_replay)) == {"id": 5}
        response = app.process_response(app.response_class())
    assert response.headers.get(REPLAY) == ("true" if is_replay else None)
