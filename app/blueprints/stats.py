"""stats/*: counters by range, by day, and who stays."""

from __future__ import annotations

import time

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.stats import DayOut, RetentionOut, StatsDaily, StatsRange, SummaryOut
from app.services.leads import stats
from app.web.auth import api_key
from app.web.responses import success

blueprint = Blueprint("stats", __name__, url_prefix="/api/stats")


@blueprint.get("/summary.json")
@api_key
def summary() -> Response:
    """The counters of a range, and of the range before it."""
    found = stats.summary(g.account.id, now=int(time.time()), **load(StatsRange()))
    return success(SummaryOut().dump(found))


@blueprint.get("/daily.json")
@api_key
def daily() -> Response:
    """The counters of each day."""
    found = stats.daily(g.account.id, now=int(time.time()), **load(StatsDaily()))
    return success(DayOut(many=True).dump(found))


@blueprint.get("/retention.json")
@api_key
def retention() -> Response:
    """Who stays, by day of joining, and how soon the others left."""
    found = stats.retention(g.account.id, now=int(time.time()), **load(StatsRange()))
    return success(RetentionOut().dump(found))
