"""Settle: what Telegram's answer means for a message, and writing the results in bulk."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Table, case, delete, update

from app.database.rows import insert_rows, update_rows
from app.domain.backoff import next_try
from app.domain.telegram.api_errors import Meaning
from app.domain.welcome import GREETING
from app.models import Campaign, MediaFile, MessageState, Unreachable
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Answer
from app.services.messages.claim import BOTS, MESSAGES, NO_ANSWER, ClaimedMessage

CAMPAIGNS: Final[Table] = Campaign.metadata.tables["campaign"]
UNREACHABLE: Final[Table] = Unreachable.metadata.tables["unreachable"]
FILES: Final[Table] = MediaFile.metadata.tables["media_file"]
MAX_FILE_ID: Final = 256
_LINKS: Final = frozenset(("text_link", "text_mention"))
#: Words of a refusal that is about the person: any other message would be refused as well.
_OF_A_PERSON: Final = ("not found", "peer_id_invalid", "user_id_invalid", "deactivated")
#: Words of a refusal that is about the photo or the video.
_OF_MEDIA: Final = ("photo", "video", "image", "file", "media")
#: Until a message without an answer is sent once more; a chat takes one message a second.
REPEAT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class MessageResult:
    """What becomes of one message, and of its bot, person and campaign.

    `quiet_until` is the end of the bot's flood wait. `fault` is what Telegram
    could not parse or show, for the campaign's owner. `file_id` is a new one to
    remember; `file_gone` forgets the one that was used; `without_media` sends
    the text alone from now on. `tries`, `parse_mode`, `text`, `entities` and
    `markup` replace those of the message unless they are None.
    """

    message: ClaimedMessage
    state: MessageState
    reason: str = ""
    due: float = 0.0
    tries: int | None = None
    parse_mode: str | None = None
    text: str | None = None
    entities: str | None = None
    markup: str | None = None
    quiet_until: float = 0.0
    bot_dead: bool = False
    fault: str = ""
    file_id: str = ""
    file_gone: bool = False
    without_media: bool = False

    @property
    def is_final(self) -> bool:
        """Whether the message has come to its end."""
        return self.state is not MessageState.WAITING


def judge(message: ClaimedMessage, answer: Answer, *, now: float, chance: float) -> MessageResult:
    """Decide by Telegram's answer. `chance` in [0, 1) sets the jitter of waits."""
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
    """The file_id of the sent photo in its largest size, or of the sent video; or empty."""
    message = result if isinstance(result, dict) else {}
    sizes = message.get("photo")
    file = sizes[-1] if isinstance(sizes, list) and sizes else message.get("video")
    file_id = file.get("file_id") if isinstance(file, dict) else None
    return file_id if isinstance(file_id, str) and len(file_id) <= MAX_FILE_ID else ""


def _refused(
    message: ClaimedMessage, refusal: TelegramRefused, now: float, chance: float
) -> MessageResult:
    reason = refusal.description
    failed = MessageResult(message, MessageState.FAILED, f"{refusal.code}: {reason}"[:300])
    match refusal.meaning:
        case Meaning.FLOOD:
            wait = (refusal.retry_after or 1) * (1 + 0.05 * chance) + chance
            return replace(uncharged(message, now), quiet_until=now + wait)
        case Meaning.BOT_DEAD:
            return replace(uncharged(message, now), bot_dead=True)
        case Meaning.UNREACHABLE if message.is_urgent:
            # In groups it is refused within the five minutes too (python-telegram-bot, issue 4930).
            return failed
        case Meaning.UNREACHABLE:
            return MessageResult(message, MessageState.UNREACHABLE, reason)
        case _:
            fault = reason if refusal.meaning is Meaning.EMPTY else ""
            return _with_less(message, refusal, now) or replace(failed, fault=fault)


def uncharged(message: ClaimedMessage, due: float) -> MessageResult:
    """Send again as it is at `due` (Unix seconds), and count no try.

    The reason stays: it tells whether an answer got lost before.
    """
    return MessageResult(message, MessageState.WAITING, message.reason, due, message.tries - 1)


def _with_less(
    message: ClaimedMessage, refusal: TelegramRefused, now: float
) -> MessageResult | None:
    """Send again at once without the part that Telegram refuses; None if there is no such part."""
    again = MessageResult(message, MessageState.WAITING, "", now, fault=refusal.description)
    match refusal.meaning:
        case Meaning.UNPARSABLE if message.parse_mode:
            return replace(again, parse_mode="")
        case Meaning.UNPARSABLE if message.entities:
            return replace(again, entities=_fewer_entities(message.entities))
        case Meaning.BAD_BUTTON if message.markup:
            return replace(again, markup="")
        case Meaning.EMPTY if message.text != GREETING:
            return replace(again, text=GREETING, entities="", without_media=True)
        case _:
            if refusal.meaning is Meaning.FILE_GONE and message.file_id:
                return replace(uncharged(message, now), file_gone=True)
            return _without_a_part(message, refusal, again)


