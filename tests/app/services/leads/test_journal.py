"""The journal of a chat is listed for the account that has or had its bot."""

from __future__ import annotations

from typing import Any

import pytest

from app.errors import NotFound
from app.models import Action
from app.services.leads import journal

NOON = 1_780_000_000


def test_entries_of_one_chat_come_newest_first(world: Any, account: Any) -> None:
    bot = world.bot()
    first = world.entry(bot, -5, time=NOON)
    second = world.entry(bot, -5, time=NOON + 1)
    world.entry(bot, -6)
    page = journal.listed(account.id, bot=bot, chat=-5)
    assert [row.id for row in page.rows] == [second, first]
    assert page.total == 2


def test_entries_are_filtered_by_action_and_time(world: Any, account: Any) -> None:
    bot = world.bot()
    join = world.entry(bot, -5, time=NOON, action=Action.JOIN)
    leave = world.entry(bot, -5, time=NOON + 10, action=Action.LEAVE)
    rows = journal.listed(account.id, bot=bot, chat=-5, action=Action.LEAVE).rows
    assert [row.id for row in rows] == [leave]
    rows = journal.listed(account.id, bot=bot, chat=-5, until=NOON + 9).rows
    assert [row.id for row in rows] == [join]
    rows = journal.listed(account.id, bot=bot, chat=-5, since=NOON + 1).rows
    assert [row.id for row in rows] == [leave]


def test_another_accounts_bot_is_not_found(others_world: Any, account: Any) -> None:
    bot = others_world.bot()
    others_world.entry(bot, -5)
    with pytest.raises(NotFound):
        journal.listed(account.id, bot=bot, chat=-5)
