"""Fields of stats/*."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError

from app.domain.attribution import JoinKind
from app.domain.lead import Counts
from app.domain.retention import percent
from app.errors import translatable
from app.schemas import fields
from app.schemas.base import Output
from app.schemas.pagination import Period
from app.services.clicks.owner.source_stats import GROUPS
from app.services.leads.stats import tables

#: As far as clocks go: UTC-12 to UTC+14, in minutes. Every zone is a multiple of the step.
WEST: Final = -720
EAST: Final = 840
ZONE_STEP: Final = 15


class StatsRange(Period):
    """A range of time, of all campaigns or of some; without ends the last 30 days."""

    campaign = fields.Int(1)
    bot = fields.Int(1)


class JoinsRange(Period):
    """A range of whole UTC days, of all campaigns or of one; without ends the last 7 days."""

    campaign = fields.Int(1)


class SourcesRange(JoinsRange):
    """A range of whole UTC days, of all sources, of a campaign's or of one; else the last 30 days.

    `by` says what a row is.
    """

    by = fields.Choice(*GROUPS, load_default="source")
    source = fields.Int(1)


class Zone(fields.Int):
    """Minutes east of UTC."""

    def _read(self, value: Any) -> int:
        minutes = super()._read(value)
        if minutes % ZONE_STEP:
            raise ValidationError(translatable("must be a multiple of %(step)d", step=ZONE_STEP))
        return minutes


class StatsDaily(StatsRange):
    """The same, in days of a time zone."""

    tz = Zone(WEST, EAST, load_default=0)


class ConversionRate(fields.Field[float]):
    """Confirms per 100 starts of some Counts; 0 where nobody started."""

    def _show(self, value: Counts) -> float:
        return percent(value.confirms, value.starts) or 0.0


class Percent(fields.Field[float | None]):
    """A percentage with two decimals; null while it cannot be known."""


class Number(fields.Field[int | None]):
    """A whole number; null where it is not counted."""


class Date(fields.UtcText):
    """Unix seconds as a UTC date, `YYYY-MM-DD`."""

    def _show(self, value: Any) -> str:
        return super()._show(value)[:10]


class CountsOut(Output):
    """Counters of some time. `cr` is confirms per 100 starts.

    `unsubs` are `kicks` and `leaves`. `organic` are joins of people without a lead. These three
    are null where some of them came before they were told apart.
    """

    starts = fields.Int()
    holds = fields.Int()
    confirms = fields.Int()
    unsubs = fields.Int()
    kicks = Number()
    leaves = Number()
    organic = Number()
    cr = ConversionRate()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read the counters from `obj.counts`, or from `obj` if it is the Counts itself."""
        counts = getattr(obj, "counts", obj)
        if attr == "cr":
            return counts
        return super().get_attribute(counts if hasattr(counts, attr) else obj, attr, default)


class SummaryOut(CountsOut):
    """`stats/summary`, over `from` to `to` in Unix seconds; `before` is the range before it."""

    since = fields.Int(data_key="from")
    until = fields.Int(data_key="to")
    before = fields.Nested(CountsOut)


class OfDay(Output):
    """A row of one day."""

    date = Date(attribute="start")


class OfCampaign(Output):
    """A row of one campaign."""

    campaign = fields.Int()
    title = fields.Text()


class DayOut(CountsOut, OfDay):
    """A row of `stats/daily`."""


class CampaignCountsOut(CountsOut, OfCampaign):
    """The counters of one campaign."""


class SurvivalOut(Output):
    """How many joined, and the percentage that survived each milestone."""

    joined = fields.Int()
    d0 = Percent(attribute="percent.d0")
    d1 = Percent(attribute="percent.d1")
    d3 = Percent(attribute="percent.d3")
    d7 = Percent(attribute="percent.d7")
    d14 = Percent(attribute="percent.d14")
    d30 = Percent(attribute="percent.d30")


class CohortOut(SurvivalOut, OfDay):
    """Those who joined on one day."""


class LeavingOut(Output):
    """How many left so many whole days after they joined; the last row means "or more"."""

    days = fields.Int()
    left = fields.Int()


#: What a row of each table of `stats/export` shows.
TABLES: Final[Mapping[str, type[Output]]] = {
    "days": DayOut,
    "campaigns": CampaignCountsOut,
    "retention": CohortOut,
    "leaving": LeavingOut,
}


class StatsExport(StatsDaily):
    """Which table; `tz` is for `days` alone."""

    table = fields.Choice(*tables.NAMES, load_default="days")


class RetentionOut(Output):
    """`stats/retention`."""

    total = fields.Nested(SurvivalOut)
    cohorts = fields.List(fields.Nested(CohortOut))
    leaving = fields.List(fields.Nested(LeavingOut))


class JoinKindsOut(Output):
    """Joins by their method, or by the reason why their click is not known."""

    organic = fields.Int()
    start = fields.Int()
    link = fields.Int()
    request = fields.Int()
    forwarded = fields.Int()
    named = fields.Int()
    other_link = fields.Int()
    folder = fields.Int()
    bare_request = fields.Int()
    public = fields.Int()
    fallback = fields.Int()

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:  # noqa: ARG002
        """Read the count of a kind by its name."""
        return obj.get(JoinKind[attr.upper()], 0)


class JoinCountsOut(Output):
    """Joins, how many of them are known by their click, and the percentage; null without any.

    The joins by kind: known are `start`, `link` and `request`. `clicks` and `fallbacks` are
    what the links for ads counted.
    """

    joins = fields.Int()
    with_click = fields.Int()
    share = Percent()
    clicks = fields.Int()
    fallbacks = fields.Int()
    kinds = fields.Nested(JoinKindsOut, attribute="by_kind")

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Read the counters from `obj.counts`."""
        return super().get_attribute(
            obj.counts if hasattr(obj.counts, attr) else obj, attr, default
        )


class SourceJoinsOut(JoinCountsOut):
    """The joins that came from one source."""

    source = fields.Int()
    title = fields.Text()


class CampaignJoinsOut(JoinCountsOut):
    """A row of `stats/attribution`. `advice` says what would make more joins known, or nothing."""

    campaign = fields.Int()
    title = fields.Text()
    advice = fields.Text()
    sources = fields.List(fields.Nested(SourceJoinsOut))


class SourceGroupOut(Output):
    """A row of `stats/sources`. `key` is the source's id, the date, or the value; it may be empty.

    `joins` are people who came in. `staying` of them are in still; it is null by source and by day.
    """

    key = fields.Text()
    title = fields.Text()
    visits = fields.Int()
    clicks = fields.Int()
    joins = fields.Int()
    staying = Number()


class ComparedGroupOut(SourceGroupOut):
    """The same beside as many days before; for files of the dashboard."""

    visits_before = fields.Int()
    clicks_before = fields.Int()
    joins_before = fields.Int()
