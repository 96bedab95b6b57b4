import pytest

from app.services.campaigns import campaigns
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"
TABS = ("", "/welcome", "/postbacks", "/link", "/settings")


@pytest.fixture
def campaign(world):
    return world.campaign(chat_title="News", code="abc123", bot_id=world.bot(username="gate_bot"))


def test_campaigns_are_listed_with_their_numbers(browser, world):
    bot = world.bot(username="gate_bot")
    world.campaign(bot_id=bot, chat_title="News", code="abc123", status=1)
    assert "News ○ paused @gate_bot 0 0 0 abc123" in text_of(browser.page("/campaigns"))


def test_without_campaigns_it_is_said_what_to_do(browser):
    assert "No chat is tracked yet" in browser.page("/campaigns")


def test_a_chat_is_tracked(browser, world, account):
    bot = world.bot(username="gate_bot")
    chat = world.chat(bot, title="News")
    assert f'value="{bot}:{chat}"' in browser.page("/campaigns")
    page = browser.done("/campaigns", chat=f"{bot}:{chat}")
    assert "The chat is tracked." in page
    assert [row.chat_id for row in campaigns.listed(account.id)] == [chat]
    assert "already tracked" in browser.refused("/campaigns", chat=f"{bot}:{chat}")
    assert 'role="alert"' in browser.refused("/campaigns", chat="nonsense")


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_shows_the_campaign_and_runs_nothing_of_strangers(browser, world, tab):
    number = world.campaign(
        chat_title=SCRIPT, welcome=SCRIPT, button_text=SCRIPT, welcome_fault=SCRIPT
    )
    page = browser.page(f"/campaigns/{number}{tab}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert tags(page).count("script") == 1
    assert len(page.encode()) < 60_000


@pytest.mark.parametrize("tab", TABS)
def test_the_neighbours_campaign_is_not_there(browser, others_world, tab):
    number = others_world.campaign(chat_title="Neighbours")
    browser.page(f"/campaigns/{number}{tab}", 404)
    assert "Neighbours" not in browser.page("/campaigns")
    if tab not in ("", "/link"):
        assert browser.post(f"/campaigns/{number}{tab}", do="pause").status_code == 404


def test_a_welcome_is_shown_before_it_is_saved(browser, campaign, account):
    path = f"/campaigns/{campaign}/welcome"
    browser.page(path)
    typed = {
        "welcome": "Hi *{username}*\r\nbye",
        "button_text": "Go",
        "button_url": "https://a.example",
    }
    shown = browser.post(path, do="preview", **typed)
    assert shown.status_code == 200
    assert "<b>anna</b>\nbye" in shown.get_data(as_text=True)
    assert campaigns.find(account.id, campaign)["welcome"] == ""
    assert "It is saved." in browser.done(path, do="save", **typed)
    assert campaigns.find(account.id, campaign)["welcome"] == "Hi *{username}*\nbye"


def test_what_cannot_be_saved_stays_in_the_form(browser, campaign):
    page = browser.refused(
        f"/campaigns/{campaign}/welcome", welcome="kept text", button_url="no address"
    )
    assert "kept text" in page
    assert 'aria-invalid="true"' in page


def test_addresses_are_warned_of_tried_and_saved(browser, campaign, account):
    path = f"/campaigns/{campaign}/postbacks"
    browser.page(path)
    url = "https://t.example/pb?cid=__CLICK__"
    checked = browser.post(path, do="check", pb_approve=url)
    assert "notice warn" in checked.get_data(as_text=True)
    tried = browser.post(
        path, do="test", event="approve", pb_approve="https://t.example/pb?c={click}"
    )
    assert "GET https://t.example/pb?c=test" in tried.get_data(as_text=True)
    assert "must not be empty" in browser.refused(path, do="test", event="wait")
    browser.done(path, do="save", pb_approve="https://t.example/pb?c={click}")
    found = campaigns.find(account.id, campaign)
    assert found["pb_approve"] == "https://t.example/pb?c={click}"
    refused = browser.refused(path, do="save", pb_hold="nonsense")
    assert "nonsense" in refused


def test_a_real_test_tells_what_the_tracker_said(browser, campaign, tracker):
    path = f"/campaigns/{campaign}/postbacks"
    browser.page(path)
    response = browser.post(
        path, do="send", event="approve", pb_approve=f"{tracker.url}/pb?c={{click}}"
    )
    text = text_of(response.get_data(as_text=True))
    assert "delivered HTTP 200" in text


def test_a_link_counts_its_characters_and_draws_a_code(browser, campaign):
    page = browser.page(f"/campaigns/{campaign}/link")
    assert "https://t.me/gate_bot?start=abc123-{click}" in page
    page = browser.page(f"/campaigns/{campaign}/link?click=sub_1")
    assert "https://t.me/gate_bot?start=abc123-sub_1" in page
    assert "12 of 64 characters" in text_of(page)
    assert "qr-code" in page
    for macro in ("{subid}", "kt-{subid}"):
        assert "qr-code" not in browser.page(f"/campaigns/{campaign}/link?click={macro}")
    refused = browser.page(f"/campaigns/{campaign}/link?click=a%26b", 422)
    assert "Telegram carries" in refused
    assert "qr-code" not in refused


def test_rules_pause_and_the_end(browser, campaign, account):
    path = f"/campaigns/{campaign}/settings"
    browser.page(path)
    browser.done(path, unsub_window="7", notify_level="1")
    found = campaigns.find(account.id, campaign)
    assert (found["unsub_window"], found["notify_level"]) == (7 * 86_400, 1)
    browser.refused(path, unsub_window="many", notify_level="1")
    browser.done(path, do="pause")
    assert campaigns.find(account.id, campaign)["status"] == 1
    browser.done(path, do="resume")
    assert "is not the code" in browser.refused(path, do="delete", title="News")
    browser.done(path, do="delete", title="abc123")
    browser.page(path, 404)
