"""A site's public id is nobody else's."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Site


def test_no_two_sites_have_one_public_id(app, account):
    same = {"account_id": account.id, "public_id": "x" * 16, "domains": "[]", "created": 1}
    db.session.add(Site(**same))
    db.session.commit()
    db.session.add(Site(**same))
    with pytest.raises(IntegrityError):
        db.session.commit()
    db.session.rollback()
