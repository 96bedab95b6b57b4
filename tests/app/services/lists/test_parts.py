"""A whole list is read in short transactions, and no row of it twice or not at all."""

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Blocked
from app.services.lists import parts


@pytest.fixture
def make_blocked(stage, monkeypatch):
    """`make_blocked(5)`: so many rows of the stage's account, read by twos."""
    monkeypatch.setattr(parts, "PART", 2)

    def make(count: int):
        for person in range(count):
            db.session.add(Blocked(account_id=stage.account, subscriber=person, created=0))
        db.session.commit()
        return select(Blocked).where(Blocked.account_id == stage.account)

    return make


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (2, [2]), (5, [2, 2, 1])])
def test_every_row_comes_once_and_no_part_is_empty(make_blocked, count, sizes):
    read = list(parts.newest_first(make_blocked(count), Blocked.id))
    assert [len(part) for part in read] == sizes
    people = [row.subscriber for part in read for row in part]
    assert people == sorted(range(count), reverse=True)


def test_no_transaction_is_open_while_a_part_is_in_use(make_blocked):
    for part in parts.newest_first(make_blocked(3), Blocked.id):
        assert part
        assert not db.session().in_transaction()


def test_rows_that_appear_meanwhile_are_left_out(make_blocked):
    matching = make_blocked(3)
    reading = parts.newest_first(matching, Blocked.id)
    first = next(reading)
    make_blocked(1)
    rest = [row for part in reading for row in part]
    assert [row.subscriber for row in [*first, *rest]] == [2, 1, 0]
