import pytest

from app.errors import NotFound
from app.extensions import db
from app.models import Bot
from app.services.bots import standing


def test_chats_come_with_the_campaign_that_tracks_them(world):
    bot, empty = world.bot(), world.bot()
    tracked = world.chat(bot, title="B")
    world.chat(bot, title="A", is_admin=False)
    world.chat(bot, title="")  # it never was an administrator there
    campaign = world.campaign(bot_id=bot, chat_id=tracked)
    found = standing.chats_of([bot, empty])
    assert [(row.chat.title, row.campaign_id) for row in found[bot]] == [
        ("A", None),
        ("B", campaign),
    ]
    assert found[empty] == []


def test_a_bot_is_checked_soon_by_its_owner_only(world, account, other):
    bot = world.bot(checked=5.0)
    with pytest.raises(NotFound):
        standing.check_soon(other.id, bot)
    standing.check_soon(account.id, bot)
    assert db.session.get_one(Bot, bot, populate_existing=True).checked == 0.0
    deleted = world.bot(status=3)
    with pytest.raises(NotFound):
        standing.check_soon(account.id, deleted)
