"""Claim: take due messages, fair over bots, as fast as Telegram lets a bot talk.

About 30 messages a second for a bot and one a second for a chat
(core.telegram.org/bots/faq, "My bot is hitting limits"). One process at a
time may claim, so both are counted exactly over all processes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, Table, bindparam, text

from app.crypto import CannotDecrypt
from app.database import lock, update_rows
from app.extensions import cipher, db
from app.models import Bot, Message, MessageState

log = structlog.get_logger()

MESSAGES: Final[Table] = Message.metadata.tables["message"]
BOTS: Final[Table] = Bot.metadata.tables["bot"]
#: Written to a message whose answer never came; the second time ends it.
NO_ANSWER: Final = "no answer came; it may have arrived"

STEP: Final = 1 / 25  # seconds between a bot's messages
BURST: Final = 5  # at once after a silence: never more than 30 within any second
CHAT_SECONDS: Final = 1.0
_LOCK: Final = 0x676102
_ROUND: Final = 64  # bots one claim looks at
_LOOK: Final = 4  # rows looked at for each that may be taken

# A loose index scan: it jumps from one bot with waiting rows to the next.
_TALKING = """
    WITH RECURSIVE next (id) AS (
        SELECT min(bot_id) FROM message WHERE state = 0
        UNION ALL
        SELECT (SELECT min(bot_id) FROM message WHERE state = 0 AND bot_id > next.id)
        FROM next WHERE next.id IS NOT NULL
    )
    SELECT b.id, b.token, b.next_send FROM next JOIN bot b ON b.id = next.id
    WHERE b.status <> 3 AND b.paused = '' AND b.quiet_until <= :now
    AND EXISTS (SELECT 1 FROM message m WHERE m.state = 0 AND m.bot_id = b.id AND m.due <= :now)
"""
_BOTS = text(f"{_TALKING} ORDER BY b.next_send LIMIT :many")
_DUE = text(f"{_TALKING} LIMIT 1")
_EXPIRED = text("SELECT id FROM message WHERE state = 1 AND lease_until < :now LIMIT 1")

_HEAD = text("""
    SELECT id, m.bot_id, chat_id, campaign_id, text, m.media, f.file_id, parse_mode, markup,
        tries, reason, created
    FROM message m LEFT JOIN media_file f ON f.bot_id = m.bot_id AND f.media = m.media
    WHERE state = 0 AND m.bot_id = :bot AND due <= :now ORDER BY due, id LIMIT :many
""")
_SPOKEN = text("""
    SELECT DISTINCT chat_id FROM message
    WHERE bot_id = :bot AND chat_id IN :chats AND (state = 1 OR sent > :since)
""").bindparams(bindparam("chats", expanding=True))
_CLOSED = text(
    "SELECT subscriber FROM unreachable WHERE bot_id = :bot AND subscriber IN :chats"
).bindparams(bindparam("chats", expanding=True))

# Whoever held it is gone, and whether it was sent nobody knows.
_RECLAIM = text("""
    UPDATE message SET state = CASE WHEN reason = :no_answer THEN 5 ELSE 0 END,
        reason = :no_answer, due = :now, lease = NULL, lease_until = NULL
    WHERE state = 1 AND lease_until < :now
""")


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """One message in the hand of a worker, with what sending needs."""

    id: int
    lease: str
    bot_id: int
    token: str = field(repr=False)
    chat_id: int
    campaign_id: int
    text: str
    media: str | None
    file_id: str | None  # as this bot knows the media; None until it is uploaded
    parse_mode: str
    markup: str
    tries: int  # this one included
    reason: str
    created: float


@dataclass(slots=True)
class ClaimResult:
    """What one claim brought. `more`: others are due and must wait for their pace."""

    messages: list[ClaimedMessage] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True)
class QueueHead:
    """The head of one bot's queue, sorted by what may happen to each now."""

    take: list[Row[Any]] = field(default_factory=list)
    skip: list[int] = field(default_factory=list)
    later: list[tuple[int, float]] = field(default_factory=list)


def claim(connection: Connection, *, now: float, lease_seconds: float, most: int) -> ClaimResult:
    """Lease at most `most` messages of several bots. The caller commits."""
    lock(connection, _LOCK)
    connection.execute(_RECLAIM, {"now": now, "no_answer": NO_ANSWER})
    lease, catch = secrets.token_hex(16), ClaimResult()
    paced: list[tuple[int, float]] = []
    for bot in connection.execute(_BOTS, {"now": now, "many": _ROUND}).all():
        room = min(allowance(bot.next_send, now), most - len(catch.messages))
        if room <= 0:
            catch.more = True
            continue
        token = _decrypted(bot.id, bot.token)
        if token is None:
            continue
        head = _sort(connection, bot.id, now, room)
        paced.append((bot.id, max(bot.next_send, now) + STEP * len(head.take)))
        _write(connection, head, lease, now + lease_seconds)
        catch.messages += [_claimed(row, lease, token) for row in head.take]
        catch.skipped += head.skip
        catch.more = catch.more or bool(head.take or head.skip or head.later)
    update_rows(connection, BOTS, ["next_send"], paced)
    return catch


def due(now: float) -> bool:
    """Whether a message could be sent at `now`, or was left behind by its sender."""
    terms = {"now": now}
    return any(db.session.execute(query, terms).first() for query in (_DUE, _EXPIRED))


def allowance(next_send: float, now: float) -> int:
    """How many messages a bot may send at once, if its next is due at `next_send`."""
    ahead = max(next_send, now) - now
    return max(0, BURST - int(ahead / STEP + 0.999))


def _sort(connection: Connection, bot: int, now: float, room: int) -> QueueHead:
    rows = connection.execute(_HEAD, {"bot": bot, "now": now, "many": room * _LOOK}).all()
    chats = sorted({row.chat_id for row in rows})
    terms = {"bot": bot, "chats": chats, "since": now - CHAT_SECONDS}
    busy = dict.fromkeys(connection.scalars(_SPOKEN, terms), 1) if chats else {}
    closed = set(connection.scalars(_CLOSED, terms)) if chats else set()
    head = QueueHead()
    for row in rows:
        turn = busy.get(row.chat_id, 0)
        if row.chat_id in closed:
            head.skip.append(row.id)
        elif turn:
            head.later.append((row.id, now + CHAT_SECONDS * turn))
        elif len(head.take) < room:
            head.take.append(row)
        else:
            continue
        busy[row.chat_id] = turn + 1
    return head


def _write(connection: Connection, head: QueueHead, lease: str, until: float) -> None:
    names = ["state", "lease", "lease_until", "tries"]
    sending = int(MessageState.SENDING)
    taken = [(row.id, sending, lease, until, row.tries + 1) for row in head.take]
    update_rows(connection, MESSAGES, names, taken)
    update_rows(connection, MESSAGES, ["due"], head.later)
    closed = [(id_, int(MessageState.UNREACHABLE), "may not be written to") for id_ in head.skip]
    update_rows(connection, MESSAGES, ["state", "reason"], closed)


def _claimed(row: Row[Any], lease: str, token: str) -> ClaimedMessage:
    return ClaimedMessage(**row._asdict() | {"tries": row.tries + 1}, lease=lease, token=token)


def _decrypted(bot: int, encrypted: str) -> str | None:
    """One bot's token that cannot be read must not silence the others."""
    try:
        return cipher.decrypt(encrypted)
    except CannotDecrypt as error:
        log.warning("message.token_unreadable", bot=bot, reason=str(error))
        return None
