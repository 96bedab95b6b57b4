"""Claim: take due messages, fair over bots, as fast as Telegram lets a bot write.

About 30 messages a second for a bot and one a second for a chat
(core.telegram.org/bots/faq, "My bot is hitting limits"). One process at a
time may claim, so both are counted exactly over all processes.
"""

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, Table, bindparam, text

from app.config import current_settings
from app.crypto import CannotDecrypt
from app.database.advisory_locks import AdvisoryLock, lock_queue
from app.database.rows import loose_index_scan, update_rows
from app.extensions import cipher
from app.models import Bot, BotStatus, Message, MessageLane, MessageState
from app.models.account import IS_SUSPENDED_SQL
from app.services import lease_reclaims

log = structlog.get_logger()

MESSAGES: Final[Table] = Message.metadata.tables["message"]
BOTS: Final[Table] = Bot.metadata.tables["bot"]
#: The reason of a message without an answer; the second time it becomes UNCERTAIN.
NO_ANSWER: Final = "no answer came; it may have arrived"

#: The reason of a message that came too late to be sent.
EXPIRED: Final = "the five minutes are over"

STEP: Final = 1 / 25  # seconds between two messages of a bot
BURST: Final = 5  # at once after a pause: never more than 30 within any second
CHAT_SECONDS: Final = 1.0
_MAX_BOTS: Final = 64  # in one claim
_ROWS_PER_SLOT: Final = 4  # rows read for each message that may be taken

# States are written into the text: a partial index is used only where the planner sees the value.
_WAITING: Final = f"state = {MessageState.WAITING:d}"
_SENDING: Final = f"state = {MessageState.SENDING:d}"

_BOTS_WITH_DUE: Final = f"""
    WITH RECURSIVE {loose_index_scan("message", "bot_id", _WAITING)}
    SELECT b.id, b.account_id, b.token, b.next_send FROM next JOIN bot b ON b.id = next.id
    WHERE b.status <> {BotStatus.DELETED:d} AND b.paused = '' AND b.quiet_until <= :now
    AND (b.tg_id = :service_bot OR NOT {IS_SUSPENDED_SQL.format(owner="b.account_id")})
    AND EXISTS (
        SELECT 1 FROM message m WHERE m.{_WAITING} AND m.bot_id = b.id AND m.due <= :now
    )
"""  # noqa: S608 - of our own constants
_SELECT_BOTS: Final = text(f"{_BOTS_WITH_DUE} ORDER BY b.next_send LIMIT :limit")
#: SQL that finds what can be claimed, with the parameters `due_at`: bots, and expired leases.
DUE: Final = (
    _BOTS_WITH_DUE,
    f"SELECT id FROM message WHERE {_SENDING} AND lease_until < :now",  # noqa: S608
)
# Urgent ones have an index of their own, so a backlog of others costs them nothing.
_HEAD: Final = (
    f"SELECT * FROM message WHERE {_WAITING} AND bot_id = :bot AND due <= :now AND {{lane}}"  # noqa: S608
    " ORDER BY due, id LIMIT :limit"
)
_SELECT_HEAD: Final = text(f"""
    SELECT id, m.bot_id, chat_id, campaign_id, text, m.media, f.file_id, parse_mode, entities,
        markup, tries, reason, created, lane, expires
    FROM (
        SELECT * FROM ({_HEAD.format(lane=f"lane = {MessageLane.URGENT:d}")}) urgent
        UNION ALL
        SELECT * FROM ({_HEAD.format(lane=f"lane <> {MessageLane.URGENT:d}")}) others
    ) m LEFT JOIN media_file f ON f.bot_id = m.bot_id AND f.media = m.media
    ORDER BY lane, due, id
""")  # noqa: S608
_SELECT_BUSY_CHATS: Final = text(f"""
    SELECT DISTINCT chat_id FROM message
    WHERE bot_id = :bot AND chat_id IN :chats AND ({_SENDING} OR sent > :since)
""").bindparams(bindparam("chats", expanding=True))  # noqa: S608
_SELECT_UNREACHABLE: Final = text(
    "SELECT subscriber FROM unreachable WHERE bot_id = :bot AND subscriber IN :chats"
).bindparams(bindparam("chats", expanding=True))

# The worker that held it is gone, and nobody knows whether it was sent.
_RECLAIM: Final = text(f"""
    UPDATE message SET
        state = CASE WHEN reason = :no_answer THEN {MessageState.UNCERTAIN:d}
            ELSE {MessageState.WAITING:d} END,
        reason = :no_answer, due = :now, lease = NULL, lease_until = NULL
    WHERE {_SENDING} AND lease_until < :now
""")  # noqa: S608


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """One message leased by a worker, with all that sending needs."""

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
    entities: str = ""
    lane: int = MessageLane.NORMAL
    expires: float | None = None
    account_id: int = 0  # whose bot it is

    @property
    def is_urgent(self) -> bool:
        """Whether it greets somebody who asks to join: no refusal of it tells of a block."""
        return self.lane == MessageLane.URGENT


