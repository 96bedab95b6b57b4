"""Rows with what no index has, looked for among the newest of a list."""

import pytest
from sqlalchemy import bindparam, select, text

from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Lead
from app.services.leads import query
from app.services.lists import among_newest
from app.services.lists.among_newest import has_values, page_of, read

NOON = 1_780_000_000


@pytest.fixture
def leads(world):
    campaign = world.campaign()
    return [
        world.lead(campaign, start_time=NOON - age, language=language)
        for age, language in enumerate(("de", "en", "de", "de"))
    ]


def german(is_behind, most=3):
    newest = select(Lead.id, Lead.start_time.label("time"))
    newest = newest.where(Lead.account_id == bindparam("account_id"))
    newest = newest.order_by(Lead.start_time.desc(), Lead.id.desc()).limit(most).subquery()
    return page_of(newest, has_values(Lead, newest, ["language"]), is_behind=is_behind)


def test_a_page_has_ids_newest_first_and_how_many_match(account, leads):
    values = {"account_id": account.id, "language": "de"}
    assert read(german, values, limit=1, offset=0, behind=None) == ([leads[0]], 2)
    assert read(german, values, limit=1, offset=1, behind=None) == ([leads[2]], 2)
    assert read(german, values, limit=9, offset=0, behind=(NOON, leads[0])) == ([leads[2]], 2)
    assert read(german, values, limit=9, offset=0, behind=(NOON - 2, leads[2])) == ([], 2)
    assert read(german, values, limit=9, offset=5, behind=None) == ([], 2)
    nobody = {**values, "language": "fi"}
    assert read(german, nobody, limit=9, offset=0, behind=None) == ([], 0)


def test_without_columns_all_of_the_newest_match(account, leads):
    newest = select(Lead.id, Lead.start_time.label("time")).limit(9).subquery()
    assert has_values(Lead, newest, []) == []
    page = among_newest.read(
        lambda is_behind: page_of(newest, [], is_behind=is_behind),
        {}, limit=2, offset=0, behind=None,
    )  # fmt: skip
    assert page == (leads[:2], 4)


@pytest.mark.parametrize("leading", ["account_id", "campaign_id"])
def test_leads_with_a_trait_are_read_by_the_index_that_has_them_in_order(world, account, leading):
    campaigns = [world.campaign() for _ in range(4)]
    rows = [
        {"account_id": account.id, "campaign_id": campaigns[number % 4], "bot_id": 1,
         "subscriber": number + 1, "state": 0, "updated": 1, "start_time": number,
         "last_start_at": 1}
        for number in range(12_000)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Lead, rows)
    connection = db.session.connection()
    connection.execute(text("ANALYZE lead"))
    names = frozenset({"account_id", leading, "language", "state"})
    values = {"account_id": account.id, "campaign_id": campaigns[0], "language": "fi", "state": 2}
    values = {name: values[name] for name in names} | {"limit": 50, "offset": 0}
    statement = query._with_traits(names, False, 20).params(**values)
    sql = statement.compile(connection, compile_kwargs={"literal_binds": True})
    word = "EXPLAIN" if is_postgresql(connection) else "EXPLAIN QUERY PLAN"
    plan = [str(row[-1]) for row in connection.execute(text(f"{word} {sql}"))]
    index = f"ix_lead_{leading}_start_time"
    assert any(index in line for line in plan), plan
    assert not any("Seq Scan" in line or "Bitmap" in line for line in plan), plan
    assert not any(line.startswith("SCAN lead") for line in plan), plan
