"""A part of a file is there once, and never without its file."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Export, ExportPart


@pytest.fixture
def number(app, account):
    row = Export(account_id=account.id, kind=0, query="", filters="{}", zone="UTC", created=1.0)
    db.session.add(row)
    db.session.flush()
    return row.id


def test_each_part_is_stored_once(number):
    db.session.add(ExportPart(export_id=number, number=0, data=b"a"))
    db.session.flush()
    db.session.expunge_all()
    db.session.add(ExportPart(export_id=number, number=0, data=b"b"))
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_no_part_is_stored_for_a_file_that_is_gone(number):
    db.session.add(ExportPart(export_id=number + 1, number=0, data=b"a"))
    with pytest.raises(IntegrityError):
        db.session.flush()
