"""Checks that the ids a filter names belong to the account."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, Campaign, Destination, Lead, Source

_OWNED: Final[dict[str, Any]] = {
    "bot": Bot,
    "campaign": Campaign,
    "dest": Destination,
    "lead": Lead,
    "source": Source,
}


def check_owned(account_id: int, **ids: int | None) -> None:
    """Check the ids by name: `bot`, `campaign`, `dest`, `lead` and `source`; None is skipped.

    A deleted row still belongs to its account. Raises NotFound if one of them
    belongs to another account or does not exist.
    """
    for name, number in ids.items():
        if number is None:
            continue
        model = _OWNED[name]
        owned = select(model.id).where(model.id == number, model.account_id == account_id)
        if db.session.scalar(owned) is None:
            raise NotFound
