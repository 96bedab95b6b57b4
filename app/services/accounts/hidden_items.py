"""What an account does not want to see for a week among what needs its attention."""

from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import HiddenItem

HIDDEN_SECONDS: Final = 7 * 86_400.0


def hidden(account_id: int, now: float) -> frozenset[str]:
    """Return what is hidden at `now`, Unix seconds."""
    mine = select(HiddenItem.item).where(HiddenItem.account_id == account_id)
    return frozenset(db.session.scalars(mine.where(HiddenItem.until > now)))


def hide(account_id: int, item: str, now: float) -> None:
    """Hide an item for a week from `now` on, and forget those whose week is over. Commits."""
    mine = delete(HiddenItem).where(HiddenItem.account_id == account_id)
    db.session.execute(mine.where((HiddenItem.until <= now) | (HiddenItem.item == item)))
    db.session.add(HiddenItem(account_id=account_id, item=item, until=now + HIDDEN_SECONDS))
    try:
        db.session.commit()
    except IntegrityError:  # another page was a moment faster
        db.session.rollback()


def show_all(account_id: int) -> None:
    """Hide nothing any more. Commits."""
    db.session.execute(delete(HiddenItem).where(HiddenItem.account_id == account_id))
    db.session.commit()
