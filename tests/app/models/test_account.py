"""The key of a connected tracker is encrypted, and loaded only when it is asked for."""

from __future__ import annotations

from sqlalchemy import inspect, text

from app.extensions import db
from app.models import Account


def test_the_key_of_a_tracker_is_encrypted_at_rest_and_loaded_on_request(app, account):
    db.session.get_one(Account, account.id).tracker_key = "tracker-key"
    db.session.commit()
    (stored,) = db.session.scalars(
        text("SELECT tracker_key FROM account WHERE id = :id"), {"id": account.id}
    )
    assert "tracker-key" not in stored
    row = db.session.get_one(Account, account.id, populate_existing=True)
    assert "tracker_key" in inspect(row).unloaded
    assert row.tracker_key == "tracker-key"
