"""The journal of a chat: every join and leave, organic ones included."""

from __future__ import annotations

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, JournalEntry
from app.services.paging import Page, fetch


def listed(
    account_id: int,
    *,
    bot: int,
    chat: int,
    action: int | None = None,
    since: int | None = None,
    until: int | None = None,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> Page[JournalEntry]:
    """Entries newest first, of a bot the account has or had. Raises NotFound."""
    owned = select(Bot.id).where(Bot.id == bot, Bot.account_id == account_id)
    if db.session.scalar(owned) is None:
        raise NotFound
    conditions = [
        JournalEntry.account_id == account_id,
        JournalEntry.bot_id == bot,
        JournalEntry.chat_id == chat,
    ]
    if action is not None:
        conditions.append(JournalEntry.action == action)
    if since is not None:
        conditions.append(JournalEntry.time >= since)
    if until is not None:
        conditions.append(JournalEntry.time <= until)
    matching = select(JournalEntry).where(*conditions)
    return fetch(matching, JournalEntry.id, limit=limit, offset=offset, before=before)
