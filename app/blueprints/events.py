"""events/*: registrations, purchases and refunds of leads."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, Response, after_this_request, g, request

from app.errors import BadParameter, translatable
from app.schemas.events import (
    EventAdd,
    EventAdded,
    EventId,
    EventOut,
    EventsFilter,
    EventsList,
    EventValue,
)
from app.services.conversions import calls, query
from app.services.conversions.idempotency import LONGEST, Answered
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import Params, answers, answers_page, describes, takes, with_warnings
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("events", __name__, url_prefix="/api/events")

NO_TID: Final = translatable("without tid an equal event would count once")


@blueprint.post("/add.json")
@api_key
@takes(EventAdd)
@answers(EventAdded, warnings=True)
def add(params: Params) -> object:
    """Report an event. Under one `Idempotency-Key` a call is done once, for 48 hours."""
    answer = _shown(calls.add(g.account.id, params, time.time(), key=_idempotency_key()))
    return with_warnings([NO_TID] if answer["lacks_tid"] else [], answer)


@blueprint.post("/value.json")
@api_key
@takes(EventValue)
@answers()
def value(params: Params) -> None:
    """Set or correct an event's value; its trackers hear of it under the same key."""
    number, now = params.pop("id"), time.time()
    _shown(calls.set_value(g.account.id, number, **params, now=now, key=_idempotency_key()))


@blueprint.get("/export.json")
@api_key
@takes(EventsFilter)
@describes(Answer(TEXT, media="text/csv"))
def export(params: Params) -> Response:
    """All events as CSV, streamed."""
    return csv_answer("events.csv", EventOut(many=True), query.everyone(g.account.id, **params))


@blueprint.get("/list.json")
@api_key
@takes(EventsList)
@answers_page(EventOut)
def listed(params: Params) -> object:
    """Events, newest first; `total` counts up to 10,000."""
    return query.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(EventId)
@answers(EventOut)
def get(params: Params) -> object:
    """One event."""
    return query.find(g.account.id, params["id"])


def _idempotency_key() -> str:
    """The caller's key for this call, or "". Raises BadParameter."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST:
        raise BadParameter(
            "Idempotency-Key", translatable("is longer than %(most)d characters", most=LONGEST)
        )
    return key


def _shown(answered: Answered) -> Mapping[str, Any]:
    """The answer; a header says if it is an earlier one."""
    if answered.is_replay:

        @after_this_request
        def mark(response: Response) -> Response:
            response.headers["X-Idempotent-Replay"] = "true"
            return response

    return answered.answer
