import time

from app.extensions import db
from app.models import Bot
from app.services.bots import bots
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"


def test_a_bot_is_added_by_its_token(browser, account, bot_api):
    bot_api.add_bot("42:abc", username="gate_bot")
    page = browser.done("/bots", token=" 42:abc ")
    assert "@gate_bot" in page
    assert "42:abc" not in page
    assert "It is connected." in page


def test_a_token_that_telegram_refuses_is_told_and_not_shown_again(browser, bot_api):
    page = browser.refused("/bots", token="43:wrong")
    assert "Telegram refused this token" in page
    assert "43:wrong" not in page
    assert 'aria-invalid="true"' in page


def test_chats_are_shown_with_rights_and_campaign(browser, world):
    bot = world.bot(username="gate_bot")
    chat = world.chat(bot, title="News")
    world.chat(bot, title="No rights", is_admin=False)
    world.chat(bot, title="No invites", can_invite=False)
    world.campaign(bot_id=bot, chat_id=chat)
    text = text_of(browser.page("/bots"))
    assert "News ● administrator tracked" in text
    assert "No rights ✕ no administrator —" in text
    assert "No invites ▲ may not invite —" in text


def test_what_waits_at_telegram_is_told_and_what_it_met_while_that_is_news(browser, world):
    met = {"webhook_error": "Connection refused <b>", "webhook_pending": 3}
    world.bot(username="gate_bot", webhook_error_time=time.time() - 90, **met)
    text = text_of(browser.page("/bots"))
    assert "Updates that wait at Telegram: 3. Of the last" in text
    assert "Connection refused <b> (1 minute ago)" in text


def test_what_telegram_met_long_ago_is_not_told(browser, world):
    world.bot(webhook_error="Connection refused", webhook_error_time=time.time() - 7200)
    text = text_of(browser.page("/bots"))
    assert "Connection refused" not in text
    assert "wait at Telegram" not in text


def test_links_make_the_bot_an_administrator_by_one_press(browser, world):
    world.bot(username="gate_bot")
    page = browser.page("/bots")
    assert 'href="https://t.me/gate_bot?startchannel&amp;admin=invite_users"' in page
    assert 'href="https://t.me/gate_bot?startgroup&amp;admin=invite_users"' in page


def test_a_bot_is_checked_again_soon(browser, world):
    bot = world.bot(checked=123.0)
    browser.done(f"/bots/{bot}/check")
    assert db.session.get_one(Bot, bot, populate_existing=True).checked == 0.0


def test_a_bot_is_deleted_when_its_name_is_typed(browser, world, account, bot_api):
    bot = world.bot(username="gate_bot")
    assert "is not the name" in browser.refused(f"/bots/{bot}/delete", name="another_bot")
    assert bots.find(account.id, bot).living
    page = browser.done(f"/bots/{bot}/delete", name="@Gate_Bot")
    assert "@gate_bot" not in page
    assert not bots.find(account.id, bot).living


def test_what_strangers_have_named_is_text(browser, world):
    bot = world.bot(name=SCRIPT)
    world.chat(bot, title=SCRIPT + "\u202e")
    page = browser.page("/bots")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in page
    assert tags(page).count("script") == 1


def test_the_neighbours_bot_is_not_there(browser, others_world):
    bot = others_world.bot(username="neighbours_bot")
    assert "neighbours_bot" not in browser.page("/bots")
    browser.page(f"/bots/{bot}/delete", 404)
    for verb in ("check", "delete"):
        assert browser.post(f"/bots/{bot}/{verb}", name="neighbours_bot").status_code == 404
    assert browser.get("/bots/99999999999999999999/delete").status_code == 404
