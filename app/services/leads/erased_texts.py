"""Empties texts that name an erased subscriber and that no index leads to, in short steps.

They are searched for without a lock, some hundred rows at a time, and emptied in transactions
of their own: on SQLite a writer keeps all others waiting, Telegram's updates among them. A
repeated erasure does again what an interrupted one has left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Executable, func, select, update

from app.database.connections import ONLY_READS
from app.extensions import db
from app.models import Message, MessageState, Update, UpdateState
from app.services.postbacks import ERASED

#: Rows that one step looks at, and that one transaction empties.
STEP: Final = 500


def empty_updates(bots: Sequence[int], subscriber: int) -> None:
    """Empty the bodies of processed updates; the rows stay and recognise repeated updates."""
    for bot_id in bots:
        for ids in _find_updates(bot_id, str(subscriber).encode()):
            _write(update(Update).where(Update.id.in_(ids)).values(body=b"", reason=None))


def empty_messages(account_id: int, subscriber: int) -> None:
    """Empty what bots that now belong to others have told the subscriber for this account.

    What waits is not sent.
    """
    for ids in _find_messages(account_id, subscriber):
        these = update(Message).where(Message.id.in_(ids))
        unsent = these.where(Message.state == MessageState.WAITING)
        _write(
            unsent.values(state=MessageState.FAILED, reason=ERASED), these.values(**EMPTY_MESSAGE)
        )


#: Values of a message that tell of nobody.
EMPTY_MESSAGE: Final[dict[str, Any]] = {"chat_id": 0, "text": "", "entities": "", "markup": ""}


def _find_updates(bot_id: int, digits: bytes) -> Iterator[list[int]]:
    """Yield the ids of a bot's processed updates that hold `digits`, a step at a time.

    Longer numbers hold them too; they only lose their bodies.
    """
    names = (Update.state != UpdateState.WAITING) & _contains(digits)
    mine = Update.bot_id == bot_id
    last = -1
    while True:
        step = select(Update.id, Update.update_id, names).where(mine, Update.update_id > last)
        rows = _read(step.order_by(Update.update_id).limit(STEP))
        yield from _matching(rows)
        if len(rows) < STEP:
            break
        last = rows[-1][1]
    yield from _matching(
        _read(select(Update.id, Update.id, names).where(mine, Update.update_id.is_(None)))
    )


def _find_messages(account_id: int, subscriber: int) -> Iterator[list[int]]:
    last = 0
    names = (Message.account_id == account_id) & (Message.chat_id == subscriber)
    while True:
        step = select(Message.id, Message.id, names).where(Message.id > last)
        rows = _read(step.order_by(Message.id).limit(STEP))
        yield from _matching(rows)
        if len(rows) < STEP:
            return
        last = rows[-1][1]


def _matching(rows: Sequence[Any]) -> Iterator[list[int]]:
    """Yield the ids of those rows whose last column is true, if there are any."""
    ids = [row[0] for row in rows if row[2]]
    for begin in range(0, len(ids), STEP):
        yield ids[begin : begin + STEP]


def _read(query: Executable) -> Sequence[Any]:
    rows = db.session.connection(execution_options={ONLY_READS: True}).execute(query).all()
    db.session.rollback()
    return rows


def _write(*statements: Any) -> None:
    for statement in statements:
        db.session.execute(statement.execution_options(synchronize_session=False))
    db.session.commit()


def _contains(text: bytes) -> ColumnElement[bool]:
    if db.engine.dialect.name == "postgresql":
        return Update.body.op("LIKE", is_comparison=True)(b"%" + text + b"%")
    return func.instr(Update.body, text) > 0
