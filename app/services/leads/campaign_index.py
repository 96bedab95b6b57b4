"""Campaigns by what a lead event names: a start by its code, membership by the chat."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, select, text

from app.database.direct import among, fetch
from app.database.rows import is_postgresql
from app.domain.telegram.updates import LeadEvent
from app.models import Bot, Campaign, table_of
from app.models.account import IS_SUSPENDED_SQL

_CAMPAIGNS: Final = table_of(Campaign)
_BOTS: Final = table_of(Bot)

#: Whether anybody ever asked to join: most chats are open, and need no look at requests. In the
#: order of an index each, so that no plan reads a table that has grown since it was made.
_HAS_REQUESTS: Final = """
    coalesce(
        (SELECT 1 FROM join_request r WHERE r.chat_id = campaign.chat_id
         ORDER BY r.subscriber LIMIT 1),
        (SELECT 1 FROM join_request r WHERE r.campaign_id = campaign.id
         ORDER BY r.state, r.id LIMIT 1),
        0)
"""


@cache
def _campaigns_of_bots(postgresql: bool) -> Any:
    """Select each bot, also one without campaigns: first whether its account is suspended."""
    return (
        select(
            text(f"{IS_SUSPENDED_SQL.format(owner='bot.account_id')} AS suspended"),
            text(f"{_HAS_REQUESTS} AS has_requests"),
            _BOTS.c.id.label("owner_bot"),
            _BOTS.c.tg_id.label("bot_tg_id"),
            _CAMPAIGNS,
        )
        .select_from(_BOTS)
        .outerjoin(_CAMPAIGNS, and_(_CAMPAIGNS.c.bot_id == _BOTS.c.id, Campaign.living, Bot.living))
        .where(among(postgresql, _BOTS.c.id, "bots"))
    )


class CampaignIndex:
    """The living campaigns of some bots, but none of a suspended account.

    Rows also have the bot's Telegram id as `bot_tg_id`, and `has_requests`: whether anybody
    ever asked to join the chat or the campaign. `suspended_bots` are the ids of the bots whose
    account is suspended.
    """

    def __init__(self, connection: Connection, bots: Iterable[int], now: float) -> None:
        """Read the campaigns of `bots` by one statement; `now` is in Unix seconds."""
        self._by_code: dict[tuple[int, str], Row[Any]] = {}
        self._by_chat: dict[tuple[int, int], Row[Any]] = {}
        self.suspended_bots: set[int] = set()
        statement = _campaigns_of_bots(is_postgresql(connection))
        for row in fetch(connection, statement, {"bots": list(bots), "now": now}):
            if row.suspended:
                self.suspended_bots.add(row.owner_bot)
            elif row.id is not None:
                self._by_code[row.bot_id, row.code] = row
                self._by_chat[row.bot_id, row.chat_id] = row

    def find(self, bot_id: int, event: LeadEvent) -> Row[Any] | None:
        """The campaign of this bot that `event` belongs to, or None."""
        if event.chat is None:
            return self._by_code.get((bot_id, event.code))
        return self._by_chat.get((bot_id, event.chat))
