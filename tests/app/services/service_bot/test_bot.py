"""The operator's bot is connected by itself, and kept as the settings say."""

import threading

from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Bot, BotStatus
from app.sandbox.telegram import faults
from app.services.accounts import accounts
from app.services.bots import bots
from app.services.service_bot import bot as service_bot
from tests.support.desk import TOKEN, rows

OTHER = "6262:AAanother-service_bot"


def _bots():
    return [(bot.tg_id, bot.status) for bot in rows(select(Bot).order_by(Bot.id))]


def test_it_is_connected_once_and_owned_by_nobody(desk):
    assert service_bot.ensure_connected()
    assert service_bot.ensure_connected()
    assert _bots() == [(5151, BotStatus.ACTIVE)]
    (owner,) = rows(select(Account))
    assert owner.login == "service-bot"
    assert len(desk.telegram.calls(TOKEN, "getMe")) == 1


def test_a_new_token_of_the_same_bot_is_taken_up(desk, change_settings):
    fresh = "5151:AAa-fresh_token"
    desk.telegram.add_bot(fresh, "gate_service_bot")
    db.session.execute(update(Bot).values(paused="Telegram refused the token"))
    db.session.commit()
    change_settings(service_bot_token=fresh)
    assert service_bot.ensure_connected()
    (bot,) = rows(select(Bot))
    assert (bot.token, bot.paused) == (fresh, "")


def test_another_bot_takes_the_place_of_the_old_one(desk, change_settings):
    desk.telegram.add_bot(OTHER, "other_service_bot")
    change_settings(service_bot_token=OTHER)
    assert service_bot.ensure_connected()
    assert _bots() == [(5151, BotStatus.DELETED), (6262, BotStatus.ACTIVE)]
    change_settings(service_bot_token="")
    assert service_bot.ensure_connected()
    assert _bots() == [(5151, BotStatus.DELETED), (6262, BotStatus.DELETED)]
    assert service_bot.find() is None
    db.session.commit()


def test_a_bot_that_telegram_refuses_is_tried_again(live_app, bot_api, change_settings):
    change_settings(service_bot_token=TOKEN)
    assert not service_bot.ensure_connected()
    assert _bots() == []
    bot_api.add_bot(TOKEN, "gate_service_bot")
    assert service_bot.ensure_connected()
    assert _bots() == [(5151, BotStatus.ACTIVE)]


def test_telegram_being_away_is_no_reason_to_fall(live_app, bot_api, change_settings):
    bot_api.add_bot(TOKEN, "gate_service_bot")
    bot_api.fail(TOKEN, "getMe", faults.SERVER_ERROR)
    change_settings(service_bot_token=TOKEN)
    assert not service_bot.ensure_connected()
    assert service_bot.ensure_connected()


def test_an_operator_may_use_the_same_bot_for_campaigns(
    live_app, bot_api, change_settings, account
):
    bot_api.add_bot(TOKEN, "gate_service_bot")
    mine = bots.add(account.id, TOKEN).id
    db.session.commit()
    change_settings(service_bot_token=TOKEN)
    assert service_bot.ensure_connected()
    found = service_bot.find()
    assert found is not None
    assert found.id == mine
    db.session.commit()


def test_several_clocks_connect_it_once(live_app, bot_api, change_settings):
    bot_api.add_bot(TOKEN, "gate_service_bot")
    change_settings(service_bot_token=TOKEN)
    kept = []

    def keep():
        with live_app.app_context():
            kept.append(service_bot.ensure_connected())

    threads = [threading.Thread(target=keep) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) == 3
    assert _bots() == [(5151, BotStatus.ACTIVE)]


def test_an_account_of_that_name_is_used_as_it_is(live_app, bot_api, change_settings):
    accounts.create("service-bot", "Made by hand")
    bot_api.add_bot(TOKEN, "gate_service_bot")
    change_settings(service_bot_token=TOKEN)
    assert service_bot.ensure_connected()
    assert len(rows(select(Account))) == 1
