"""The base of every model, and the column types they share.

Times are Unix seconds: whole (`Moment`) where Telegram or a person gives
them, fractional (`Instant`) where we schedule. They sort, subtract and travel
alike on both databases; `schemas` turns them into text.
"""

from typing import Annotated, Any, cast

from sqlalchemy import (
    BigInteger,
    Double,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, mapped_column

from app.crypto import cipher

#: SQLite only autoincrements INTEGER PRIMARY KEY, which is 64-bit there.
Big = BigInteger().with_variant(Integer(), "sqlite")

Key = Annotated[int, mapped_column(Big, primary_key=True)]
Moment = Annotated[int, mapped_column(Big)]
Instant = Annotated[float, mapped_column(Double)]


class Encrypted(TypeDecorator[str]):
    """Text that is encrypted at rest. It cannot be searched, by design."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        """Encrypt on the way in."""
        return None if value is None else cipher.encrypt(value)

    def process_result_value(self, value: str | None, _dialect: Any) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else cipher.decrypt(value)


class Base(DeclarativeBase):
    """Our own base: Flask-SQLAlchemy's does not pass mypy --strict."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which the SQL condition `where` holds, on both databases."""
    condition = text(where)
    return Index(name, *columns, unique=unique, sqlite_where=condition, postgresql_where=condition)


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for statements about many rows."""
    return cast("Table", model.__table__)
