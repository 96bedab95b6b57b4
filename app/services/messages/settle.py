"""Settle: what an answer means for a message, and writing it down in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, case, delete, update

from app.database import insert_rows, update_rows
from app.domain.backoff import next_try
from app.domain.telegram.api_errors import Meaning
from app.models import Campaign, MediaFile, MessageState, Unreachable
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Answer
from app.services.messages.claim import BOTS, MESSAGES, NO_ANSWER, ClaimedMessage

CAMPAIGNS: Final[Table] = Campaign.metadata.tables["campaign"]
UNREACHABLE: Final[Table] = Unreachable.metadata.tables["unreachable"]
FILES: Final[Table] = MediaFile.metadata.tables["media_file"]
LONGEST_FILE_ID: Final = 256
#: A repetition waits as long as the chat must be left in peace anyway.
REPEAT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What becomes of one message, and of its bot, person and campaign.

    `quiet_until` is the end of a flood wait of the bot; `fault` is what
    Telegram could not parse or show. `file_id` is new, `file_gone` an old one
    that Telegram does not take any more; `without_media` gives the media up.
    """

    message: ClaimedMessage
    state: MessageState
    reason: str = ""
    due: float = 0.0
    tries: int | None = None
    parse_mode: str | None = None
    quiet_until: float = 0.0
    bot_dead: bool = False
    fault: str = ""
    file_id: str = ""
    file_gone: bool = False
    without_media: bool = False

    @property
    def is_final(self) -> bool:
        """Whether this message is done with."""
        return self.state is not MessageState.WAITING


def judge(message: ClaimedMessage, answer: Answer, *, now: float, chance: float) -> MessageResult:
    """Decide by Telegram's answer. `chance` in [0, 1) is for jitter."""
    try:
        result = telegram.read(answer, message.token)
    except TelegramRefused as refusal:
        return _refused(message, refusal, now, chance)
    except TelegramUnreachable as failure:
        if not failure.sent:
            return _not_sent(message, str(failure), now, chance)
        if message.reason == NO_ANSWER:
            return MessageResult(message, MessageState.UNCERTAIN, NO_ANSWER)
        return MessageResult(message, MessageState.WAITING, NO_ANSWER, due=now + REPEAT_SECONDS)
    file_id = _file_id(result) if message.media and not message.file_id else ""
    return MessageResult(message, MessageState.SENT, file_id=file_id)


def _file_id(result: Any) -> str:
    """Of what was sent: the largest size of a photo, or the video."""
    found = result if isinstance(result, dict) else {}
    sizes = found.get("photo")
    file = sizes[-1] if isinstance(sizes, list) and sizes else found.get("video")
    file_id = file.get("file_id") if isinstance(file, dict) else None
    return file_id if isinstance(file_id, str) and len(file_id) <= LONGEST_FILE_ID else ""


def _refused(
    message: ClaimedMessage, refusal: TelegramRefused, now: float, chance: float
) -> MessageResult:
    said, uncharged = refusal.description, message.tries - 1
    match refusal.meaning:
        case Meaning.FLOOD:
            wait = (refusal.retry_after or 1) * (1 + 0.05 * chance) + chance
            back = message.reason  # that an earlier answer got lost stays known
            return MessageResult(
                message, MessageState.WAITING, back, now, uncharged, quiet_until=now + wait
            )
        case Meaning.BOT_DEAD:
            return MessageResult(
                message, MessageState.WAITING, message.reason, now, uncharged, bot_dead=True
            )
        case Meaning.UNREACHABLE:
            return MessageResult(message, MessageState.UNREACHABLE, said)
        case Meaning.UNPARSABLE if message.parse_mode:
            return MessageResult(message, MessageState.WAITING, "", now, parse_mode="", fault=said)
        case _:
            return _refused_media(message, refusal, now) or MessageResult(
                message, MessageState.FAILED, f"{refusal.code}: {said}"[:300]
            )


