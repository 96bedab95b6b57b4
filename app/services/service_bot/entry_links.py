"""EntryLink links: an address that opens the dashboard of one account, once.

Only the operator makes them, by the command line, so nobody can prepare one for an account of
their own and have another person work in it. A link is a login that was agreed to beforehand:
it can be undone as one.
"""

import time
from typing import Final, NamedTuple

from sqlalchemy import select, update

from app.crypto import hash_secret, new_secret
from app.domain.storable_text import sanitize
from app.extensions import db
from app.models import Account, Login
from app.services.accounts import accounts
from app.services.service_bot import sessions
from app.services.service_bot.sessions import OpenedBy, Opening

ENTRY_SECONDS: Final = 600.0
#: No nonce of a login page holds a colon, so no page can ever show or redeem an entry link.
_PREFIX: Final = "entry:"


class EntryLink(NamedTuple):
    """Whose dashboard a link opens."""

    account_id: int
    name: str


def make(login: str) -> str:
    """Return the token of a new link for the account with this login. Commits. Raises NotFound."""
    token, now = new_secret(32), time.time()
    account = accounts.by_login(login)
    row = Login(nonce_hash=_hash(token), account_id=account.id, expires=now + ENTRY_SECONDS)
    db.session.add(row)
    db.session.commit()
    return token


def look(token: str) -> EntryLink | None:
    """Return whose dashboard a link opens; None if it is unknown, used or expired."""
    entry = db.session.execute(
        select(Account.id, Account.name)
        .join(Login, Login.account_id == Account.id)
        .where(Login.nonce_hash == _hash(token), Login.used.is_(None))
        .where(Login.expires > time.time())
    ).first()
    db.session.commit()
    return None if entry is None else EntryLink(*entry)


def redeem(token: str, *, address: str, agent: str) -> str | None:
    """Exchange a link for a session token, once; None if it is unknown, used or expired. Commits.

    `address` and `agent` are of the browser that brings it.
    """
    now = time.time()
    login = db.session.execute(
        update(Login)
        .where(Login.nonce_hash == _hash(token), Login.used.is_(None), Login.expires > now)
        .values(used=now, agreed=now, address=address[:45], agent=sanitize(agent, 300))
        .returning(Login.id, Login.account_id)
    ).first()
    if login is None or login.account_id is None:
        db.session.rollback()
        return None
    opening = Opening(OpenedBy.LINK, agent, address, now)
    session = sessions.begin(login.account_id, login.id, opening, now)
    db.session.commit()
    return session


def _hash(token: str) -> str:
    return hash_secret(_PREFIX + token)
