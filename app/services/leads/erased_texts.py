"""Empties texts that name an erased subscriber and that no index finds, in short steps.

They are searched for without a lock, some hundred rows at a time, and emptied in transactions
of their own: on SQLite a writer keeps all others waiting, Telegram's updates among them. A
repeated erasure does again what an interrupted one has left.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Executable, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.database.connections import ONLY_READS
from app.extensions import db
from app.models import Message, MessageState, Update, UpdateState
from app.services.postbacks import ERASED

#: Rows that one step looks at, and that one transaction empties.
STEP: Final = 500


def empty_updates(bots: Sequence[int], subscriber: int) -> None:
    """Empty the bodies of quarantined updates; no other processed update has one."""
    for ids in _find_updates(bots, str(subscriber).encode()):
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


def _find_updates(bots: Sequence[int], digits: bytes) -> Iterator[list[int]]:
    """Yield the ids of the bots' quarantined updates that hold `digits`, a step at a time.

    Longer numbers hold them too; they only lose their bodies.
    """
    is_match = Update.bot_id.in_(bots) & _contains(digits)
    return _find(Update.id, is_match, Update.state == UpdateState.QUARANTINED)


def _find_messages(account_id: int, subscriber: int) -> Iterator[list[int]]:
    return _find(Message.id, (Message.account_id == account_id) & (Message.chat_id == subscriber))


def _find(
    key: InstrumentedAttribute[int], is_match: ColumnElement[bool], *where: ColumnElement[bool]
) -> Iterator[list[int]]:
    """Yield the ids of those rows for which `is_match` is true, a step at a time."""
    last = 0
    while True:
        step = select(key, is_match).where(key > last, *where).order_by(key).limit(STEP)
        rows = _read(step)
        if ids := [row[0] for row in rows if row[1]]:
            yield ids
        if len(rows) < STEP:
            return
        last = rows[-1][0]


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
