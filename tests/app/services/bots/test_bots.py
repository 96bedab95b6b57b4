"""Bots connected, refused, taken away and restored, against the Bot API double."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.errors import ApiError, BotTaken, NotFound, TokenRefused, TooManyRequests, WebhookRefused
from app.extensions import cipher, db
from app.models import Account, Bot, BotChat, BotFault, BotStatus, Campaign
from app.sandbox.telegram import faults
from app.services.bots import bots, webhooks
from tests.support.track_bot import TOKEN, noted


def test_a_bot_is_connected_with_its_webhook(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, f" {TOKEN}\n")
    assert (bot.tg_id, bot.username, bot.name) == (4242, "trackbot", "Track Bot")
    assert bot.status == BotStatus.ACTIVE
    info = telegram.webhook_info(TOKEN)
    assert info["url"] == webhooks.webhook_url(bot) == noted(bot)
    assert set(info["allowed_updates"]) == set(webhooks.ALLOWED_UPDATES)
    assert telegram.webhook_secret(TOKEN) == cipher.webhook_secret(bot.webhook_path)


def test_the_webhook_address_is_random_and_tells_nothing(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    assert len(bot.webhook_path) >= 22
    assert "4242" not in bot.webhook_url
    assert TOKEN.partition(":")[2] not in bot.webhook_url


@pytest.mark.parametrize(
    "token", ["", "nonsense", "4242", "4242:", "4242:a b", "1:a/../x", "٤:abc"]
)
def test_a_token_of_a_wrong_form_never_leaves(telegram: Any, account: Account, token: str) -> None:
    with pytest.raises(TokenRefused):
        bots.add(account.id, token)
    assert telegram.calls() == []


def test_a_token_telegram_does_not_know_is_refused(telegram: Any, account: Account) -> None:
    with pytest.raises(TokenRefused):
        bots.add(account.id, "77:unknown-to-telegram")
    assert list(bots.listed(account.id)) == []


def test_a_flood_wait_is_told_to_the_caller(telegram: Any, account: Account) -> None:
    telegram.fail(TOKEN, "getMe", faults.flood(33))
    with pytest.raises(TooManyRequests) as caught:
        bots.add(account.id, TOKEN)
    assert caught.value.extra["retry_after"] == 33


@pytest.mark.parametrize("fault", [faults.SERVER_ERROR, faults.RESET, faults.MALFORMED])
@pytest.mark.parametrize("method", ["getMe", "setWebhook", "getWebhookInfo"])
def test_a_failure_half_way_leaves_nothing(
    telegram: Any, account: Account, method: str, fault: faults.Fault
) -> None:
    telegram.fail(TOKEN, method, fault)
    with pytest.raises(WebhookRefused) as caught:
        bots.add(account.id, TOKEN)
    assert TOKEN not in caught.value.message
    assert list(bots.listed(account.id)) == []
    assert telegram.webhook_info(TOKEN)["url"] == ""


def test_the_reason_of_telegram_reaches_the_owner(telegram: Any, account: Account) -> None:
    telegram.fail(TOKEN, "setWebhook", faults.refuse(400, "Bad Request: bad webhook: so what"))
    with pytest.raises(WebhookRefused, match="so what"):
        bots.add(account.id, TOKEN)


def test_a_bot_of_another_account_is_taken(
    telegram: Any, account: Account, make_account: Callable[..., Account]
) -> None:
    mine = bots.add(account.id, TOKEN)
    url, before = mine.webhook_url, len(telegram.calls(TOKEN, "setWebhook"))
    stranger = make_account()
    with pytest.raises(BotTaken):
        bots.add(stranger.id, TOKEN)
    assert telegram.webhook_info(TOKEN)["url"] == url.partition("#")[0]
    assert len(telegram.calls(TOKEN, "setWebhook")) == before


def test_removing_closes_the_old_door_and_keeps_the_row(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    path = bot.webhook_path
    db.session.add(
        BotChat(bot_id=bot.id, chat_id=-1, title="A", type="channel", is_admin=True, changed=1)
    )
    db.session.commit()
    bots.remove(account.id, bot.id)
    (row,) = bots.listed(account.id)
    assert row.status == BotStatus.DELETED
    assert row.webhook_path != path
    assert telegram.webhook_info(TOKEN)["url"] == ""
    assert list(bots.chats(account.id, bot.id)) == []


def test_removing_works_although_telegram_is_away(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    telegram.fail(TOKEN, "deleteWebhook", faults.DROP)
    bots.remove(account.id, bot.id)
    assert bots.find(account.id, bot.id).status == BotStatus.DELETED


def test_a_bot_that_is_given_away_while_it_is_removed_stays_its_new_owners(
    telegram: Any, account: Account, make_account: Any, monkeypatch: Any
) -> None:
    bot, new_owner = bots.add(account.id, TOKEN), make_account()

    def given(token: str, bot_id: int) -> None:
        db.session.get_one(Bot, bot_id).account_id = new_owner.id
        db.session.commit()

    monkeypatch.setattr(bots, "drop_webhook", given)
    with pytest.raises(NotFound):
        bots.remove(account.id, bot.id)
    assert bots.find(new_owner.id, bot.id).living


def test_removing_twice_is_no_error(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    bots.remove(account.id, bot.id)
    bots.remove(account.id, bot.id)
    assert len(telegram.calls(TOKEN, "deleteWebhook")) == 1


def test_a_deleted_bot_comes_back_as_the_same_row(telegram: Any, account: Account) -> None:
    first = bots.add(account.id, TOKEN)
    id_, path = first.id, first.webhook_path
    bots.remove(account.id, id_)
    again = bots.add(account.id, TOKEN)
    assert (again.id, again.status) == (id_, BotStatus.ACTIVE)
    assert again.webhook_path != path
    assert len(bots.listed(account.id)) == 1
    assert telegram.webhook_info(TOKEN)["url"] == noted(again)


def test_a_restore_that_fails_stays_deleted(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    campaign = Campaign(
        account_id=account.id, bot_id=bot.id, chat_id=-1, chat_title="A", code="abc123", created=1
    )
    db.session.add(campaign)
    db.session.commit()
    bots.remove(account.id, bot.id)
    telegram.fail(TOKEN, "setWebhook", faults.SERVER_ERROR)
    with pytest.raises(WebhookRefused):
        bots.add(account.id, TOKEN)
    assert bots.find(account.id, bot.id).status == BotStatus.DELETED


def test_a_bot_deleted_by_one_account_is_a_new_row_of_another(
    telegram: Any, account: Account, make_account: Callable[..., Account]
) -> None:
    bot = bots.add(account.id, TOKEN)
    bots.remove(account.id, bot.id)
    other = make_account()
    theirs = bots.add(other.id, TOKEN)
    assert theirs.id != bot.id
    with pytest.raises(BotTaken):
        bots.add(account.id, TOKEN)
    assert bots.find(account.id, bot.id).status == BotStatus.DELETED


def test_a_new_token_wakes_a_paused_bot(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    webhooks.pause(bot.id, "Telegram refused the token", TOKEN)
    assert (bot.status, bool(bot.paused)) == (BotStatus.WARNING, True)
    fresh = "4242:AAfresh-token"
    telegram.add_bot(fresh, "trackbot", "Renamed")
    again = bots.add(account.id, fresh)
    assert (again.id, again.paused, again.status) == (bot.id, "", BotStatus.ACTIVE)
    assert (again.token, again.name) == (fresh, "Renamed")


def test_another_accounts_bot_is_as_missing_as_no_bot(
    telegram: Any, account: Account, make_account: Callable[..., Account]
) -> None:
    bot = bots.add(account.id, TOKEN)
    stranger = make_account()
    for id_ in (bot.id, 10**6):
        for verb in (bots.find, bots.chats, bots.remove):
            with pytest.raises(NotFound):
                verb(stranger.id, id_)


def test_a_token_is_stored_sealed_and_logged_nowhere(
    telegram: Any, account: Account, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level("DEBUG")
    telegram.fail(TOKEN, "setWebhook", faults.refuse(400, f"Bad Request: /bot{TOKEN}/setWebhook"))
    with pytest.raises(WebhookRefused) as caught:
        bots.add(account.id, TOKEN)
    bot = bots.add(account.id, TOKEN)
    raw = db.session.connection().exec_driver_sql("SELECT * FROM bot").all()
    out, err = capfd.readouterr()
    for where in (str(raw), caplog.text, out, err, str(caught.value), repr(bot)):
        assert TOKEN not in where
        assert TOKEN.partition(":")[2] not in where


@pytest.mark.parametrize("same_account", [True, False])
def test_of_two_who_add_one_bot_at_once_none_is_left_half_connected(
    live_app: Flask,
    telegram: Any,
    account: Account,
    make_account: Callable[..., Account],
    same_account: bool,
) -> None:
    callers = [account.id, account.id if same_account else make_account().id]
    results: list[Any] = []

    def add(account_id: int) -> None:
        with live_app.app_context():
            try:
                results.append(bots.add(account_id, TOKEN).id)
            except ApiError as error:
                results.append(error.code)

    threads = [threading.Thread(target=add, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    living = db.session.scalars(select(Bot).where(Bot.living)).all()
    assert len(living) == 1
    assert telegram.webhook_info(TOKEN)["url"] == webhooks.webhook_url(living[0])
    expected = [living[0].id] * 2 if same_account else [living[0].id, "exists"]
    assert sorted(results, key=str) == sorted(expected, key=str)


def test_no_transaction_is_open_while_telegram_is_asked(
    live_app: Flask, telegram: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_during: list[bool] = []

    class Watched(webhooks.BotApi):
        def call(self, method: str, **params: Any) -> Any:
            open_during.append(db.session().in_transaction())
            return super().call(method, **params)

    monkeypatch.setattr(webhooks, "BotApi", Watched)
    db.session.get(Account, account.id)  # as the guard leaves it
    bot = bots.add(account.id, TOKEN)
    bots.remove(account.id, bot.id)
    assert open_during
    assert not any(open_during)


def test_free_chats_are_told_by_bot(app: Flask, account: Account, world: Any) -> None:
    bot, idle = world.bot(username="first_bot"), world.bot(username="idle_bot")
    world.chat(world.bot(username="gone_bot", status=BotStatus.DELETED), title="Old")
    for title in ("News", "Art"):
        world.chat(bot, title=title)
    world.chat(bot, title="Not ours", is_admin=False)
    world.campaign(bot_id=bot, chat_id=world.chat(bot, title="Tracked"))
    free = bots.free_chats(account.id)
    assert {name: [chat.title for chat in chats] for name, chats in free.items()} == {
        "first_bot": ["Art", "News"], "idle_bot": [],
    }  # fmt: skip
    assert list(free) == ["first_bot", "idle_bot"]
    assert idle


def test_faults_of_connected_bots_are_told(app: Flask, account: Account, world: Any) -> None:
    bot = world.bot(username="gate_bot")
    gone = world.bot(status=BotStatus.DELETED)
    for number in (bot, gone):
        db.session.add(BotFault(bot_id=number, kind="rights", title="News", since=5, seen=5))
    ((owner, fault),) = bots.faults_of(account.id)
    assert (owner, fault.since) == (bot, 5)
    assert "@gate_bot is no administrator of News" in fault.message
