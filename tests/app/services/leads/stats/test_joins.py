"""The meter of joins: how many are known by their click, and why the others are not."""

import pytest

from app.domain.attribution import JoinKind
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import JoinDay, SourceDay
from app.services.leads.stats import joins
from app.services.lists.scope import Scope

DAY = 86_400
TODAY = 20_000
NOW = TODAY * DAY + 3600


@pytest.fixture
def campaign(world):
    return world.campaign()


def joined(campaign, kind, joins, source=0, day=TODAY):
    row = {"campaign_id": campaign, "source_id": source, "day": day}
    db.session.add(JoinDay(**row, kind=kind, joins=joins))
    db.session.commit()


def clicked(source, clicks, fallbacks=0, day=TODAY):
    db.session.add(SourceDay(source_id=source, day=day, clicks=clicks, fallbacks=fallbacks))
    db.session.commit()


def meter(world, **filters):
    rows = joins.attribution(Scope(account_id=world.account_id, now=NOW, **filters))
    db.session.rollback()
    return rows


def test_joins_are_known_by_the_first_three_methods_only(world, campaign):
    for kind in JoinKind:
        joined(campaign, kind, 10)
    (row,) = meter(world)
    assert (row.counts.joins, row.counts.with_click) == (10 * len(JoinKind), 30)
    assert row.counts.by_kind == dict.fromkeys(JoinKind, 10)


def test_a_chat_has_the_joins_of_its_sources_and_those_of_none(world, campaign):
    source = world.source(campaign)
    clicked(source, 9, 2)
    joined(campaign, JoinKind.LINK, 3, source)
    joined(campaign, JoinKind.FORWARDED, 1, source)
    joined(campaign, JoinKind.ORGANIC, 1)
    (row,) = meter(world)
    (of_source,) = row.sources
    assert (of_source.counts.joins, of_source.counts.share) == (4, 75.0)
    assert (of_source.counts.clicks, of_source.counts.fallbacks) == (9, 2)
    assert (row.counts.joins, row.counts.share, row.counts.clicks) == (5, 60.0, 9)


def test_a_chat_without_joins_has_no_share(world, campaign):
    (row,) = meter(world)
    assert (row.counts.joins, row.counts.share, row.advice) == (0, None, "")


@pytest.mark.parametrize("kind", [kind for kind in JoinKind if not kind.knows_click])
def test_under_seventy_percent_the_commonest_reason_is_advised_about(world, campaign, kind):
    clicked(world.source(campaign), 100)
    joined(campaign, JoinKind.LINK, 69)
    joined(campaign, kind, 31)
    assert meter(world)[0].advice == joins._ADVICE[kind]


def test_from_seventy_percent_on_and_without_clicks_there_is_no_advice(world, campaign):
    joined(campaign, JoinKind.ORGANIC, 3)
    assert meter(world)[0].advice == ""
    joined(campaign, JoinKind.LINK, 7)
    clicked(world.source(campaign), 100)
    assert meter(world)[0].advice == ""


def test_the_last_seven_days_count_unless_a_range_is_asked_for(world, campaign):
    for day in (TODAY - 7, TODAY - 6, TODAY):
        joined(campaign, JoinKind.START, 1, day=day)
    assert meter(world)[0].counts.joins == 2
    assert meter(world, since=(TODAY - 7) * DAY)[0].counts.joins == 3
    assert meter(world, until=(TODAY - 1) * DAY)[0].counts.joins == 2


def test_a_range_must_not_be_empty_or_longer_than_a_year(world, campaign):
    for since in (NOW + DAY, NOW - 366 * DAY):
        with pytest.raises(BadParameter):
            meter(world, since=since)


def test_a_range_may_end_at_any_moment_that_a_number_can_tell(world, campaign):
    joined(campaign, JoinKind.START, 1, day=TODAY)
    for until in (-(2**62), 2**62):
        assert meter(world, until=until)[0].counts.joins == 0
    with pytest.raises(BadParameter):
        meter(world, since=2**62, until=2**62)


def test_only_the_own_campaigns_are_shown(world, others_world, campaign):
    theirs = others_world.campaign()
    joined(theirs, JoinKind.LINK, 5)
    assert [row.campaign for row in meter(world)] == [campaign]
    with pytest.raises(NotFound):
        meter(world, campaign=theirs)


def test_the_meter_over_the_api(api, world, campaign):
    source = world.source(campaign, title="Reels")
    (row,) = api.get("stats/attribution", campaign=campaign)["data"]
    assert (row["campaign"], row["joins"], row["with_click"], row["share"]) == (
        campaign,
        0,
        0,
        None,
    )
    assert row["kinds"] == {kind.name.lower(): 0 for kind in JoinKind}
    (of_source,) = row["sources"]
    assert (of_source["source"], of_source["title"], of_source["joins"]) == (source, "Reels", 0)
