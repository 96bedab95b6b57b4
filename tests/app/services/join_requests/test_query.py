"""Requests by filters, how many there are in each state, and a bio that cannot be read."""

import pytest
from sqlalchemy import select, text

from app.database.rows import is_postgresql
from app.errors import NotFound
from app.extensions import db
from app.models import JoinRequest, RequestState
from app.services.join_requests import query


def test_requests_are_counted_by_state_and_campaign(app, world):
    one, two = world.campaign(), world.campaign()
    for campaign, state in ((one, 0), (one, 0), (one, 4), (two, 0)):
        world.request(campaign, state=state)
    assert query.counts(world.account_id)[RequestState.WAITING] == 3
    found = query.counts(world.account_id, one)
    assert {state: count for state, count in found.items() if count} == {0: 2, 4: 1}
    with pytest.raises(NotFound):
        query.counts(world.account_id, 10**9)


def test_a_list_counts_no_further_than_it_promises(app, world, monkeypatch):
    monkeypatch.setattr(query, "COUNTED", 2)
    campaign = world.campaign()
    numbers = [world.request(campaign) for _ in range(3)]
    page = query.listed(world.account_id)
    assert ([row.id for row in page.rows], page.total) == (numbers[::-1], 2)


def test_a_bio_of_another_secret_is_empty_and_the_request_is_shown(app, world):
    number = world.request(world.campaign(), bio="I sell")
    assert query.find(world.account_id, number).bio == "I sell"
    db.session.execute(text("UPDATE join_request SET bio = 'not ours'"))
    detail = query.find(world.account_id, number)
    assert (detail.bio, detail.request.id) == ("", number)


def test_all_requests_of_some_states_come_in_parts_and_none_of_others(app, world, others_world):
    campaign = world.campaign()
    numbers = [world.request(campaign) for _ in range(3)]
    world.request(campaign, state=RequestState.JOINED)
    others_world.request(others_world.campaign())
    found = query.read_all(world.account_id, states=[RequestState.WAITING])
    assert [row.id for rows in found for row in rows] == numbers[::-1]
    with pytest.raises(NotFound):
        query.read_all(world.account_id, campaign=10**9)


def test_those_of_all_states_are_read_newest_first_by_an_index(app, world):
    campaign = world.campaign()
    for number in range(40):
        world.request(campaign, state=number % 5)
    connection = db.session.connection()
    if is_postgresql(connection):
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # so few rows are read whole
    newest = select(JoinRequest.id).where(*query.conditions(world.account_id))
    page = newest.order_by(JoinRequest.id.desc()).limit(5)
    sql = page.compile(connection, compile_kwargs={"literal_binds": True})
    word = "EXPLAIN" if is_postgresql(connection) else "EXPLAIN QUERY PLAN"
    plan = [str(row[-1]) for row in connection.execute(text(f"{word} {sql}"))]
    assert any("ix_join_request_account_id " in f"{line} " for line in plan), plan
    assert not any("Sort" in line or "TEMP B-TREE" in line for line in plan), plan
