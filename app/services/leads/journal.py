"""The journal: every lead event in one chat or in all of them, organic ones included."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from app.models import JournalEntry, JournalTally
from app.services.lists import long_lists
from app.services.lists.long_lists import LongList, RowQuery, fetch, without_none
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page
from app.services.lists.parts import SortKey

ENTRIES: Final = LongList(
    JournalEntry, JournalEntry.id, JournalEntry.time, JournalTally,
    (frozenset({"account_id"}), frozenset({"account_id", "bot_id", "chat_id"})),
)  # fmt: skip


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[JournalEntry]:
    """A page of entries, newest first; see `_row_query` for `filters`. Raises NotFound."""
    query = _row_query(account_id, **filters)
    return fetch(ENTRIES, query, limit=limit, offset=offset, before=before)


def read_all(
    account_id: int, *, after: SortKey | None = None, **filters: Any
) -> Iterator[Sequence[JournalEntry]]:
    """All entries that `listed` would give, newest first, by the thousand. Raises as it does.

    With `after` those behind that place.
    """
    return long_lists.read_all(ENTRIES, _row_query(account_id, **filters), after)


def _row_query(
    account_id: int,
    *,
    bot: int | None = None,
    chat: int | None = None,
    action: int | None = None,
    since: int | None = None,
    until: int | None = None,
) -> RowQuery:
    """One chat of a bot, or all chats of the account.

    `since` and `until` are Unix seconds and include their ends. Raises NotFound for a bot that the
    account never had.
    """
    check_owned(account_id, bot=bot)
    columns = {"account_id": account_id, "bot_id": bot, "chat_id": chat, "action": action}
    return RowQuery(without_none(columns), since, until)
