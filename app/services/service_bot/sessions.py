"""Sessions: a person proves in Telegram who they are, and gets a token for it.

A client makes a nonce and shows `t.me/<service bot>?start=login-<nonce>`; the
bot tells us who opened it (`grant`), and the client that knows the nonce asks
until it gets its token (`redeem`), once. A nonce nobody has opened, one that
has run out and one that is used are the same to whoever asks.
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
#: A used link stays known for a day, in which it does not open again.
KEPT_SECONDS: Final = 86_400.0

#: A dashboard asks every second or two; an office of them shares one address.
POLLS: Final = Limit("auth-poll", per_minute=120, burst=120)


def grant(nonce: str, account_id: int, now: float) -> int | None:
    """The person behind `account_id` has opened the link. No commit.

    Returns the login's id; None for a link that was opened before, or that no
    client of ours can have made.
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
    """The token, once the link was opened. Raises TooManyRequests by `address`."""
    POLLS.hit(address)
    return redeem(nonce, time.time())


def redeem(nonce: str, now: float) -> str | None:
    """Turn an opened nonce into a session's token, for whoever is first."""
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
    """The account whose session this is, with its transaction ended.

    Raises BadKey, Banned, or Unpaid: a session has no days of grace.
    """
    found = db.session.execute(
        select(Account, Session.id)
        .join(Session, Session.account_id == Account.id)
        .where(Session.token_hash == hash_secret(token), Session.expires > time.time())
    ).first()
    if found is None:
        raise BadKey
    return accounts.authorize(found[0], must_be_paid=must_be_paid, session_id=found[1])


def end(account_id: int, session_id: int, *, everywhere: bool = False) -> None:
    """End one session, or all of the account's."""
    mine = delete(Session).where(Session.account_id == account_id)
    db.session.execute(mine if everywhere else mine.where(Session.id == session_id))
    db.session.commit()


def end_all(account_id: int) -> None:
    """End every session of an account, and every login on its way to one. No commit."""
    now = time.time()
    db.session.execute(delete(Session).where(Session.account_id == account_id))
    db.session.execute(
        update(Login).where(Login.account_id == account_id, Login.used.is_(None)).values(used=now)
    )


def take_back(login_id: int, account_id: int, now: float) -> bool:
    """Undo a login, redeemed or not. False if it is not that account's. No commit."""
    mine = (Login.id == login_id, Login.account_id == account_id)
    if db.session.scalar(select(Login.id).where(*mine)) is None:
        return False
    db.session.execute(update(Login).where(*mine).values(used=now))
    db.session.execute(
        delete(Session).where(Session.login_id == login_id, Session.account_id == account_id)
    )
    return True


def forget(now: float) -> None:
    """Drop what has run out. Commits."""
    db.session.execute(delete(Login).where(Login.expires < now - KEPT_SECONDS))
    db.session.execute(delete(Session).where(Session.expires < now))
    db.session.commit()
