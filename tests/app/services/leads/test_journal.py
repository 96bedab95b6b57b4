"""The journal of a chat is listed for the account that has or had its bot."""

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


def test_entries_of_all_chats_come_newest_first_however_they_are_paged(
    world: Any, others_world: Any, account: Any
) -> None:
    bots = [world.bot() for _ in range(3)]
    times = [NOON + number * 7000 for number in (4, 0, 9, 2, 7, 1, 8)]
    ids = {
        time: world.entry(bots[number % 3], -5 - number, time=time, action=1 + number % 2)
        for number, time in enumerate(times)
    }
    others_world.entry(others_world.bot(), -5)
    newest = [ids[time] for time in sorted(times, reverse=True)]
    assert [row.id for row in journal.listed(account.id).rows] == newest
    shifted = journal.listed(account.id, limit=3, offset=2)
    assert ([row.id for row in shifted.rows], shifted.total) == (newest[2:5], 7)
    behind = journal.listed(account.id, limit=3, before=newest[2])
    assert [row.id for row in behind.rows] == newest[3:6]
    joins = journal.listed(account.id, action=Action.JOIN, limit=2, offset=1)
    assert joins.total == 4
    assert len(joins.rows) == 2
    assert [row.id for part in journal.read_all(account.id) for row in part] == newest


def test_another_accounts_bot_is_not_found(others_world: Any, account: Any) -> None:
    bot = others_world.bot()
    others_world.entry(bot, -5)
    with pytest.raises(NotFound):
        journal.listed(account.id, bot=bot, chat=-5)
