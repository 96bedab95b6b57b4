"""Which people a bot may write to. Nothing here commits."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, exists, select

from app.database.rows import insert_rows, rows_table, write_rows
from app.domain.telegram.updates import BotBlockedChanged
from app.extensions import db
from app.models import Action, Campaign, JournalEntry, Lead, Unreachable, table_of
from app.models.base import Big
from app.models.journal import ENTRY_COLUMNS

_UNREACHABLE: Final = table_of(Unreachable)


def mark_reachable(connection: Connection, people: Sequence[tuple[int, int]]) -> None:
    """Note that the bot may write again to `people`, pairs of bot id and person."""
    if people:
        write_rows(connection, _deletion, ("bot", "person"), people)


@cache
def _deletion(postgresql: bool) -> Any:
    rows = rows_table(postgresql, {"bot": Big, "person": Big})
    row = _UNREACHABLE.c
    match = and_(row.bot_id == rows.c.bot, row.subscriber == rows.c.person)
    return delete(_UNREACHABLE).where(exists(select(1).select_from(rows).where(match)))


def mark_unreachable(bot_id: int, person: int, since: int, reason: str) -> None:
    """Note that the bot may not write to this person since `since` (Unix seconds)."""
    insert_rows(
        db.session.connection(),
        _UNREACHABLE,
        ["bot_id", "subscriber", "since", "reason"],
        [(bot_id, person, since, reason[:200])],
        ignore_conflicts=True,
    )


def record_block_change(bot_id: int, change: BotBlockedChanged) -> None:
    """Note that a person blocked or unblocked the bot, also in the journal of their leads."""
    person = change.person
    if change.reachable:
        mark_reachable(db.session.connection(), [(bot_id, person.id)])
    else:
        mark_unreachable(bot_id, person.id, change.date, "blocked the bot")
    action = Action.BOT_RESUMED if change.reachable else Action.BOT_STOPPED
    decision = "the bot was unblocked" if change.reachable else "the bot was blocked"
    leads = db.session.execute(
        select(Lead.account_id, Campaign.chat_id, Lead.campaign_id, Lead.id)
        .join(Campaign, Campaign.id == Lead.campaign_id)
        .where(Lead.bot_id == bot_id, Lead.subscriber == person.id)
    ).all()
    rows = [
        (
            *(lead.account_id, bot_id, lead.chat_id, lead.campaign_id, lead.id),
            *(person.id, person.username, int(action), change.date, change.update_id, decision),
        )
        for lead in leads
    ]
    insert_rows(db.session.connection(), table_of(JournalEntry), ENTRY_COLUMNS, rows)
