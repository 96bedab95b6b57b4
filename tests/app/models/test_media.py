"""What an account uploads twice is stored once."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Media


def test_an_account_stores_the_same_bytes_once_and_others_store_their_own(
    app, account, make_account
):
    def add(account_id: int, code: str) -> None:
        fields = {"type": "image/png", "size": 1, "digest": "d" * 64, "created": 1}
        db.session.add(Media(account_id=account_id, code=code, **fields))
        db.session.flush()

    add(account.id, "img_1")
    add(make_account().id, "img_2")
    with pytest.raises(IntegrityError):
        add(account.id, "img_3")
