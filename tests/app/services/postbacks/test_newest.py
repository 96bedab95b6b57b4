"""What was told of some leads last, by one statement."""

import pytest
from sqlalchemy import text

from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Postback, PostbackState
from app.models.postback import FIRST_CONVERSION
from app.services.postbacks import newest


@pytest.fixture
def lead(world):
    return world.lead(world.campaign())


def test_the_newest_of_all_trackers_and_events_is_found(account, world, lead):
    silent = world.lead(world.campaign())
    first, second = world.destination(), world.destination()
    world.postback(second, lead_id=lead, sequence=FIRST_CONVERSION)
    world.postback(second, lead_id=lead, sequence=1)
    last = world.postback(first, lead_id=lead, kind="cancel", state=PostbackState.DELIVERED)
    world.postback(first)
    found = newest.of_leads(account.id, [lead, silent])
    assert found == {lead: (last, "cancel", PostbackState.DELIVERED)}


def test_those_of_an_earlier_owner_are_not_meant(account, world, others_world, lead):
    own = world.postback(world.destination(), lead_id=lead)
    others_world.postback(others_world.destination(), lead_id=lead)
    assert newest.of_leads(account.id, [lead])[lead].id == own


def test_without_leads_nothing_is_asked(account):
    assert newest.of_leads(account.id, []) == {}


def test_of_one_lead_so_many_are_looked_at(account, world, lead, monkeypatch):
    monkeypatch.setattr(newest, "LOOKED_AT", 1)
    world.postback(world.destination(), lead_id=lead)
    shown = world.postback(world.destination(), lead_id=lead)
    assert newest.of_leads(account.id, [lead])[lead].id == shown


@pytest.mark.parametrize("analyzed", [False, True])
def test_they_are_found_by_the_index_of_the_leads(account, analyzed):
    rows = [
        {"account_id": account.id, "campaign_id": 1, "lead_id": number % 7_000, "kind": "wait",
         "destination_id": number // 7_000, "sequence": 1, "event": "{}", "state": 2, "due": 1,
         "created": number}
        for number in range(21_000)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Postback, rows)
    connection = db.session.connection()
    if analyzed:
        connection.execute(text("ANALYZE postback"))
    query = newest._newest(is_postgresql(connection))
    leads: object = list(range(100, 150))
    if not is_postgresql(connection):
        leads = str(leads)  # there a list is JSON
    query = query.params(account=account.id, leads=leads, most=50)
    sql = query.compile(connection, compile_kwargs={"literal_binds": True})
    word = "EXPLAIN" if is_postgresql(connection) else "EXPLAIN QUERY PLAN"
    plan = [str(row[-1]) for row in connection.execute(text(f"{word} {sql}"))]
    assert any("uq_postback_lead_id_destination_id_sequence" in line for line in plan), plan
    assert not any("Seq Scan on postback" in line for line in plan), plan
    assert not any("SCAN postback" in line or "TEMP B-TREE" in line for line in plan), plan
