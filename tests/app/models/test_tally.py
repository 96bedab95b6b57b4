"""The database itself counts the rows of the long lists, whoever changes them and however."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select, update

from app.domain.time_ranges import HOUR
from app.extensions import db
from app.models import (
    JournalEntry,
    JournalTally,
    Lead,
    LeadTally,
    Postback,
    PostbackTally,
    Span,
    table_of,
)
from tests.support.world import NOON

START = NOON // HOUR * HOUR
COUNTED = [
    (Lead, LeadTally, "start_time", ("account_id", "campaign_id", "state")),
    (JournalEntry, JournalTally, "time", ("account_id", "bot_id", "chat_id", "action")),
    (
        Postback, PostbackTally, "created",
        ("account_id", "campaign_id", "destination_id", "kind", "state"),
    ),
]  # fmt: skip


def told(tally, columns):
    """The sums of the tally by its columns and the hour, those that are zero left out."""
    names = [getattr(tally, name) for name in (*columns, "start")]
    rows = db.session.execute(select(*names, func.sum(tally.number)).group_by(*names))
    return Counter({tuple(row[:-1]): int(row[-1]) for row in rows if row[-1]})


def counted(model, columns, time):
    """The same, counted one by one."""
    rows = db.session.execute(select(*[getattr(model, name) for name in (*columns, time)]))
    return Counter((*row[:-1], int(row[-1] // HOUR * HOUR)) for row in rows)


def assert_counted():
    for model, tally, time, columns in COUNTED:
        assert told(tally, columns) == counted(model, columns, time)
        assert set(db.session.scalars(select(tally.span))) <= {Span.DELTA}


_changes = st.lists(
    st.tuples(
        st.sampled_from(["add", "state", "time", "account", "other column", "delete", "move all"]),
        st.integers(0, 5),
        st.integers(0, 3),
    ),
    max_size=8,
)


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=_changes)
def test_tallies_are_what_counting_says_after_any_changes(app, campaign, changes):
    db.session.execute(delete(Lead))
    db.session.execute(delete(LeadTally))
    leads = table_of(Lead)
    for number, (change, chosen, value) in enumerate(changes):
        one = leads.c.subscriber == chosen
        row = {
            "account_id": 1, "campaign_id": campaign, "bot_id": 1, "subscriber": 100 + number,
            "state": value, "start_time": START + 1800 * value, "updated": 0, "last_start_at": 0,
        }  # fmt: skip
        statement = {
            "add": insert(leads).values(row | {"subscriber": chosen * 1000 + number}),
            "state": update(leads).where(one).values(state=value),
            "time": update(leads).where(one).values(start_time=START - HOUR * value),
            "account": update(leads).where(one).values(account_id=value),
            "other column": update(leads).values(username=str(value)),
            "delete": delete(leads).where(leads.c.state == value),
            "move all": update(leads).values(account_id=7, start_time=leads.c.start_time + HOUR),
        }[change]
        db.session.execute(statement)
    assert told(LeadTally, COUNTED[0][3]) == counted(Lead, COUNTED[0][3], "start_time")
    db.session.commit()


@pytest.fixture
def campaign(world):
    return world.campaign()


def test_each_long_list_is_counted_by_what_it_is_filtered_by(app, world, campaign):
    destination = world.destination()
    lead = world.lead(campaign)
    world.entry(1, -5, action=2)
    postback = world.postback(destination, created=START + HOUR - 0.25)
    assert_counted()
    for model, number, change in (
        (Lead, lead, {"state": 4}), (JournalEntry, None, {"action": 3, "time": START - 1}),
        (Postback, postback, {"state": 2, "created": START + HOUR}),
    ):  # fmt: skip
        where = [] if number is None else [table_of(model).c.id == number]
        db.session.execute(update(table_of(model)).where(*where).values(**change))
        assert_counted()
    for model, *_ in COUNTED:
        db.session.execute(delete(table_of(model)))
    assert_counted()
    assert told(LeadTally, COUNTED[0][3]) == {}


def test_a_change_that_no_list_is_filtered_by_is_not_counted(app, world, campaign):
    world.lead(campaign)
    before = db.session.scalar(select(func.count()).select_from(LeadTally))
    db.session.execute(update(table_of(Lead)).values(username="renamed", reports=5))
    assert db.session.scalar(select(func.count()).select_from(LeadTally)) == before
