"""What the database holds sealed: whether our keys open it, and how it is sealed anew.

A key that was lost or mistyped is found by looking at the oldest and the newest row of each
table. While keys rotate, what an old key has sealed stays readable; `reseal` writes it with
the newest, a few rows in a transaction, so that nobody waits for it.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, TableClause, Text, column, func, select, table, update

from app.config import current_settings
from app.database.schema_version import Ask
from app.extensions import cipher, db
from app.models import Bot
from app.models.base import Base, Encrypted

#: Rows of a table that one transaction reads, and writes where they are sealed by an old key.
BATCH: Final = 500
WRONG_KEY: Final = "SECRET_KEY is not the one that this database was written with"
CHANGED_KEY: Final = "SECRET_KEY has changed, and some of the database is sealed by the one before"


class Resealed(NamedTuple):
    """What became of one column: rows that were written anew, and that no key of ours opens."""

    name: str
    written: int
    lost: int


def columns() -> list[Column[Any]]:
    """All columns whose text is sealed."""
    return [
        sealed
        for model in Base.metadata.sorted_tables
        for sealed in model.columns
        if isinstance(sealed.type, Encrypted)
    ]


def key_fault(ask: Ask) -> str:
    """Return what is wrong with the keys, in a few words; "" if they open what they should.

    Columns that may be empty are not looked at: it would take long to find a row that is not.
    """
    opened: set[bool] = set()
    for sealed in columns():
        if sealed.nullable:
            continue
        (key,) = sealed.table.primary_key.columns
        for order in ("ASC", "DESC"):
            rows = ask(
                f"SELECT {sealed.name} FROM {sealed.table.name}"  # noqa: S608 - our own names
                f" ORDER BY {key.name} {order} LIMIT 1"
            )
            opened.update(cipher.decrypt_or_none(text) is not None for text in rows)
    if False not in opened:
        return ""
    return CHANGED_KEY if True in opened else WRONG_KEY


def reseal(report: Callable[[str, int], None]) -> list[Resealed]:
    """Seal with the newest key what an old one has sealed, and have webhooks set anew. Commits.

    `report` is told a column's name and how many rows were looked at, now and then. What
    others change meanwhile stays as they write it. May be stopped and started again.
    """
    results = [_reseal(sealed, report) for sealed in columns()]
    # Telegram still presents secrets of an old key: the clock registers each webhook again.
    db.session.execute(update(Bot).where(Bot.living).values(webhook_url=""))
    db.session.commit()
    return results


def webhooks_to_renew() -> int:
    """How many webhooks the clock has not set yet: an old key is needed until there are none."""
    if not current_settings().public_url:
        return 0
    waiting = select(func.count()).where(Bot.living, Bot.paused == "", Bot.webhook_url == "")
    return db.session.scalar(waiting) or 0


def _reseal(sealed: Column[Any], report: Callable[[str, int], None]) -> Resealed:
    plain, raw, key = _plain(sealed)
    name = f"{sealed.table.name}.{sealed.name}"
    seen = written = lost = 0
    for rows in _batches(raw, key):
        for number, text in rows:
            if cipher.is_current(text):
                continue
            if cipher.decrypt_or_none(text) is None:
                lost += 1
                continue
            anew = cipher.encrypt(cipher.decrypt(text))
            db.session.execute(
                update(plain).where(key == number, raw == text).values({raw.name: anew})
            )
            written += 1
        db.session.commit()
        seen += len(rows)
        report(name, seen)
    return Resealed(name, written, lost)


def _batches(raw: Any, key: Any) -> Iterator[list[tuple[Any, str]]]:
    last = None
    while True:
        query = select(key, raw).where(raw.is_not(None)).order_by(key).limit(BATCH)
        rows = db.session.execute(query if last is None else query.where(key > last)).all()
        if not rows:
            db.session.commit()
            return
        yield [(number, text) for number, text in rows]
        last = rows[-1][0]


def _plain(sealed: Column[Any]) -> tuple[TableClause, Any, Any]:
    """The table with two columns: the text as the database has it, and the key."""
    (key,) = sealed.table.primary_key.columns
    plain = table(sealed.table.name, column(sealed.name, Text()), column(key.name, key.type))
    return plain, plain.c[sealed.name], plain.c[key.name]
