"""Keys for events that logins have replaced: kept, and restored when these logins are undone.

What holds for API keys holds for them (`keys`): whoever took an account over by a login, or by
several in turns, can make as many as they like, and once all of these are undone the owner's key
opens again. Nothing here commits; the callers have locked the account.
"""

from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.sql import ColumnElement

from app.extensions import db
from app.models import EventKey, Login, ReplacedEventKey


def keep(row: EventKey, login_id: int | None, now: float) -> None:
    """Keep the key in force for the undo of a login that is about to replace it.

    Of each login one is enough, so rotating fills no table. None is nobody who logged in: then no
    earlier key is ever restored.
    """
    earlier = ReplacedEventKey.event_key_id == row.id
    if login_id is None:
        db.session.execute(delete(ReplacedEventKey).where(earlier))
        return
    # All of them, for any number of logins may be undone until one of them is restored.
    db.session.execute(update(ReplacedEventKey).where(earlier).values(replaced=now))
    if row.login_id == login_id:
        return
    same = ReplacedEventKey.login_id.is_not_distinct_from(row.login_id)
    db.session.execute(delete(ReplacedEventKey).where(earlier, same))
    db.session.add(
        ReplacedEventKey(
            event_key_id=row.id,
            key_hash=row.key_hash,
            secret=row.secret,
            login_id=row.login_id,
            replaced=now,
        )
    )


def void(account_id: int, login_id: int) -> None:
    """Void the keys that a login has made, and restore the newest of the others where there is one.

    A key that was no other before is deleted.
    """
    own = select(EventKey.id).where(EventKey.account_id == account_id)
    db.session.execute(
        delete(ReplacedEventKey).where(
            ReplacedEventKey.event_key_id.in_(own), ReplacedEventKey.login_id == login_id
        )
    )
    made = select(EventKey).where(EventKey.account_id == account_id, EventKey.login_id == login_id)
    for row in db.session.scalars(made).all():
        earlier = db.session.scalar(
            select(ReplacedEventKey)
            .where(ReplacedEventKey.event_key_id == row.id)
            .order_by(ReplacedEventKey.id.desc())
            .limit(1)
        )
        if earlier is None:
            db.session.delete(row)
            continue
        row.key_hash, row.secret, row.login_id = earlier.key_hash, earlier.secret, earlier.login_id
        db.session.delete(earlier)


def forget() -> None:
    """Delete what nothing can restore any more: the login that would have to be undone is gone."""
    can_be_undone = exists().where(Login.id == EventKey.login_id)
    safe = select(EventKey.id).where(or_(EventKey.login_id.is_(None), ~can_be_undone))
    db.session.execute(delete(ReplacedEventKey).where(ReplacedEventKey.event_key_id.in_(safe)))


def has_deeds(since: float) -> ColumnElement[bool]:
    """SQL: whether a login has made a key since then that is in force, or may be again."""
    restorable = and_(
        ReplacedEventKey.event_key_id == EventKey.id, ReplacedEventKey.replaced > since
    )
    made = EventKey.login_id == Login.id
    return exists().where(
        EventKey.account_id == Login.account_id,
        or_(
            and_(made, EventKey.created > since),
            and_(made, exists().where(restorable)),
            exists().where(restorable, ReplacedEventKey.login_id == Login.id),
        ),
    )
