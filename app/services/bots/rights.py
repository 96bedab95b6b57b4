"""Stores the rights of bots in chats as Telegram reports them. Nothing here commits."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Row, and_, exists, select, update

from app.domain.telegram.updates import RightsChanged
from app.extensions import db
from app.models import Bot, BotChat, BotFaultKind, Campaign
from app.services.bots import faults

#: Title of a chat in which the bot never was an administrator.
NEVER_ADMIN: Final = ""
#: So far our clock and Telegram's may differ.
SKEW_SECONDS: Final = 60.0
_ABOUT_RIGHTS: Final = frozenset({BotFaultKind.RIGHTS, BotFaultKind.INVITE})


def rights_changed(bot_id: int, change: RightsChanged, now: float) -> None:
    """Store the bot's rights in a chat; the newest by Telegram's date count. No commit.

    The owner is told of rights that are lost where a campaign tracks the chat: anyone may add
    a bot to a group. A chat in which the bot never was an administrator keeps no title.
    """
    row = _chat(bot_id, change.chat)
    title = (change.title or str(change.chat))[:255]
    if row is None:
        row = BotChat(
            bot_id=bot_id,
            chat_id=change.chat,
            title=title if change.is_admin else NEVER_ADMIN,
            type=change.type[:16],
            is_admin=change.is_admin,
            can_invite=change.can_invite,
            changed=change.date,
            username=change.username,
            named=now,
        )
        db.session.add(row)
    else:
        newer = change.date >= row.changed
        if change.is_admin or (newer and row.title != NEVER_ADMIN):
            row.title = title
        if newer:
            row.type, row.changed = change.type[:16], change.date
            row.is_admin, row.can_invite = change.is_admin, change.can_invite
            row.username, row.named = change.username, now
    db.session.flush()
    review(bot_id, now, change.chat)


def checked(bot_id: int, chat_id: int, rights: tuple[bool, bool], now: float) -> None:
    """Store what getChatMember found: whether the bot is an administrator, and may invite.

    A change that Telegram reported within the last SKEW_SECONDS counts more: it may
    have happened after the answer. No commit.
    """
    is_admin, can_invite = rights
    row = _chat(bot_id, chat_id)
    if row is None:
        title = select(Campaign.chat_title).where(
            Campaign.bot_id == bot_id, Campaign.chat_id == chat_id, Campaign.living
        )
        row = BotChat(
            bot_id=bot_id,
            chat_id=chat_id,
            title=db.session.scalar(title) or NEVER_ADMIN,
            type="",
            changed=0,
        )
        db.session.add(row)
    row.checked = now
    if row.changed < now - SKEW_SECONDS:
        row.is_admin, row.can_invite = is_admin, can_invite
        row.changed = max(row.changed, int(now - SKEW_SECONDS))


def named(bot_id: int, chat_id: int, username: str | None, now: float) -> None:
    """Store the username of a chat, None if it could not be learned. No commit."""
    row = _chat(bot_id, chat_id)
    if row is not None:
        row.named = now
        row.username = row.username if username is None else username


def may_not_invite(bot_id: int, chat_id: int, *, is_admin: bool, now: float) -> None:
    """Store that Telegram refused the bot an invite link, and tell the owner. No commit.

    The rights are known again by the next change that Telegram reports, or the next check.
    """
    row = _chat(bot_id, chat_id)
    if row is None:
        checked(bot_id, chat_id, (is_admin, False), now)
    else:
        row.is_admin, row.can_invite = row.is_admin and is_admin, False
    db.session.flush()
    review(bot_id, now, chat_id)


def has_unknown(bot_id: int) -> bool:
    """Tell whether the bot's rights are unknown in a chat that it tracks."""
    row_of_chat = exists().where(BotChat.bot_id == bot_id, BotChat.chat_id == Campaign.chat_id)
    unknown = select(Campaign.id).where(Campaign.bot_id == bot_id, Campaign.living, ~row_of_chat)
    return db.session.scalar(unknown.limit(1)) is not None


def chat_moved(bot_id: int, old: int, new: int, now: float) -> None:
    """Move the rights and the campaign of a group to the supergroup it has become.

    Telegram reports it twice, in either order; the second time does nothing.
    No commit.
    """
    before, after = _chat(bot_id, old), _chat(bot_id, new)
    if before and after:
        db.session.delete(before)
    elif before:
        before.chat_id, before.type = new, "supergroup"
    taken = select(Campaign.id).where(Campaign.chat_id == new, Campaign.living)
    if db.session.scalar(taken) is None:
        db.session.execute(
            update(Campaign)
            .where(Campaign.bot_id == bot_id, Campaign.chat_id == old)
            .values(chat_id=new)
        )
    db.session.flush()
    for chat in (old, new):
        review(bot_id, now, chat)


def review(bot_id: int, now: float, chat_id: int | None = None) -> None:
    """Record which rights the bot lacks in the chats that it tracks, and which it has again.

    With `chat_id` only there. A chat whose rights are unknown is left out. No commit.
    """
    tracked = _tracked(bot_id, chat_id)
    lacking = {
        (kind, row.chat_id): row.chat_title
        for row in tracked
        if (kind := _missing(row)) is not None
    }
    admins = {row.chat_id for row in tracked if row.is_admin}
    recorded = {
        (BotFaultKind(fault.kind), fault.chat_id)
        for fault in faults.of_bots([bot_id])
        if fault.kind in _ABOUT_RIGHTS and chat_id in (None, fault.chat_id)
    }
    for kind, chat in sorted(recorded - lacking.keys()):
        faults.end(bot_id, kind, now, chat_id=chat, tell=chat in admins)
    for kind, chat in sorted(lacking.keys() - recorded):
        faults.begin(bot_id, kind, now, chat_id=chat, title=lacking[kind, chat])


def _tracked(bot_id: int, chat_id: int | None) -> Sequence[Row[int, str, bool, bool]]:
    row_of_chat = and_(BotChat.bot_id == Campaign.bot_id, BotChat.chat_id == Campaign.chat_id)
    tracked = (
        select(Campaign.chat_id, Campaign.chat_title, BotChat.is_admin, BotChat.can_invite)
        .join(BotChat, row_of_chat)
        .join(Bot, Bot.id == Campaign.bot_id)
        .where(Campaign.bot_id == bot_id, Campaign.living, Bot.living)
    )
    if chat_id is not None:
        tracked = tracked.where(Campaign.chat_id == chat_id)
    return db.session.execute(tracked).all()


def _missing(row: Row[int, str, bool, bool]) -> BotFaultKind | None:
    if not row.is_admin:
        return BotFaultKind.RIGHTS
    return None if row.can_invite else BotFaultKind.INVITE


def _chat(bot_id: int, chat_id: int) -> BotChat | None:
    return db.session.scalar(
        select(BotChat)
        .where(BotChat.bot_id == bot_id, BotChat.chat_id == chat_id)
        .with_for_update()
    )
