"""Undo: a person says that a login was not theirs, and all that it did is taken back."""

import structlog
from sqlalchemy import delete, select, update

from app.extensions import db
from app.models import Login, Session
from app.services.accounts import accounts, keys
from app.services.campaigns import transfer

log = structlog.get_logger()


def undo(login_id: int, account_id: int, now: float) -> bool:
    """Undo a login, redeemed or not. Returns False if it is not this account's. No commit.

    Its session ends, the keys that were made by it are void, and the key before them works
    again. What it was about to give away stays, and what it gave away comes back.
    """
    account = accounts.lock(account_id)
    mine = (Login.id == login_id, Login.account_id == account_id)
    if db.session.scalar(select(Login.id).where(*mine)) is None:
        return False
    db.session.execute(update(Login).where(*mine).values(used=now, undone=now))
    db.session.execute(
        delete(Session).where(Session.login_id == login_id, Session.account_id == account_id)
    )
    keys.void_keys_of(account, login_id, now)
    transfer.take_back(account_id, login_id, now)
    log.info("login.undone", login=login_id, account=account_id)
    return True
