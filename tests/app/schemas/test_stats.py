"""Counters with their conversion rate, days of a time zone, and what cannot be known yet."""

from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from app.domain.lead import Counts
from app.schemas.stats import (
    TABLES,
    CampaignCountsOut,
    CohortOut,
    CountsOut,
    DayOut,
    StatsDaily,
    StatsExport,
    SummaryOut,
)
from app.services.leads.stats import tables

COUNTS = Counts(starts=3, holds=2, confirms=1, unsubs=5, kicks=2, organic=7)
SHOWN = {
    "starts": 3, "holds": 2, "confirms": 1, "unsubs": 5, "kicks": 2, "leaves": 3, "organic": 7,
    "cr": 33.33,
}  # fmt: skip


@pytest.mark.parametrize("minutes", [-720, -570, 0, 345, 525, 840])
def test_every_zone_of_the_world_is_taken(minutes):
    assert StatsDaily().load({"tz": str(minutes)}) == {"tz": minutes}


@pytest.mark.parametrize(
    ("minutes", "word"), [(-735, "from"), (855, "from"), (7, "multiple"), ("Z", "whole")]
)
def test_a_zone_that_no_clock_shows_is_refused(minutes, word):
    with pytest.raises(ValidationError, match=word):
        StatsDaily().load({"tz": minutes})


def test_without_a_zone_days_are_those_of_utc():
    assert StatsDaily().load({"from": 1, "to": 2}) == {"since": 1, "until": 2, "tz": 0}


def test_counters_are_shown_alone_and_with_the_day_they_are_of():
    assert CountsOut().dump(COUNTS) == SHOWN
    day = SimpleNamespace(start=86_400, counts=COUNTS)
    assert DayOut().dump(day) == {**SHOWN, "date": "1970-01-02"}
    before = CountsOut().dump(Counts(unsubs=5, kicks=None, organic=None))
    assert [before[name] for name in ("unsubs", "kicks", "leaves", "organic")] == [5] + [None] * 3


def test_a_file_has_what_its_rows_are_first_and_only_tables_there_are():
    for schema, first in (
        (DayOut, ["date", "starts"]),
        (CohortOut, ["date", "joined"]),
        (CampaignCountsOut, ["campaign", "title"]),
    ):
        assert list(schema().dump_fields)[:2] == first
    assert StatsExport().load({})["table"] == "days"
    assert set(TABLES) == set(tables.NAMES)


def test_the_rate_without_a_start_is_zero():
    assert CountsOut().dump(Counts(confirms=2))["cr"] == 0


def test_a_summary_stands_beside_the_range_before_it():
    summary = SimpleNamespace(since=10, until=20, counts=COUNTS, before=Counts())
    shown = SummaryOut().dump(summary)
    assert (shown["from"], shown["to"], shown["starts"]) == (10, 20, 3)
    assert shown["before"] == dict.fromkeys(SHOWN, 0)


def test_a_share_that_cannot_be_known_yet_is_null():
    percent = SimpleNamespace(d0=50.0, d1=None, d3=None, d7=None, d14=None, d30=None)
    shown = CohortOut().dump(SimpleNamespace(joined=2, percent=percent, start=0))
    assert (shown["joined"], shown["d0"], shown["d1"]) == (2, 50.0, None)
