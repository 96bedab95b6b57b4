"""stats/*: counters by range, by day, and who stays."""

import time
from typing import Any

from flask import Blueprint, Response, g

from app.schemas.events import ConversionsRange, ConversionsSumOut
from app.schemas.stats import (
    TABLES,
    CampaignJoinsOut,
    DayOut,
    JoinsRange,
    RetentionOut,
    SourceGroupOut,
    SourcesRange,
    StatsDaily,
    StatsExport,
    StatsRange,
    SummaryOut,
)
from app.services.clicks.owner import source_stats
from app.services.conversions import query
from app.services.leads.stats import counts, joins, tables
from app.services.leads.stats import retention as retention_stats
from app.services.lists.scope import Scope
from app.web.auth import api_key
from app.web.csv_answers import csv_answer
from app.web.decorators import Params, answers, describes, takes, with_warnings
from app.web.openapi.responses import TEXT, Answer

blueprint = Blueprint("stats", __name__, url_prefix="/api/stats")


@blueprint.get("/summary.json")
@api_key
@takes(StatsRange)
@answers(SummaryOut)
def summary(params: Params) -> object:
    """The counters of a range, and of the range before it."""
    return counts.summary(_scope(**params))


@blueprint.get("/daily.json")
@api_key
@takes(StatsDaily)
@answers(DayOut, many=True)
def daily(params: Params) -> object:
    """The counters of each day."""
    tz = params.pop("tz")
    return counts.daily(_scope(**params), tz=tz)


@blueprint.get("/retention.json")
@api_key
@takes(StatsRange)
@answers(RetentionOut)
def retention(params: Params) -> object:
    """Who stays, by day of joining, and how soon the others left."""
    return retention_stats.retention(_scope(**params))


@blueprint.get("/export.json")
@api_key
@takes(StatsExport)
@describes(Answer(TEXT, media="text/csv"))
def export(params: Params) -> Response:
    """A table as CSV: the days of a range, its campaigns, who stays, or when the others left."""
    table, tz = params.pop("table"), params.pop("tz")
    rows = tables.rows(_scope(**params), table, tz=tz)
    return csv_answer(f"{table}.csv", TABLES[table](many=True), [rows])


@blueprint.get("/conversions.json")
@api_key
@takes(ConversionsRange)
@answers(ConversionsSumOut, many=True)
def conversions(params: Params) -> object:
    """Registrations, purchases and refunds of a range: how many, and their sum by currency."""
    return query.sums(_scope(**params))


@blueprint.get("/attribution.json")
@api_key
@takes(JoinsRange)
@answers(CampaignJoinsOut, many=True)
def attribution(params: Params) -> object:
    """How many joins are known by their click, by chat and source, and why the others are not."""
    return joins.attribution(_scope(**params))


@blueprint.get("/sources.json")
@api_key
@takes(SourcesRange)
@answers(SourceGroupOut, many=True, warnings=True)
def sources(params: Params) -> object:
    """What ads brought: by source, by day, or by a UTM, ad or sub parameter of their links.

    By a parameter only the newest 10,000 clicks of the range are counted, and clicks are kept
    for 90 days.
    """
    by = params.pop("by")
    groups = source_stats.listed(_scope(**params), by=by)
    return with_warnings([groups.warning] if groups.warning else [], groups.rows)


def _scope(**params: Any) -> Scope:
    return Scope(account_id=g.account.id, now=int(time.time()), **params)
