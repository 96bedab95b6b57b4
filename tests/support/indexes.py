"""Which rows a partial index holds."""

from typing import Any

from sqlalchemy import select, text

from app.extensions import db
from app.models import table_of


def indexed(model: Any, name: str) -> set[int]:
    """The ids of the rows that the partial index `name` of `model` holds on this database."""
    (index,) = (index for index in table_of(model).indexes if index.name == name)
    where = str(index.dialect_options[db.engine.dialect.name]["where"])
    return set(db.session.scalars(select(model.id).where(text(where))))
