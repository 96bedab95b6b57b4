"""What ads brought, by link, by day, or by a parameter of the links; also as CSV."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import names
from app.dashboard.access import forms
from app.dashboard.access.guards import signed_in
from app.dashboard.formatting import minutes_east
from app.dashboard.periods import Period, chosen_period, period_fields
from app.domain.retention import percent
from app.domain.time_ranges import DAY
from app.schemas.stats import ComparedGroupOut, SourceGroupOut, SourcesRange
from app.services.clicks.owner import source_stats
from app.services.clicks.owner.source_stats import Group
from app.services.lists.scope import Scope
from app.translations import gettext
from app.web.csv_answers import csv_answer

blueprint = Blueprint("brought", __name__, url_prefix="/statistics/ads")

FILTERS: Final = ("by", "campaign", "source")
#: Rows on the page; the file has all.
SHOWN: Final = 100


class Row(NamedTuple):
    """A group of the period, and that of the period before; None where it is not compared."""

    now: Group
    before: Group | None

    @property
    def rate(self) -> float | None:
        """How many joined of a hundred clicks; None without a click."""
        return percent(self.now.joins, self.now.clicks)


#: By what rows are sorted, largest first; what is not counted comes last.
_SORTS: Final[Mapping[str, Callable[[Row], float]]] = {
    "visits": lambda row: row.now.visits,
    "clicks": lambda row: row.now.clicks,
    "joins": lambda row: row.now.joins,
    "rate": lambda row: -1 if row.rate is None else row.rate,
    "staying": lambda row: -1 if row.now.staying is None else row.now.staying,
}


class _Asked(NamedTuple):
    """The period, the filters as the query has them, what a row is, and the scope."""

    period: Period
    filters: dict[str, str]
    by: str
    scope: Scope


@blueprint.get("")
@signed_in
def page() -> str:
    """What the ads brought, beside the period before where that is asked for."""
    asked = _asked()
    groups = source_stats.listed(asked.scope, by=asked.by)
    is_compared = _is_compared(asked)
    rows = _rows(groups.rows, _before(asked) if is_compared else None)
    campaigns, sources = names.with_sources(g.account.id)
    return render_template(
        "stats/ads.html",
        period=asked.period,
        query=urlencode({**period_fields(asked.period), **asked.filters}),
        filters=asked.filters,
        by=asked.by,
        groups=titles(),
        rows=_sorted(rows, asked.by)[:SHOWN],
        total=len(rows),
        sort=_sort(asked.by),
        is_compared=is_compared,
        warning=groups.warning,
        campaigns=campaigns,
        sources=sources,
    )


@blueprint.get("/ads.csv")
@signed_in
def export() -> Response:
    """The same as CSV, every row of it."""
    asked = _asked()
    groups = source_stats.listed(asked.scope, by=asked.by)
    if not _is_compared(asked):
        return csv_answer("ads.csv", SourceGroupOut(many=True), [groups.rows])
    rows = [_as_line(row) for row in _rows(groups.rows, _before(asked))]
    return csv_answer("ads.csv", ComparedGroupOut(many=True), [rows])


def titles() -> dict[str, str]:
    """Return what a row of each grouping is called, by its name in the API."""
    words = {
        "source": gettext("Link for ads"),
        "day": gettext("Day"),
        "campaign_id": gettext("Campaign id of the ad network"),
        "adset_id": gettext("Ad set id"),
        "ad_id": gettext("Ad id"),
        "placement": gettext("Placement"),
    }
    return {name: words.get(name, name) for name in source_stats.GROUPS}


def _asked() -> _Asked:
    """Return what the query asks for. Raises BadParameter."""
    now = int(time.time())
    period = chosen_period(now)
    filters = forms.non_empty(request.args, FILTERS)
    ids: dict[str, Any] = forms.checked(SourcesRange(), filters)
    by = ids.pop("by")
    # Ads are counted in UTC days: those of the same dates as the days of the account's zone.
    since, until = (_same_date(end) for end in (period.since, period.until))
    scope = Scope(account_id=g.account.id, now=now, since=since, until=until, **ids)
    return _Asked(period, filters, by, scope)


def _same_date(moment: int) -> int:
    """Return the moment at which UTC's clocks show what the account's show at `moment`."""
    return max(0, moment + 60 * minutes_east(moment))


def _is_compared(asked: _Asked) -> bool:
    """Whether the period before is asked for; a day of this period is none of that one."""
    return request.args.get("compare") == "before" and asked.by != "day"


def _as_line(row: Row) -> dict[str, Any]:
    """Return what the file has of a row that is compared."""
    before = {f"{name}_before": getattr(row.before, name) for name in ("visits", "clicks", "joins")}
    return {**asdict(row.now), **before}


def _before(asked: _Asked) -> dict[str, Group]:
    """Return the groups of as many days before the period, by key."""
    scope = asked.scope
    first, last = scope.days()
    until = first * DAY - 1
    since = (first - (last - first + 1)) * DAY
    if since < 0:
        return {}
    earlier = Scope(
        account_id=scope.account_id, now=scope.now, since=since, until=until,
        campaign=scope.campaign, source=scope.source,
    )  # fmt: skip
    return {group.key: group for group in source_stats.listed(earlier, by=asked.by).rows}


def _rows(groups: Sequence[Group], before: Mapping[str, Group] | None) -> list[Row]:
    """Return the groups, each beside what it was before, if that is compared."""
    if before is None:
        return [Row(group, None) for group in groups]
    return [Row(group, before.get(group.key, Group(group.key))) for group in groups]


def _sort(by: str) -> str:
    """Return the column by which rows are sorted."""
    sort = request.args.get("sort", "")
    return sort if sort in _SORTS or sort == "key" else "key" if by == "day" else "clicks"


def _sorted(rows: list[Row], by: str) -> list[Row]:
    """Return rows by the chosen column: the largest numbers, A, or the newest day first."""
    sort = _sort(by)
    if sort == "key":
        return sorted(rows, key=_name, reverse=by == "day")
    return sorted(rows, key=_SORTS[sort], reverse=True)


def _name(row: Row) -> str:
    return (row.now.title or row.now.key).casefold()
