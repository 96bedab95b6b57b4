"""The webhook of a bot is what the settings say, and is put right when it is not."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.errors import WebhookRefused
from app.extensions import cipher, db
from app.models import Account, Bot, BotStatus
from app.sandbox.telegram import faults
from app.services.bots import bots, webhooks
from tests.support.track_bot import TOKEN, noted


def test_the_backlog_of_a_bot_is_kept(telegram: Any, account: Account) -> None:
    bots.add(account.id, TOKEN)
    (call,) = telegram.calls(TOKEN, "setWebhook")
    assert "drop_pending_updates" not in call.params


def test_a_webhook_that_reads_back_wrong_is_refused(telegram: Any, account: Account) -> None:
    telegram.fail(TOKEN, "getWebhookInfo", faults.flood(1))
    assert bots.add(account.id, TOKEN).webhook_url  # patience, not a failure
    other = "4343:AAother"
    telegram.add_bot(other, "otherbot")
    telegram.push(other, {"message": {"text": "before"}})
    bots.add(account.id, other)


def test_an_old_tokens_refusal_does_not_pause_the_new_one(telegram: Any, account: Account) -> None:
    bot = bots.add(account.id, TOKEN)
    webhooks.pause(bot.id, "Telegram refused the token", "4242:AAold")
    assert bot.paused == ""


def test_without_a_public_address_no_webhook_is_left(
    telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    bots.add(account.id, TOKEN)
    change_settings(public_url="")
    assert webhooks.reconcile() == 1
    assert telegram.webhook_info(TOKEN)["url"] == ""
    assert webhooks.reconcile() == 0


def test_what_another_version_registered_is_registered_anew(
    telegram: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the old clock does between the migration and its end, and after a rollback."""
    fewer = tuple(kind for kind in webhooks.ALLOWED_UPDATES if kind != "pre_checkout_query")
    with monkeypatch.context() as old:
        old.setattr(webhooks, "ALLOWED_UPDATES", fewer)
        old.setattr(webhooks, "_KINDS", "", raising=False)
        bots.add(account.id, TOKEN)
    assert "pre_checkout_query" not in telegram.webhook_info(TOKEN)["allowed_updates"]
    assert webhooks.reconcile() == 1
    assert "pre_checkout_query" in telegram.webhook_info(TOKEN)["allowed_updates"]
    assert webhooks.reconcile() == 0


def test_a_new_public_address_moves_every_webhook(
    telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    bot = bots.add(account.id, TOKEN)
    change_settings(public_url="http://127.0.0.1:10")
    assert webhooks.reconcile() == 1
    db.session.refresh(bot)
    assert telegram.webhook_info(TOKEN)["url"] == noted(bot)
    assert bot.webhook_url.startswith("http://127.0.0.1:10/telegram/")
    assert telegram.webhook_secret(TOKEN) == cipher.webhook_secret(bot.webhook_path)


def test_one_bot_that_fails_does_not_keep_the_others_from_moving(
    telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    other = "4343:AAother"
    telegram.add_bot(other, "otherbot")
    broken, fine = bots.add(account.id, TOKEN), bots.add(account.id, other)
    change_settings(public_url="http://127.0.0.1:10")
    telegram.fail(TOKEN, "setWebhook", faults.UNAUTHORIZED)
    assert webhooks.reconcile() == 1
    assert db.session.get(Bot, broken.id, populate_existing=True).paused
    assert "127.0.0.1:10/" in db.session.get(Bot, fine.id, populate_existing=True).webhook_url
    assert webhooks.reconcile() == 0  # a paused bot is left alone


def test_a_living_bot_whose_webhook_fails_is_repaired_later(
    telegram: Any, account: Account
) -> None:
    bot = bots.add(account.id, TOKEN)
    telegram.fail(TOKEN, "setWebhook", faults.SERVER_ERROR)
    with pytest.raises(WebhookRefused):
        bots.add(account.id, TOKEN)
    assert bots.find(account.id, bot.id).status == BotStatus.ACTIVE
    assert webhooks.reconcile() == 1
    db.session.refresh(bot)
    assert telegram.webhook_info(TOKEN)["url"] == noted(bot)


def test_a_token_that_cannot_be_unsealed_stops_no_clock(
    telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    bot = bots.add(account.id, TOKEN)
    db.session.execute(text("UPDATE bot SET token = 'junk'"))
    db.session.commit()
    change_settings(public_url="http://127.0.0.1:10")
    assert webhooks.reconcile() == 0
    db.session.expunge(bot)


def test_a_bot_in_another_processs_hands_is_left_alone(
    telegram: Any, account: Account, change_settings: Callable[..., None]
) -> None:
    bot = bots.add(account.id, TOKEN)
    bot.poll_until = 1e11
    db.session.commit()
    change_settings(public_url="http://127.0.0.1:10")
    assert webhooks.reconcile() == 0
