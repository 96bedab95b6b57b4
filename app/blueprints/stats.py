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
    SourceGroupOut,
    SourcesRange,
    StatsDaily,
    StatsRange,
    SummaryOut,
)
from app.services.clicks.owner import source_stats
from app.services.conversions import query
from app.services.leads import join_stats, stats
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes, with_warnings

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


@blueprint.get("/sources.json")
@api_key
@takes(SourcesRange)
@answers(SourceGroupOut, many=True, warnings=True)
def sources(params: Params) -> object:
    """What ads brought: by source, by day, or by a UTM, ad or sub parameter of their links.

    By a parameter only the newest 10,000 clicks of the range are counted, and clicks are kept
    for 90 days.
    """
    groups = source_stats.listed(g.account.id, now=int(time.time()), **params)
    return with_warnings([groups.warning] if groups.warning else [], groups.rows)
