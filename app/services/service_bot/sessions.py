"""The sessions of the dashboard, which logins by Telegram and API keys open."""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, func, select, update

from app.crypto import hash_secret, new_secret
from app.domain.storable_text import sanitize
from app.errors import BadKey, TooManyRequests
from app.extensions import db
from app.models import Account, Login, Session
from app.services.accounts import accounts, keys, notifications
from app.services.accounts.accounts import Caller
from app.services.accounts.rate_limits import Limit
from app.web.shares.addresses import network_of

PREFIX: Final = "sess_"
SESSION_SECONDS: Final = 14 * 86_400.0
#: A link that opened nothing stays stored for a day, so that it does not open again.
KEPT_SECONDS: Final = 86_400.0
#: When a session was last used is known as exactly as this.
USED_STEP: Final = 300.0
#: Open sessions of an account that its key has opened; one more ends the oldest of them.
MOST_BY_KEY: Final = 50
#: The account that a session opens, for the parameters `token`, hashed, and `now`.
_OPENED: Final = (
    select(Account, Session.id, Session.login_id, Session.used)
    .join(Session, Session.account_id == Account.id)
    .where(Session.token_hash == bindparam("token"), Session.expires > bindparam("now"))
)
#: By address.
KEY_LOGINS: Final = Limit("key-login", per_minute=10, burst=10)
#: Sessions by the key of which the owner is told: by account and network, and by account. So what
#: logs in all day hides nobody who does so from elsewhere, and a flood from anywhere stays short.
TOLD_OF_NETWORK: Final = Limit("key-login-told", per_minute=0.1, burst=1)
TOLD: Final = Limit("key-logins-told", per_minute=0.1, burst=5)


class OpenedBy(StrEnum):
    """By what a session is opened."""

    TELEGRAM = "telegram"  # the service bot, a Mini App, OpenID Connect
    KEY = "key"
    LINK = "link"  # an entry link of the operator's


class Opening(NamedTuple):
    """Who opens a session: the browser, its address, and when the page was opened there."""

    opened_by: OpenedBy
    agent: str
    address: str
    shown: float


def begin(
    account_id: int, login_id: int | None, opening: Opening, now: float, *, is_told: bool = True
) -> str:
    """Store a session, note that its owner is to be told, and return its token. No commit.

    Every session is opened here. `login_id` is the login that opens it, or that made the key.
    """
    by_key = opening.opened_by is OpenedBy.KEY
    token, agent = PREFIX + new_secret(32), sanitize(opening.agent, 300)
    session = Session(
        token_hash=hash_secret(token),
        account_id=account_id,
        login_id=login_id,
        created=now,
        expires=now + SESSION_SECONDS,
        agent=agent,
        by_key=by_key,
    )
    db.session.add(session)
    if is_told:
        about = opening._asdict() | {"agent": agent, "address": opening.address[:45]}
        if by_key:  # undoing the login that made the key would take back more than this session
            about["count"] = _open_by_key(account_id)
        notifications.session_opened(account_id, None if by_key else login_id, about, now)
    return token


def open_by_key(key: str, *, address: str, agent: str) -> str:
    """Open a session with an API key, and return its token. Commits.

    `address` and `agent` are of the browser. Raises TooManyRequests by address, BadKey or
    Banned. The session ends when the key is replaced.
    """
    network = network_of(address)
    KEY_LOGINS.hit(network)
    key = key.strip()
    caller = accounts.authenticate(key, must_be_paid=False)
    is_told = _may_be_told(caller.id, network)
    account = accounts.lock(caller.id)
    if not accounts.is_key_of(account, key):  # it was replaced a moment ago
        raise BadKey
    keys.require_not_undone(caller.login_id)
    _make_room(caller.id)
    now = time.time()
    opening = Opening(OpenedBy.KEY, agent, address, now)
    token = begin(caller.id, caller.login_id, opening, now, is_told=is_told)
    db.session.commit()
    return token


def _may_be_told(account_id: int, network: str) -> bool:
    """Whether the owner hears of one more session by the key, from this network."""
    try:
        TOLD_OF_NETWORK.hit(f"{account_id} {network}")
        TOLD.hit(str(account_id))
    except TooManyRequests:
        return False
    return True


