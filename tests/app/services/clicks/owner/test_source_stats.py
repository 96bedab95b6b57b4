"""What ads brought, by source, by day and by the parameters of their links."""

import json

import pytest

from app.domain.lead import State
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Click, JoinDay, SourceDay
from app.services.clicks.owner import source_stats
from app.services.lists.scope import Scope

DAY = 86_400
TODAY = 20_000
NOW = TODAY * DAY + 3600


@pytest.fixture
def campaign(world):
    return world.campaign()


@pytest.fixture
def source(world, campaign):
    return world.source(campaign, title="Reels")


def counted(campaign, source, clicks, joins, *, day=TODAY, visits=0):
    db.session.add(SourceDay(source_id=source, day=day, clicks=clicks, visits=visits))
    row = {"campaign_id": campaign, "source_id": source, "day": day}
    db.session.add(JoinDay(**row, kind=2, joins=joins))
    db.session.commit()


def clicked(world, source, lead=None, **fields):
    for name in ("utm", "ad", "subs"):
        fields[name] = json.dumps(fields.get(name, {}))
    return world.click(source, lead_id=lead, **{"created": NOW, "pressed": NOW, **fields})


def groups(world, by, **filters):
    found = source_stats.listed(Scope(account_id=world.account_id, now=NOW, **filters), by=by)
    db.session.rollback()
    return found


def rows(world, by, **filters):
    return [
        (row.key, row.clicks, row.joins, row.staying) for row in groups(world, by, **filters).rows
    ]


def test_by_source_the_most_clicked_stands_first_and_one_without_clicks_is_there(
    world, campaign, source
):
    quiet, busy = world.source(campaign), world.source(campaign)
    counted(campaign, source, 5, 2)
    counted(campaign, source, 5, 1, day=TODAY - 1)
    counted(campaign, busy, 11, 0, visits=40)
    assert rows(world, "source") == [
        (str(busy), 11, 0, None),
        (str(source), 10, 3, None),
        (str(quiet), 0, 0, None),
    ]
    assert [row.title for row in groups(world, "source").rows][1] == "Reels"
    assert groups(world, "source").rows[0].visits == 40


def test_by_day_the_days_stand_in_their_order(world, campaign, source):
    counted(campaign, source, 5, 0)
    counted(campaign, source, 7, 3, day=TODAY - 1)
    assert rows(world, "day") == [("2024-10-03", 7, 3, None), ("2024-10-04", 5, 0, None)]


def test_joins_of_no_source_are_none_of_an_ad(world, campaign, source):
    db.session.add(JoinDay(campaign_id=campaign, source_id=0, day=TODAY, kind=0, joins=9))
    db.session.commit()
    assert rows(world, "source") == [(str(source), 0, 0, None)]
    assert rows(world, "day") == []


@pytest.mark.parametrize(
    ("by", "place"),
    [
        ("utm_campaign", ("utm", "campaign")),
        ("utm_term", ("utm", "term")),
        ("ad_id", ("ad", "ad_id")),
        ("sub10", ("subs", "sub10")),
    ],
)
def test_by_a_parameter_each_value_tells_who_came_and_who_stays(world, campaign, source, by, place):
    column, name = place
    stayed = world.lead(campaign, state=int(State.APPROVE))
    left = world.lead(campaign, state=int(State.CANCEL))
    started = world.lead(campaign, state=int(State.WAIT), join_time=None)
    for lead in (stayed, left, started, None):
        clicked(world, source, lead, **{column: {name: "red"}})
    clicked(world, source, **{column: {name: "blue"}})
    clicked(world, source)
    assert rows(world, by) == [("red", 4, 2, 1), ("", 1, 0, 0), ("blue", 1, 0, 0)]


def test_a_visit_that_went_no_further_is_no_click(world, source):
    clicked(world, source, utm={"source": "fb"}, pressed=None, landing="https://shop.example/")
    (row,) = groups(world, "utm_source").rows
    assert (row.visits, row.clicks) == (1, 0)


