"""Logins by Telegram, and the sessions of the dashboard that they open.

A client makes a nonce and shows `t.me/<service bot>?start=login-<nonce>`. When a
person opens that link, `grant` stores who it was. The client polls with the
nonce until `redeem` returns a session token, once. A nonce that nobody has
opened, one that has expired and one that is used get the same answer.
"""

from __future__ import annotations

import re
import time
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.crypto import hash_secret, new_secret
from app.errors import BadKey
from app.extensions import db
from app.models import Account, Login, Session
from app.services.accounts import accounts
from app.services.accounts.accounts import Caller
from app.services.accounts.rate_limits import Limit

#: `login-<nonce>` must fit the 64 characters that Telegram carries.
NONCE: Final = r"[A-Za-z0-9_-]{16,58}"
PREFIX: Final = "sess_"
LOGIN_SECONDS: Final = 600.0
SESSION_SECONDS: Final = 14 * 86_400.0
#: A used link stays stored for a day, so that it does not open again.
KEPT_SECONDS: Final = 86_400.0

#: By address. A dashboard polls every second or two; an office shares one address.
POLLS: Final = Limit("auth-poll", per_minute=120, burst=120)


def grant(nonce: str, account_id: int, now: float) -> int | None:
    """Store that the person behind `account_id` has opened the link. No commit.

    Returns the id of the login; None for a link that was opened before, or for
    a nonce of a wrong form.
    """
    if not re.fullmatch(NONCE, nonce, re.ASCII):
        return None
    login = Login(nonce_hash=hash_secret(nonce), account_id=account_id, expires=now + LOGIN_SECONDS)
    try:
        with db.session.begin_nested():
            db.session.add(login)
    except IntegrityError:
        return None
    return login.id


def poll(nonce: str, address: str) -> str | None:
    """Return the session token once the link was opened. Raises TooManyRequests by `address`."""
    POLLS.hit(address)
    return redeem(nonce, time.time())


def redeem(nonce: str, now: float) -> str | None:
    """Exchange an opened nonce for a session token. Only the first caller gets one. Commits."""
    opened = db.session.execute(
        update(Login)
        .where(Login.nonce_hash == hash_secret(nonce), Login.used.is_(None), Login.expires > now)
        .values(used=now)
        .returning(Login.id, Login.account_id)
    ).first()
    if opened is None:
        db.session.rollback()
        return None
    token = PREFIX + new_secret(32)
    session = Session(
        token_hash=hash_secret(token),
        account_id=opened.account_id,
        login_id=opened.id,
        created=now,
        expires=now + SESSION_SECONDS,
    )
    db.session.add(session)
    db.session.commit()
    return token


def authenticate(token: str, *, must_be_paid: bool = True) -> Caller:
    """Return the account whose session `token` opens, and end the transaction.

    Raises BadKey, Banned, or Unpaid: a session has no days of grace.
    """
    row = db.session.execute(
        select(Account, Session.id)
        .join(Session, Session.account_id == Account.id)
        .where(Session.token_hash == hash_secret(token), Session.expires > time.time())
    ).first()
    if row is None:
        raise BadKey
    account, session_id = row
    return accounts.authorize(account, must_be_paid=must_be_paid, session_id=session_id)


def end(account_id: int, session_id: int, *, everywhere: bool = False) -> None:
    """End one session, or with `everywhere` all of the account. Commits."""
    mine = delete(Session).where(Session.account_id == account_id)
    db.session.execute(mine if everywhere else mine.where(Session.id == session_id))
    db.session.commit()


def end_all(account_id: int) -> None:
    """End every session of an account, and every login that is not redeemed yet. No commit."""
    now = time.time()
    db.session.execute(delete(Session).where(Session.account_id == account_id))
    db.session.execute(
        update(Login).where(Login.account_id == account_id, Login.used.is_(None)).values(used=now)
    )


def take_back(login_id: int, account_id: int, now: float) -> bool:
    """Undo a login, redeemed or not. Returns False if another account owns it. No commit."""
    mine = (Login.id == login_id, Login.account_id == account_id)
    if db.session.scalar(select(Login.id).where(*mine)) is None:
        return False
    db.session.execute(update(Login).where(*mine).values(used=now))
    db.session.execute(
        delete(Session).where(Session.login_id == login_id, Session.account_id == account_id)
    )
    return True


def forget(now: float) -> None:
    """Delete expired logins and sessions. Commits."""
    db.session.execute(delete(Login).where(Login.expires < now - KEPT_SECONDS))
    db.session.execute(delete(Session).where(Session.expires < now))
    db.session.commit()
