"""Settings are encrypted, and an account or a campaign has one row for its templates."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Destination, Role


@pytest.fixture
def add(app, account):
    def add(**fields):
        row = Destination(
            account_id=account.id,
            tracker="url_template",
            settings='{"key": "s3cret"}',
            events=1,
            created=1,
            **fields,
        )
        db.session.add(row)
        db.session.flush()
        return row

    return add


def test_settings_are_encrypted_whole(add):
    row = add()
    (stored,) = db.session.scalars(
        text("SELECT settings FROM destination WHERE id = :id"), {"id": row.id}
    )
    assert "key" not in stored
    assert "s3cret" not in stored
    db.session.expire(row)
    assert row.settings == '{"key": "s3cret"}'


def test_templates_of_an_account_or_a_campaign_are_one_row(add, world):
    campaign = world.campaign()
    add(role=Role.TEMPLATE)
    add(role=Role.TEMPLATE, campaign_id=campaign)
    add(role=Role.CONNECTED)
    add(role=Role.CONNECTED)
    for owner in (None, campaign):
        with pytest.raises(IntegrityError), db.session.begin_nested():
            add(role=Role.TEMPLATE, campaign_id=owner)
