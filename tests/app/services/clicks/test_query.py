"""A list of clicks counts only so far."""

import pytest
from sqlalchemy import text

from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Click
from app.services.clicks import query


def test_a_list_counts_up_to_ten_thousand(world):
    rows = [
        {"account_id": world.account_id, "source_id": 1, "campaign_id": 1, "token": f"{number:016}",
         "created": number}
        for number in range(query.COUNTED + 5)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Click, rows)
    page = query.listed(world.account_id, limit=3)
    assert page.total == query.COUNTED
    assert [row.created for row in page.rows] == [10_004, 10_003, 10_002]
    assert query.listed(world.account_id, until=4).total == 5


def test_those_of_a_time_are_found_also_where_ids_and_times_differ_a_little(world, monkeypatch):
    monkeypatch.setattr(query, "SKEW", 5)
    source = world.source(world.campaign())
    times = [100, 104, 102, 110, 107, 120, 117, 130, 140, 138]
    for moment in times:
        world.click(source, created=moment)

    def listed(**filters):
        return sorted(row.created for row in query.listed(world.account_id, **filters).rows)

    for since in range(98, 143, 3):
        for until in range(98, 143, 4):
            expected = sorted(moment for moment in times if since <= moment <= until)
            assert listed(since=since, until=until) == expected, (since, until)
    assert listed(since=117) == [117, 120, 130, 138, 140]
    assert listed(until=104) == [100, 102, 104]


@pytest.mark.parametrize("since", [-(2**63), 0, 2**63 - 1])
@pytest.mark.parametrize("until", [-(2**63), 0, 2**63 - 1])
def test_no_time_that_a_caller_may_name_is_too_large(world, since, until):
    world.click(world.source(world.campaign()))
    found = query.listed(world.account_id, since=since, until=until)
    assert len(found.rows) == (since <= 0 and until > 0)


def test_those_that_joined_are_read_by_an_index_of_their_own(world):
    rows = [
        {"account_id": world.account_id, "source_id": 1, "campaign_id": 1, "token": f"{number:016}",
         "created": number, "lead_id": None if number % 5 else number + 1}
        for number in range(3_000)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Click, rows)
    connection = db.session.connection()
    connection.execute(text("ANALYZE click"))
    joined = query._matching(world.account_id, joined=True).order_by(Click.id.desc()).limit(5)
    sql = joined.compile(connection, compile_kwargs={"literal_binds": True})
    word = "EXPLAIN" if is_postgresql(connection) else "EXPLAIN QUERY PLAN"
    plan = [str(row[-1]) for row in connection.execute(text(f"{word} {sql}"))]
    assert any("ix_click_joined" in line for line in plan), plan
    assert not any("Sort" in line or "TEMP B-TREE" in line for line in plan), plan
