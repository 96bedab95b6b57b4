"""Whose it is: the one question about an id that a filter names."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, Campaign, Destination, Lead

_OWNED: Final[dict[str, Any]] = {
    "bot": Bot,
    "campaign": Campaign,
    "dest": Destination,
    "lead": Lead,
}


def check_owned(account_id: int, **ids: int | None) -> None:
    """Raises NotFound if one of these is not the account's, or is not there at all.

    Deleted ones are still somebody's. None names nothing.
    """
    for name, number in ids.items():
        if number is None:
            continue
        model = _OWNED[name]
        owned = select(model.id).where(model.id == number, model.account_id == account_id)
        if db.session.scalar(owned) is None:
            raise NotFound
