"""The header Idempotency-Key: read from a request, and marked on an answer that is a replay."""

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, after_this_request, request

from app.errors import BadParameter, translatable
from app.services.conversions.idempotency import LONGEST, Answered

HEADER: Final = "Idempotency-Key"
REPLAY: Final = "X-Idempotent-Replay"


def idempotency_key() -> str:
    """Return the caller's key for this call, or "". Raises BadParameter."""
    key = request.headers.get(HEADER, "")
    if len(key) > LONGEST:
        raise BadParameter(HEADER, translatable("is longer than %(most)d characters", most=LONGEST))
    return key


def answer_of(answered: Answered) -> Mapping[str, Any]:
    """Return the answer; a header will say if it is an earlier one."""
    if answered.is_replay:

        @after_this_request
        def mark(response: Response) -> Response:
            response.headers[REPLAY] = "true"
            return response

    return answered.answer
