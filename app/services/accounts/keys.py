"""API keys: replaced on request, and restored when the login that replaced them is undone.

A key remembers the login by which it was made: through the login's session, or through
another key that it had made. So whoever took an account over by a login can make as many keys
as they like, and all of them die with that login. So it is with the keys for events.
"""

import time
from typing import Final

from sqlalchemy import delete, select, update

from app.crypto import hash_secret, new_secret
from app.errors import BadKey
from app.extensions import db
from app.models import Account, Login, ReplacedKey, Session
from app.services.accounts import accounts, event_key_history, notifications

#: For how long what a login has done can be undone, from each deed on.
UNDO_SECONDS: Final = 14 * 86_400.0


def rotate(account_id: int, *, login_id: int | None = None, session_id: int | None = None) -> str:
    """Replace the API key and return the new one. The old one stops working at once. Commits.

    So do the sessions that a key has opened, except `session_id`, the one that calls.

    `login_id` is the login by which the caller came; None is the operator, or the owner of a
    key that no login made: then no earlier key is ever restored. Raises BadKey.
    """
    account = accounts.lock(account_id)
    require_not_undone(login_id)
    now, secret = time.time(), new_secret()
    if login_id is None:
        db.session.execute(delete(ReplacedKey).where(ReplacedKey.account_id == account_id))
    else:
        _keep_longer(account_id, now)
        if account.key_login_id != login_id:
            _keep(account, now)
    account.key_hash, account.key_login_id = hash_secret(secret), login_id
    end_sessions_of_keys(account_id, but=session_id)
    notifications.key_replaced(account_id, login_id, now)
    db.session.commit()
    return f"{account_id}-{secret}"


def end_sessions_of_keys(account_id: int, *, but: int | None = None) -> None:
    """End the sessions that API keys of an account have opened, but one. No commit."""
    by_key = delete(Session).where(Session.account_id == account_id, Session.by_key)
    db.session.execute(by_key.where(Session.id != (but or 0)))


def void_keys_of(account: Account, login_id: int, now: float) -> None:
    """Void the keys that a login has made, and restore the newest of the others. No commit.

    The caller has locked the account. With no other key left, a new one has to be made.
    """
    event_key_history.void(account.id, login_id)
    mine = ReplacedKey.account_id == account.id
    db.session.execute(delete(ReplacedKey).where(mine, ReplacedKey.login_id == login_id))
    if account.key_login_id != login_id:
        return
    earlier = db.session.scalar(
        select(ReplacedKey)
        .where(mine, ReplacedKey.replaced > now - UNDO_SECONDS)
        .order_by(ReplacedKey.id.desc())
        .limit(1)
    )
    if earlier is None:
        account.key_hash, account.key_login_id = hash_secret(new_secret()), None
        return
    account.key_hash, account.key_login_id = earlier.key_hash, earlier.login_id
    db.session.delete(earlier)


def require_not_undone(login_id: int | None) -> None:
    """Raise BadKey if the login by which a caller came was undone since the call was let in.

    Only under the account's lock, which whoever undoes a login takes too.
    """
    undone = select(Login.undone).where(Login.id == login_id)
    if login_id is not None and db.session.scalar(undone) is not None:
        raise BadKey


def forget(now: float) -> None:
    """Delete the keys that nothing can restore any more. No commit."""
    db.session.execute(delete(ReplacedKey).where(ReplacedKey.replaced < now - UNDO_SECONDS))
    event_key_history.forget()


def _keep_longer(account_id: int, now: float) -> None:
    """Let the keys that undos can still restore count from now on: a login makes one more.

    All of them, for any number of logins may be undone until one of them is restored.
    """
    db.session.execute(
        update(ReplacedKey)
        .where(ReplacedKey.account_id == account_id, ReplacedKey.replaced > now - UNDO_SECONDS)
        .values(replaced=now)
        .execution_options(synchronize_session=False)
    )


def _keep(account: Account, now: float) -> None:
    """Store the key in force. Of each login one is enough, so rotating fills no table."""
    db.session.execute(
        delete(ReplacedKey).where(
            ReplacedKey.account_id == account.id,
            ReplacedKey.login_id.is_not_distinct_from(account.key_login_id),
        )
    )
    db.session.add(
        ReplacedKey(
            account_id=account.id,
            key_hash=account.key_hash,
            login_id=account.key_login_id,
            replaced=now,
        )
    )
