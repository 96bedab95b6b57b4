"""A nonce opens one login only."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Login


def test_a_nonce_that_was_opened_is_not_opened_again(app, account):
    db.session.add(Login(nonce_hash="h" * 64, account_id=account.id, expires=2.0))
    db.session.flush()
    db.session.add(Login(nonce_hash="h" * 64, account_id=account.id, expires=3.0))
    with pytest.raises(IntegrityError):
        db.session.flush()