def test_only_the_days_that_are_asked_for_count(world, campaign, source):
    for day in (TODAY - 40, TODAY - 2, TODAY - 1, TODAY):
        clicked(world, source, created=day * DAY, utm={"source": f"d{TODAY - day}"})
        counted(campaign, source, 1, 1, day=day)
    yesterday = {"since": (TODAY - 1) * DAY, "until": (TODAY - 1) * DAY}
    assert rows(world, "utm_source", **yesterday) == [("d1", 1, 0, 0)]
    assert rows(world, "source", **yesterday) == [(str(source), 1, 1, None)]
    assert [key for key, *_ in rows(world, "utm_source")] == ["d0", "d1", "d2"]
    assert rows(world, "source") == [(str(source), 3, 3, None)]


def test_a_campaign_or_a_source_can_be_looked_at_alone(world, campaign, source):
    elsewhere = world.source(world.campaign())
    for one in (source, elsewhere):
        clicked(world, one, utm={"source": str(one)})
    for chosen in ({"campaign": campaign}, {"source": source}):
        assert rows(world, "utm_source", **chosen) == [(str(source), 1, 0, 0)]
        assert [key for key, *_ in rows(world, "source", **chosen)] == [str(source)]


def test_of_too_many_clicks_the_newest_count_and_the_answer_says_since_when(
    world, source, monkeypatch
):
    monkeypatch.setattr(source_stats, "COUNTED", 3)
    for day in range(5):
        clicked(world, source, created=NOW - (5 - day) * DAY, utm={"source": "fb"})
    found = groups(world, "utm_source")
    assert [row.clicks for row in found.rows] == [3]
    assert found.warning % {} == (
        "Only the newest 3 clicks are counted, back to 2024-10-01; ask for fewer days, "
        "or for one source"
    )
    assert groups(world, "utm_source", since=NOW - DAY).warning == ""


def test_a_thousand_values_at_the_most_are_told(world, source):
    db.session.bulk_insert_mappings(
        Click,
        [
            {"account_id": world.account_id, "source_id": source, "campaign_id": 1,
             "token": f"{number:016}", "created": NOW, "utm": json.dumps({"source": str(number)})}
            for number in range(source_stats.MOST_ROWS + 5)
        ],
    )  # fmt: skip
    assert len(groups(world, "utm_source").rows) == source_stats.MOST_ROWS


def test_a_range_must_not_be_empty_or_longer_than_a_year(world):
    for since in (NOW + DAY, NOW - 366 * DAY):
        with pytest.raises(BadParameter):
            groups(world, "day", since=since)
    for until in (-(2**62), 2**62):
        groups(world, "utm_source", until=until, since=None if until < 0 else 253_402_300_799)


def test_nothing_of_another_account_is_told(world, others_world, campaign, source):
    theirs = others_world.source(others_world.campaign())
    clicked(others_world, theirs, utm={"source": "secret"})
    counted(campaign, source, 1, 1)
    assert rows(others_world, "source") == [(str(theirs), 0, 0, None)]
    assert rows(world, "utm_source") == []
    for stolen in ({"source": theirs}, {"campaign": campaign + 10**6}):
        with pytest.raises(NotFound):
            groups(world, "source", **stolen)


def test_a_lead_that_another_account_has_now_is_not_looked_at(world, others_world, source):
    gone = others_world.lead(others_world.campaign())
    clicked(world, source, gone, utm={"source": "fb"})
    assert rows(world, "utm_source") == [("fb", 1, 0, 0)]


def test_the_table_over_the_api(api, campaign, source):
    counted(campaign, source, 4, 1)
    range_ = {"from": NOW - DAY, "to": NOW}
    (row,) = api.get("stats/sources", **range_)["data"]
    assert row == {
        "key": str(source), "title": "Reels", "visits": 0, "clicks": 4, "joins": 1,
        "staying": None,
    }  # fmt: skip
    assert api.get("stats/sources", by="utm_source", **range_)["data"] == []
    assert api.get("stats/sources", by="weather")["field"] == "by"
