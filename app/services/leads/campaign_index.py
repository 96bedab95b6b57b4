"""Campaigns by what a lead event names: a start by its code, membership by the chat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select

from app.domain.telegram.updates import LeadEvent
from app.models import Account, AccountStatus, Bot, Campaign, table_of

_CAMPAIGNS: Final = table_of(Campaign)
_BOTS: Final = table_of(Bot)
_ACCOUNTS: Final = table_of(Account)

_LIVING: Final = (
    select(_CAMPAIGNS, _ACCOUNTS.c.tariff, _ACCOUNTS.c.paid_until, _BOTS.c.tg_id.label("bot_tg_id"))
    .join(_ACCOUNTS, _ACCOUNTS.c.id == _CAMPAIGNS.c.account_id)
    .join(_BOTS, _BOTS.c.id == _CAMPAIGNS.c.bot_id)
    .where(
        _CAMPAIGNS.c.bot_id.in_(bindparam("bots", expanding=True)),
        Campaign.living,
        Bot.living,
        _ACCOUNTS.c.status != AccountStatus.BANNED,
    )
)


class CampaignIndex:
    """The living campaigns of some bots, but none of a banned account.

    Rows also have the account's tariff and paid_until, and the bot's Telegram id as `bot_tg_id`.
    """

    def __init__(self, connection: Connection, bots: Iterable[int]) -> None:
        """Read the campaigns of `bots` by one statement."""
        self._by_code: dict[tuple[int, str], Row[Any]] = {}
        self._by_chat: dict[tuple[int, int], Row[Any]] = {}
        for row in connection.execute(_LIVING, {"bots": list(bots)}):
            self._by_code[row.bot_id, row.code] = row
            self._by_chat[row.bot_id, row.chat_id] = row

    def find(self, bot_id: int, event: LeadEvent) -> Row[Any] | None:
        """The campaign of this bot that `event` belongs to, or None."""
        if event.chat is None:
            return self._by_code.get((bot_id, event.code))
        return self._by_chat.get((bot_id, event.chat))
