"""A transfer token is encrypted, so that its owner may read it again."""

from sqlalchemy import text

from app.crypto import hash_secret
from app.extensions import db
from app.models import TransferToken


def test_a_token_is_encrypted_at_rest_and_readable_by_its_owner(app, account):
    db.session.add(
        TransferToken(account_id=account.id, token="to-me", token_hash=hash_secret("to-me"))
    )
    db.session.commit()
    (stored,) = db.session.scalars(text("SELECT token FROM transfer_token"))
    assert "to-me" not in stored
    row = db.session.get_one(TransferToken, account.id, populate_existing=True)
    assert row.token == "to-me"
