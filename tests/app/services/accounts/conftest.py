"""What tests of keys and their undo have in common."""

from itertools import count

import pytest

from app.extensions import db
from app.models import Login


@pytest.fixture
def login(account):
    """`login()`: the id of one more login of the account."""
    numbers = count()

    def make() -> int:
        row = Login(nonce_hash=f"{next(numbers)}", account_id=account.id, expires=1.0)
        db.session.add(row)
        db.session.flush()
        return row.id

    return make