def _without_a_part(
    message: ClaimedMessage, refusal: TelegramRefused, again: MessageResult
) -> MessageResult | None:
    """Leave out the media if it is refused; else, when nobody knows why, one part after the other.

    Not where the words are about the person: to them nothing at all can be sent.
    """
    words = refusal.description.lower()
    alone = replace(again, without_media=True, text=None if message.text.strip() else GREETING)
    if message.media and any(word in words for word in _OF_MEDIA):
        return alone
    if refusal.meaning is not Meaning.REFUSED or any(part in words for part in _OF_A_PERSON):
        return None
    if message.media:
        return alone
    if message.entities or message.parse_mode:
        return replace(again, entities="", parse_mode="")
    return replace(again, markup="") if message.markup else None


def _fewer_entities(entities: str) -> str:
    """Leave out the links, whose URLs are what Telegram refuses; without links leave out all."""
    parsed = json.loads(entities)
    allowed = [entity for entity in parsed if entity["type"] not in _LINKS]
    return json.dumps(allowed) if allowed and len(allowed) < len(parsed) else ""


def _not_sent(message: ClaimedMessage, reason: str, now: float, chance: float) -> MessageResult:
    due = next_try(message.tries, now, message.created, hint=None, chance=chance)
    if due is None:
        return MessageResult(message, MessageState.FAILED, reason)
    return MessageResult(message, MessageState.WAITING, message.reason, due)


def settle(connection: Connection, results: Sequence[MessageResult], *, now: float) -> None:
    """Write results. A worker that lost the lease of a message no longer changes it."""
    by_lease: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for result in results:
        by_lease[result.message.lease].append(_row(result, now))
    names = ["state", "reason", "due", "tries", "parse_mode", "media", "sent"]
    names += ["lease", "lease_until"]
    _replace_content(connection, results)
    for lease, rows in by_lease.items():
        update_rows(connection, MESSAGES, names, rows, lease=lease)
    _mark_unreachable(connection, results, now)
    _extend_flood_waits(connection, results)
    _save_file_ids(connection, results)
    _save_welcome_faults(connection, results)


def _replace_content(connection: Connection, results: Iterable[MessageResult]) -> None:
    """Write the few messages that go out again with less than they had."""
    by_lease: defaultdict[str, list[tuple[object, ...]]] = defaultdict(list)
    for result in results:
        message = result.message
        if (result.text, result.entities, result.markup) != (None, None, None):
            text = message.text if result.text is None else result.text
            entities = message.entities if result.entities is None else result.entities
            markup = message.markup if result.markup is None else result.markup
            by_lease[message.lease].append((message.id, text, entities, markup))
    for lease, rows in by_lease.items():
        update_rows(connection, MESSAGES, ["text", "entities", "markup"], rows, lease=lease)


def _row(result: MessageResult, now: float) -> tuple[object, ...]:
    message = result.message
    return (
        message.id,
        int(result.state),
        result.reason[:300],
        result.due or now,
        message.tries if result.tries is None else result.tries,
        message.parse_mode if result.parse_mode is None else result.parse_mode,
        None if result.without_media else message.media,
        now if result.state is MessageState.SENT else None,
        None,
        None,
    )


def _mark_unreachable(connection: Connection, results: Iterable[MessageResult], now: float) -> None:
    rows = [
        (result.message.bot_id, result.message.chat_id, int(now), result.reason[:200])
        for result in results
        if result.state is MessageState.UNREACHABLE
    ]
    names = ["bot_id", "subscriber", "since", "reason"]
    insert_rows(connection, UNREACHABLE, names, rows, ignore_conflicts=True)


def _save_file_ids(connection: Connection, results: Iterable[MessageResult]) -> None:
    file = FILES.c
    for message in [result.message for result in results if result.file_gone]:
        connection.execute(
            delete(FILES).where(
                file.bot_id == message.bot_id,
                file.media == message.media,
                file.file_id == message.file_id,
            )
        )
    rows = [
        (result.message.bot_id, result.message.media, result.file_id)
        for result in results
        if result.file_id
    ]
    names = ["bot_id", "media", "file_id"]
    insert_rows(connection, FILES, names, rows, ignore_conflicts=True)


def _extend_flood_waits(connection: Connection, results: Iterable[MessageResult]) -> None:
    """Telegram does not say which chats a flood wait covers, so the whole bot waits."""
    until: dict[int, float] = {}
    for result in results:
        bot = result.message.bot_id
        if result.quiet_until:
            until[bot] = max(until.get(bot, 0.0), result.quiet_until)
    for bot, moment in sorted(until.items()):
        later = case((BOTS.c.quiet_until > moment, BOTS.c.quiet_until), else_=moment)
        connection.execute(update(BOTS).where(BOTS.c.id == bot).values(quiet_until=later))


def _save_welcome_faults(connection: Connection, results: Iterable[MessageResult]) -> None:
    faults = {result.message.campaign_id: result.fault[:300] for result in results if result.fault}
    update_rows(connection, CAMPAIGNS, ["welcome_fault"], sorted(faults.items()))
