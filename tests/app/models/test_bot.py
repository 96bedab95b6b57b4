"""A bot lives until it is deleted, for Python and for SQL."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Bot, BotStatus


@pytest.mark.parametrize("status", BotStatus)
def test_python_and_sql_agree_on_which_bots_are_living(app, world, status):
    bot_id = world.bot(status=status)
    found = db.session.scalars(select(Bot.id).where(Bot.living)).all()
    living = db.session.get_one(Bot, bot_id).living
    assert living is (bot_id in found) is (status is not BotStatus.DELETED)


def test_telegram_knows_one_living_bot_and_any_number_of_deleted_ones(app, world):
    for status in (BotStatus.DELETED, BotStatus.DELETED, BotStatus.WARNING):
        world.bot(tg_id=77, status=status)
    with pytest.raises(IntegrityError):
        world.bot(tg_id=77)
