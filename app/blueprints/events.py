"""events/*: registrations, purchases and refunds of leads."""

import time
from typing import Final

from flask import Blueprint, Response, g

from app.errors import translatable
from app.schemas import ById
from app.schemas.events import (
    EventAdd,
    EventAdded,
    EventOut,
    EventsFilter,
    EventsList,
    EventValue,
)
from app.services.conversions import calls, query
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import Params, answers, answers_page, describes, takes, with_warnings
from app.web.idempotency import answer_of, idempotency_key
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("events", __name__, url_prefix="/api/events")

NO_TID: Final = translatable("without tid an equal event would count once")


@blueprint.post("/add.json")
@api_key
@takes(EventAdd)
@answers(EventAdded, warnings=True)
def add(params: Params) -> object:
    """Report an event. Under one `Idempotency-Key` a call is done once, for 48 hours."""
    answer = answer_of(calls.add(g.account.id, params, time.time(), key=idempotency_key()))
    return with_warnings([NO_TID] if answer["lacks_tid"] else [], answer)


@blueprint.post("/value.json")
@api_key
@takes(EventValue)
@answers()
def value(params: Params) -> None:
    """Set or correct an event's value; its trackers hear of it under the same key."""
    number, now = params.pop("id"), time.time()
    answer_of(calls.set_value(g.account.id, number, **params, now=now, key=idempotency_key()))


@blueprint.get("/export.json")
@api_key
@takes(EventsFilter)
@describes(Answer(TEXT, media="text/csv"))
def export(params: Params) -> Response:
    """All events as CSV, streamed."""
    return csv_answer("events.csv", EventOut(many=True), query.read_all(g.account.id, **params))


@blueprint.get("/list.json")
@api_key
@takes(EventsList)
@answers_page(EventOut)
def listed(params: Params) -> object:
    """Events, newest first; `total` counts up to 10,000."""
    return query.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(EventOut)
def get(params: Params) -> object:
    """One event."""
    return query.find(g.account.id, params["id"])
