"""Rows of an account by their ids: one that is looked for, and those that a filter names."""

from typing import Any, Final, TypeVar

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, Campaign, Destination, Lead, Source

Row = TypeVar("Row")
_OWNED: Final[dict[str, Any]] = {
    "bot": Bot,
    "campaign": Campaign,
    "dest": Destination,
    "lead": Lead,
    "source": Source,
}


def find(
    model: type[Row], account_id: int, row_id: int, *conditions: Any, locked: bool = False
) -> Row:
    """Return the row of the account with this id, read anew if it is `locked`. Raises NotFound."""
    columns: Any = model
    matching = select(model).where(
        columns.id == row_id, columns.account_id == account_id, *conditions
    )
    if locked:
        matching = matching.with_for_update().execution_options(populate_existing=True)
    row = db.session.scalar(matching)
    if row is None:
        raise NotFound
    return row


def hold(model: type[Row], account_id: int, row_id: int, *conditions: Any) -> None:
    """Keep a row as it is until the transaction ends, so that something can be added under it.

    Whoever deletes it, or gives it away, comes before or after, and readers do not wait. Raises
    NotFound.
    """
    columns: Any = model
    matching = select(columns.id).where(
        columns.id == row_id, columns.account_id == account_id, *conditions
    )
    if db.session.scalar(matching.with_for_update(read=True)) is None:
        raise NotFound


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