def _open_by_key(account_id: int) -> int:
    """Count the open sessions that the key has opened."""
    mine = select(func.count()).where(Session.account_id == account_id, Session.by_key)
    return db.session.scalar(mine) or 0


def _make_room(account_id: int) -> None:
    """End the oldest sessions that the key has opened, so that one more is not too many."""
    newest = (
        select(Session.id)
        .where(Session.account_id == account_id, Session.by_key)
        .order_by(Session.id.desc())
        .offset(MOST_BY_KEY - 1)
    )
    db.session.execute(delete(Session).where(Session.id.in_(db.session.scalars(newest).all())))


def listed(account_id: int) -> Sequence[Session]:
    """Return the open sessions of an account, the newest first."""
    mine = select(Session).where(Session.account_id == account_id, Session.expires > time.time())
    return db.session.scalars(mine.order_by(Session.id.desc())).all()


def end_token(token: str) -> None:
    """End the session that `token` opens, if there is one. Commits."""
    db.session.execute(delete(Session).where(Session.token_hash == hash_secret(token)))
    db.session.commit()


def authenticate(token: str, *, must_be_paid: bool = True) -> Caller:
    """Return the account whose session `token` opens, and end the transaction.

    Raises BadKey, Banned, or Unpaid: a session has no days of grace.
    """
    now = time.time()
    row = db.session.execute(_OPENED, {"token": hash_secret(token), "now": now}).first()
    if row is None:
        raise BadKey
    account, session_id, login_id, used = row
    if used is None or used < now - USED_STEP:
        db.session.execute(update(Session).where(Session.id == session_id).values(used=now))
    return accounts.authorize(
        account, must_be_paid=must_be_paid, session_id=session_id, login_id=login_id
    )


def end(account_id: int, session_id: int, *, everywhere: bool = False) -> None:
    """End one session, or with `everywhere` all of the account as `end_all`. Commits."""
    if everywhere:
        accounts.lock(account_id)  # no key opens a session meanwhile
        end_all(account_id)
    else:
        mine = delete(Session).where(Session.account_id == account_id)
        db.session.execute(mine.where(Session.id == session_id))
    db.session.commit()


def end_others(account_id: int, session_id: int) -> None:
    """End all sessions of an account but the one that asks, as `end_all`. Commits.

    Raises BadKey if that one has ended meanwhile.
    """
    accounts.lock(account_id)  # no key opens a session meanwhile
    mine = select(Session.id).where(Session.account_id == account_id, Session.id == session_id)
    if db.session.scalar(mine) is None:
        raise BadKey
    end_all(account_id, but=session_id)
    db.session.commit()


def end_all(account_id: int, *, but: int | None = None) -> None:
    """End every session of an account but one, and every login that is not redeemed. No commit."""
    now = time.time()
    # First: it waits for whoever redeems one at this moment, and then their session is seen.
    db.session.execute(
        update(Login).where(Login.account_id == account_id, Login.used.is_(None)).values(used=now)
    )
    db.session.execute(
        delete(Session).where(Session.account_id == account_id, Session.id != (but or 0))
    )


def rotate_key(caller: Caller, *, end_sessions: bool = False) -> str:
    """Replace the API key of the caller's account and return the new one. Commits.

    With `end_sessions` also end the account's sessions, but not the one that calls.
    Raises BadKey.
    """
    if end_sessions:
        accounts.lock(caller.id)
        end_all(caller.id, but=caller.session_id)
    return keys.rotate(caller.id, login_id=caller.login_id, session_id=caller.session_id)


def forget(now: float) -> None:
    """Delete expired logins and sessions, and keys that cannot be restored. Commits.

    Logins that were redeemed are kept for their undo; `purge` deletes them.
    """
    db.session.execute(
        delete(Login).where(Login.expires < now - KEPT_SECONDS, Login.used.is_(None))
    )
    db.session.execute(delete(Session).where(Session.expires < now))
    keys.forget(now)
    db.session.commit()
