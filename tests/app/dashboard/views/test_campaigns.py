from __future__ import annotations

from tests.support.dashboard import tags, text_of


def test_campaigns_are_listed_with_their_numbers_and_links(browser, world):
    bot = world.bot(username="gate_bot")
    world.campaign(bot_id=bot, chat_title="News", code="abc123", status=1)
    text = text_of(browser.page("/campaigns"))
    assert "News ○ paused @gate_bot 0 0 0 https://t.me/gate_bot?start=abc123-{click}" in text


def test_without_campaigns_it_is_said_what_to_do(browser):
    assert "No chat is tracked yet" in browser.page("/campaigns")


def test_a_title_is_text(browser, world):
    world.campaign(chat_title="<script>alert(1)</script>")
    assert tags(browser.page("/campaigns")).count("script") == 1


def test_the_neighbours_campaigns_are_not_there(browser, others_world):
    others_world.campaign(chat_title="Neighbours")
    assert "Neighbours" not in browser.page("/campaigns")
