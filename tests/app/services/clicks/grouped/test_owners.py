"""A click belongs to whoever has its source when it is stored."""

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Source, table_of
from app.services.clicks import sources
from app.services.clicks.grouped.owners import current_owners


def test_a_transfer_waits_for_clicks_that_are_being_stored(live_app, world, other):
    source = sources.add(world.account_id, campaign=world.campaign(), title="Reels").id
    db.session.commit()
    with db.engine.begin() as visitor:
        assert current_owners(visitor, [source]) == {source: world.account_id}
        if not is_postgresql(visitor):
            return  # where a writer waits for every other
        with db.engine.connect() as transfer:
            transfer.execute(text("SET LOCAL lock_timeout = 50"))
            with pytest.raises(OperationalError):
                transfer.execute(update(table_of(Source)).values(account_id=other.id))