@dataclass(slots=True)
class ClaimResult:
    """What one claim took. `more` says that other messages are due but over a rate limit."""

    messages: list[ClaimedMessage] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True)
class QueueHead:
    """The first due messages of a bot: to take now, to skip for good, too late, or to put off."""

    take: list[Row[Any]] = field(default_factory=list)
    skip: list[int] = field(default_factory=list)
    expired: list[int] = field(default_factory=list)
    later: list[tuple[int, float]] = field(default_factory=list)


def claim(connection: Connection, *, now: float, lease_seconds: float, most: int) -> ClaimResult:
    """Lease at most `most` messages for `lease_seconds`. The caller commits."""
    lock_queue(connection, AdvisoryLock.CLAIM_MESSAGES)
    reclaimed = connection.execute(_RECLAIM, {"now": now, "no_answer": NO_ANSWER}).rowcount
    lease_reclaims.record(lease_reclaims.MESSAGES, reclaimed)
    lease, result = secrets.token_hex(16), ClaimResult()
    next_sends: list[tuple[int, float]] = []
    for bot in connection.execute(_SELECT_BOTS, due_at(now) | {"limit": _MAX_BOTS}).all():
        room = min(allowance(bot.next_send, now), most - len(result.messages))
        if room <= 0:
            result.more = True
            continue
        token = _decrypted(bot.id, bot.token)
        if token is None:
            continue
        head = _sort_head(connection, bot.id, now, room)
        next_sends.append((bot.id, max(bot.next_send, now) + STEP * len(head.take)))
        _write(connection, head, lease, now + lease_seconds)
        result.messages += [_claimed(row, bot.account_id, lease, token) for row in head.take]
        result.skipped += [*head.skip, *head.expired]
        result.more = result.more or bool(head.take or head.skip or head.expired or head.later)
    update_rows(connection, BOTS, ["next_send"], next_sends)
    return result


def due_at(now: float) -> dict[str, float]:
    """The parameters of `DUE`. The service bot sends even for a suspended account."""
    return {"now": now, "service_bot": current_settings().service_bot_id}


def allowance(next_send: float, now: float) -> int:
    """How many messages a bot may send at `now`; its next one is planned for `next_send`."""
    ahead = max(next_send, now) - now
    return max(0, BURST - int(ahead / STEP + 0.999))


def _sort_head(connection: Connection, bot: int, now: float, room: int) -> QueueHead:
    params = {"bot": bot, "now": now, "limit": room * _ROWS_PER_SLOT}
    rows = connection.execute(_SELECT_HEAD, params).all()
    chats = sorted({row.chat_id for row in rows})
    of_chats = {"bot": bot, "chats": chats, "since": now - CHAT_SECONDS}
    ahead = dict.fromkeys(connection.scalars(_SELECT_BUSY_CHATS, of_chats), 1) if chats else {}
    unreachable = set(connection.scalars(_SELECT_UNREACHABLE, of_chats)) if chats else set()
    head = QueueHead()
    for row in rows:
        place = ahead.get(row.chat_id, 0)  # how many messages to this chat go first
        if row.expires is not None and row.expires <= now:
            head.expired.append(row.id)
        elif row.chat_id in unreachable and row.lane != MessageLane.URGENT:
            head.skip.append(row.id)
        elif place:
            head.later.append((row.id, now + CHAT_SECONDS * place))
        elif len(head.take) < room:
            head.take.append(row)
        else:
            continue
        ahead[row.chat_id] = place + 1
    return head


def _write(connection: Connection, head: QueueHead, lease: str, until: float) -> None:
    names = ["state", "lease", "lease_until", "tries"]
    sending = int(MessageState.SENDING)
    taken = [(row.id, sending, lease, until, row.tries + 1) for row in head.take]
    update_rows(connection, MESSAGES, names, taken)
    update_rows(connection, MESSAGES, ["due"], head.later)
    skipped = [(id_, int(MessageState.UNREACHABLE), "may not be written to") for id_ in head.skip]
    expired = [(id_, int(MessageState.FAILED), EXPIRED) for id_ in head.expired]
    update_rows(connection, MESSAGES, ["state", "reason"], [*skipped, *expired])


def _claimed(row: Row[Any], account_id: int, lease: str, token: str) -> ClaimedMessage:
    values = row._asdict() | {"tries": row.tries + 1}
    return ClaimedMessage(**values, account_id=account_id, lease=lease, token=token)


def _decrypted(bot: int, encrypted: str) -> str | None:
    """The token, or None if it cannot be read: other bots must not wait for this one."""
    try:
        return cipher.decrypt(encrypted)
    except CannotDecrypt as error:
        log.warning("message.token_unreadable", bot=bot, reason=str(error))
        return None
