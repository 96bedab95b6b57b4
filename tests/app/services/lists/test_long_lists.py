"""Totals and pages are what counting and sorting every row would give."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.errors import NotFound
from app.extensions import db
from app.models import Lead
from app.services.leads.query import LEADS
from app.services.lists import row_counts
from app.services.lists.long_lists import RowQuery, counts, fetch, total
from tests.support.world import NOON

START = NOON // 86_400 * 86_400
#: Close together and far apart, on the edges of hours and days and beside them.
TIMES = st.one_of(
    st.integers(0, 4).map(lambda day: START + day * 86_400),
    st.integers(0, 100).map(lambda hour: START + hour * 3600 - 1),
    st.integers(START, START + 4 * 86_400),
)
STATES = st.sampled_from([0, 2, 4])
OWNERS = st.sampled_from([0, 1])
NUMBERS = st.integers(0, 30)
CHANGES = st.one_of(
    st.tuples(st.just("add"), OWNERS, STATES, TIMES),
    st.tuples(st.just("add"), OWNERS, STATES, TIMES),
    st.tuples(st.just("move"), NUMBERS, OWNERS, STATES),
    st.tuples(st.just("drop"), NUMBERS),
    st.tuples(st.just("turn all"), STATES, STATES),
    st.tuples(st.just("fold")),
)
WANTED = st.tuples(
    st.none() | OWNERS, st.none() | STATES, st.none() | TIMES, st.none() | TIMES
)  # campaign, state, since, until
PAGES = st.tuples(st.integers(1, 8), st.integers(0, 12), st.none() | NUMBERS, st.integers(0, 20))
SETTINGS = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def change(world, campaigns, step):
    """Do to the leads what the step says."""
    verb, *terms = step
    if verb == "add":
        owner, state, time = terms
        world.lead(campaigns[owner], state=state, start_time=time)
    elif verb == "turn all":
        db.session.execute(update(Lead).where(Lead.state == terms[0]).values(state=terms[1]))
    elif verb == "fold":
        db.session.commit()
        row_counts.compact()
    else:
        ids = db.session.scalars(select(Lead.id).order_by(Lead.id)).all()
        if len(ids) <= terms[0]:
            return
        one = Lead.id == ids[terms[0]]
        values = {} if verb == "drop" else {"campaign_id": campaigns[terms[1]], "state": terms[2]}
        db.session.execute(
            update(Lead).where(one).values(values) if values else delete(Lead).where(one)
        )
    db.session.expire_all()


def matching(leads, equal, since, until):
    return [
        lead
        for lead in sorted(leads, key=lambda one: (one.start_time, one.id), reverse=True)
        if all(getattr(lead, name) == value for name, value in equal.items())
        and (since is None or lead.start_time >= since)
        and (until is None or lead.start_time <= until)
    ]


@SETTINGS
@given(st.lists(CHANGES, max_size=40), st.lists(st.tuples(WANTED, PAGES), min_size=4, max_size=8))
def test_whatever_happened_a_page_and_its_total_are_those_of_the_rows(
    app, world, others_world, changes, questions
):
    campaigns = [world.campaign(), world.campaign()]
    others_world.lead(others_world.campaign())
    for step in changes:
        change(world, campaigns, step)
    leads = db.session.scalars(select(Lead).where(Lead.account_id == world.account_id)).all()
    for (campaign, state, since, until), (limit, offset, cursor, near) in questions:
        equal = {"account_id": world.account_id}
        equal |= {} if campaign is None else {"campaign_id": campaigns[campaign]}
        equal |= {} if state is None else {"state": state}
        expected = matching(leads, equal, since, until)
        below = expected
        before = None
        if cursor is not None and cursor < len(leads):
            place = leads[cursor].start_time, leads[cursor].id
            before = leads[cursor].id
            below = [lead for lead in expected if (lead.start_time, lead.id) < place]
        page = fetch(
            LEADS,
            RowQuery(equal, since, until),
            limit=limit,
            offset=offset,
            before=before,
            near=near,
        )
        assert page.total == len(expected)
        states = counts(LEADS, RowQuery(equal, since, until), Lead.state)
        assert {key: number for key, number in states.items() if number} == Counter(
            lead.state for lead in expected
        )
        assert [row.id for row in page.rows] == [row.id for row in below[offset : offset + limit]]
    db.session.execute(delete(Lead))
    db.session.commit()


def test_a_page_of_rare_rows_leaps_over_the_hours_between(app, world):
    campaign = world.campaign()
    rare = [world.lead(campaign, state=4, start_time=START + 9000 * number) for number in range(9)]
    for number in range(40):
        world.lead(campaign, start_time=START + 2000 * number)
    wanted = RowQuery({"account_id": world.account_id, "state": 4})
    page = fetch(LEADS, wanted, limit=3, offset=4)
    assert ([row.id for row in page.rows], page.total) == (rare[2:5][::-1], 9)
    page = fetch(LEADS, wanted, limit=2, offset=1, before=rare[5])
    assert [row.id for row in page.rows] == [rare[3], rare[2]]


def test_a_page_after_a_row_that_is_gone_says_so(app, world):
    lead = world.lead(world.campaign())
    with pytest.raises(NotFound):
        fetch(LEADS, RowQuery({"account_id": world.account_id}), limit=1, offset=0, before=lead + 1)


def test_who_knows_the_total_has_it_not_counted_again(app, world):
    lead = world.lead(world.campaign())
    mine = RowQuery({"account_id": world.account_id})
    assert fetch(LEADS, mine, limit=5, offset=0, number=9).total == 9
    assert [row.id for row in fetch(LEADS, mine, limit=5, offset=0, number=9).rows] == [lead]
    assert total(LEADS, mine) == 1
