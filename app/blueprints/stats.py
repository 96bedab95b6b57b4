"""stats/*: counters by range, by day, and who stays."""

from __future__ import annotations

import time

from flask import Blueprint, g

from app.schemas.events import ConversionsRange, ConversionsSumOut
from app.schemas.stats import (
    CampaignJoinsOut,
    DayOut,
    JoinsRange,
    RetentionOut,
    StatsDaily,
    StatsRange,
    SummaryOut,
)
from app.services.conversions import query
from app.services.leads import join_stats, stats
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("stats", __name__, url_prefix="/api/stats")


@blueprint.get("/summary.json")
@api_key
@takes(StatsRange)
@answers(SummaryOut)
def summary(params: Params) -> object:
    """The counters of a range, and of the range before it."""
    return stats.summary(g.account.id, now=int(time.time()), **params)


@blueprint.get("/daily.json")
@api_key
@takes(StatsDaily)
@answers(DayOut, many=True)
def daily(params: Params) -> object:
    """The counters of each day."""
    return stats.daily(g.account.id, now=int(time.time()), **params)


@blueprint.get("/retention.json")
@api_key
@takes(StatsRange)
@answers(RetentionOut)
def retention(params: Params) -> object:
    """Who stays, by day of joining, and how soon the others left."""
    return stats.retention(g.account.id, now=int(time.time()), **params)


@blueprint.get("/conversions.json")
@api_key
@takes(ConversionsRange)
@answers(ConversionsSumOut, many=True)
def conversions(params: Params) -> object:
    """Registrations, purchases and refunds of a range: how many, and their sum by currency."""
    return query.sums(g.account.id, now=int(time.time()), **params)


@blueprint.get("/attribution.json")
@api_key
@takes(JoinsRange)
@answers(CampaignJoinsOut, many=True)
def attribution(params: Params) -> object:
    """How many joins are known by their click, by chat and source, and why the others are not."""
    return join_stats.attribution(g.account.id, now=int(time.time()), **params)
