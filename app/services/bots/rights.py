"""Stores the rights of bots in chats as Telegram reports them. Nothing here commits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, select, update

from app.extensions import db
from app.models import Bot, BotChat, BotStatus, Campaign
from app.services.accounts import notifications

if TYPE_CHECKING:
    from app.domain.telegram.updates import RightsChanged

#: Title of a chat in which the bot never was an administrator.
NEVER_ADMIN: Final = ""


def rights_changed(bot_id: int, change: RightsChanged) -> None:
    """Store the bot's rights in a chat; the newest by Telegram's date count. No commit.

    A chat in which the bot never was an administrator keeps no title: anyone
    may add a bot to a group, and that is no reason to warn its owner.
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
            changed=change.date,
        )
        db.session.add(row)
    else:
        newer = change.date >= row.changed
        if newer and row.is_admin and not change.is_admin:
            notifications.rights_lost(bot_id, row.title, time.time())
        if change.is_admin or (newer and row.title != NEVER_ADMIN):
            row.title = title
        if newer:
            row.type, row.is_admin, row.changed = change.type[:16], change.is_admin, change.date
    refresh_status(bot_id)


def chat_moved(bot_id: int, old: int, new: int) -> None:
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
    refresh_status(bot_id)


def refresh_status(bot_id: int) -> None:
    """Set the bot to WARNING while its token is refused or rights are lost. No commit."""
    lost = exists().where(BotChat.bot_id == bot_id, ~BotChat.is_admin, BotChat.title != NEVER_ADMIN)
    bot = db.session.get(Bot, bot_id)
    if bot is None or not bot.living:
        return
    db.session.flush()
    warn = bool(bot.paused) or db.session.scalar(select(lost))
    bot.status = BotStatus.WARNING if warn else BotStatus.ACTIVE


def _chat(bot_id: int, chat_id: int) -> BotChat | None:
    return db.session.scalar(
        select(BotChat)
        .where(BotChat.bot_id == bot_id, BotChat.chat_id == chat_id)
        .with_for_update()
    )
