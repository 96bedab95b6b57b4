"""Rows and room of each table, and what came within a day, without counting them."""

import time

import pytest
from sqlalchemy import text

from app.extensions import db
from app.models import Attempt, Base
from app.services import growth


def size(name: str) -> growth.TableSize:
    return next(size for size in growth.sizes() if size.name == name)


def test_every_table_has_its_rows_and_the_largest_stands_first(app, world):
    postback = world.postback(world.destination())
    for _ in range(3):
        world.attempt(postback)
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("ANALYZE attempt"))
        assert {size.name for size in growth.sizes()} == set(Base.metadata.tables)
        room = [size.bytes for size in growth.sizes()]
        assert room == sorted(room, reverse=True)
    assert size("attempt").rows == 3
    assert size("payment").rows == 0
    assert growth.database_bytes() > 0


def test_what_came_within_a_day_is_found_by_the_key(app, world):
    now, postback = time.time(), world.postback(world.destination(), created=1.0)
    made = [world.attempt(postback, started=now - hours * 3600) for hours in (90, 50, 25, 23, 2, 1)]
    came = dict(growth.came_since(now))
    assert (came["attempt"], came["postback"], came["click"]) == (3, 0, 0)
    db.session.delete(db.session.get_one(Attempt, made[4]))
    db.session.commit()
    assert dict(growth.came_since(now))["attempt"] == 3, "about: a gap counts"


@pytest.mark.parametrize("ages", [(), (1,), (99,), (99, 98, 1, 0)])
def test_the_search_ends_wherever_the_day_begins(app, world, ages):
    now, postback = time.time(), world.postback(world.destination())
    for hours in ages:
        world.attempt(postback, started=now - hours * 3600)
    assert dict(growth.came_since(now))["attempt"] == sum(hours < 24 for hours in ages)
