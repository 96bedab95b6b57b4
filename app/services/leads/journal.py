"""The journal of a chat: every lead event in it, organic ones included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from app.models import JournalEntry, JournalTally
from app.services.lists import long_lists
from app.services.lists.long_lists import LongList, RowQuery, fetch, without_none
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page

ENTRIES: Final = LongList(
    JournalEntry, JournalEntry.id, JournalEntry.time, JournalTally,
    (frozenset({"account_id", "bot_id", "chat_id"}),),
)  # fmt: skip


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
    """A page of entries, newest first, of a bot that the account has or had.

    `since` and `until` are Unix seconds and include their ends. Raises NotFound.
    """
    query = _row_query(account_id, bot=bot, chat=chat, action=action, since=since, until=until)
    return fetch(ENTRIES, query, limit=limit, offset=offset, before=before)


def everyone(
    account_id: int,
    *,
    bot: int,
    chat: int,
    action: int | None = None,
    since: int | None = None,
    until: int | None = None,
) -> Iterator[Sequence[JournalEntry]]:
    """All entries of a chat, newest first, by the thousand. Raises NotFound at once."""
    query = _row_query(account_id, bot=bot, chat=chat, action=action, since=since, until=until)
    return long_lists.everyone(ENTRIES, query)


def _row_query(
    account_id: int,
    *,
    bot: int,
    chat: int,
    action: int | None,
    since: int | None,
    until: int | None,
) -> RowQuery:
    check_owned(account_id, bot=bot)
    columns = {"account_id": account_id, "bot_id": bot, "chat_id": chat, "action": action}
    return RowQuery(without_none(columns), since, until)