def _refused_media(
    message: ClaimedMessage, refusal: TelegramRefused, now: float
) -> MessageResult | None:
    """An old file_id is renewed; media that Telegram will not show is left out."""
    if refusal.meaning is Meaning.FILE_GONE and message.file_id:
        uncharged = message.tries - 1
        return MessageResult(
            message, MessageState.WAITING, message.reason, now, uncharged, file_gone=True
        )
    said = refusal.description
    about = any(word in said.lower() for word in ("photo", "video", "image", "file", "media"))
    if message.media and message.text.strip() and about:
        return MessageResult(message, MessageState.WAITING, "", now, fault=said, without_media=True)
    return None


def _not_sent(message: ClaimedMessage, reason: str, now: float, chance: float) -> MessageResult:
    due = next_try(message.tries, now, message.created, hint=None, chance=chance)
    if due is None:
        return MessageResult(message, MessageState.FAILED, reason)
    return MessageResult(message, MessageState.WAITING, message.reason, due)


def settle(connection: Connection, endings: Sequence[MessageResult], *, now: float) -> None:
    """Write endings down. Whoever lost the lease no longer moves the message."""
    by_lease: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for ending in endings:
        by_lease[ending.message.lease].append(_row(ending, now))
    names = ["state", "reason", "due", "tries", "parse_mode", "media", "sent"]
    names += ["lease", "lease_until"]
    for lease, rows in by_lease.items():
        update_rows(connection, MESSAGES, names, rows, lease=lease)
    _close_persons(connection, endings, now)
    _quieten(connection, endings)
    _learn_files(connection, endings)
    _flag(connection, endings)


def _row(ending: MessageResult, now: float) -> tuple[object, ...]:
    message = ending.message
    return (
        message.id,
        int(ending.state),
        ending.reason[:300],
        ending.due or now,
        message.tries if ending.tries is None else ending.tries,
        message.parse_mode if ending.parse_mode is None else ending.parse_mode,
        None if ending.without_media else message.media,
        now if ending.state is MessageState.SENT else None,
        None,
        None,
    )


def _close_persons(connection: Connection, endings: Iterable[MessageResult], now: float) -> None:
    rows = [
        (ending.message.bot_id, ending.message.chat_id, int(now), ending.reason[:200])
        for ending in endings
        if ending.state is MessageState.UNREACHABLE
    ]
    names = ["bot_id", "subscriber", "since", "reason"]
    insert_rows(connection, UNREACHABLE, names, rows, ignore_conflicts=True)


def _learn_files(connection: Connection, endings: Iterable[MessageResult]) -> None:
    known = FILES.c
    for message in [ending.message for ending in endings if ending.file_gone]:
        connection.execute(
            delete(FILES).where(
                known.bot_id == message.bot_id,
                known.media == message.media,
                known.file_id == message.file_id,
            )
        )
    rows = [
        (ending.message.bot_id, ending.message.media, ending.file_id)
        for ending in endings
        if ending.file_id
    ]
    names = ["bot_id", "media", "file_id"]
    insert_rows(connection, FILES, names, rows, ignore_conflicts=True)


def _quieten(connection: Connection, endings: Iterable[MessageResult]) -> None:
    """The scope of a flood wait is not told, so the whole bot waits."""
    until: dict[int, float] = {}
    for ending in endings:
        bot = ending.message.bot_id
        if ending.quiet_until:
            until[bot] = max(until.get(bot, 0.0), ending.quiet_until)
    for bot, moment in sorted(until.items()):
        later = case((BOTS.c.quiet_until > moment, BOTS.c.quiet_until), else_=moment)
        connection.execute(update(BOTS).where(BOTS.c.id == bot).values(quiet_until=later))


def _flag(connection: Connection, endings: Iterable[MessageResult]) -> None:
    faults = {end.message.campaign_id: end.fault[:300] for end in endings if end.fault}
    update_rows(connection, CAMPAIGNS, ["welcome_fault"], sorted(faults.items()))
