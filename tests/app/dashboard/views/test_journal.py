import pytest

from app.extensions import db
from app.models import Campaign
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def chat(world):
    bot = world.bot()
    number = world.campaign(bot_id=bot, chat_title="News")
    return number, bot, db.session.get_one(Campaign, number).chat_id


def test_all_bots_are_shown_and_one_campaign_can_be_chosen(browser, world, chat):
    number, bot, chat_id = chat
    lead = world.lead(number)
    world.entry(bot, chat_id, campaign_id=number, lead_id=lead, username="ann", action=5)
    world.entry(bot, chat_id, campaign_id=number, username="bob", action=1, decision="organic")
    world.entry(world.bot(), -77, campaign_id=999, username="cid", action=2)
    newer = world.campaign(chat_title="Newer")
    page = browser.page("/journal")
    text = text_of(page)
    assert "3 in all" in text
    assert "bob joined News ○ organic" in text
    assert "cid left -77 ○ organic" in text
    assert f'<a href="/campaigns/{number}">News</a>' in page
    assert "cid" in text_of(browser.page("/journal?action=2"))
    assert "Nothing has happened here yet" in browser.page(f"/journal?campaign={newer}")
    text = text_of(browser.page(f"/journal?campaign={number}"))
    assert "2 in all" in text
    assert "ann started the bot ● paid" in text
    assert "bob joined ○ organic" in text
    text = text_of(browser.page(f"/journal?campaign={number}&action=5"))
    assert "bob" not in text


def test_the_journal_of_a_chat_is_a_file(browser, world, chat):
    number, bot, chat_id = chat
    world.entry(bot, chat_id, username="ann", action=5)
    world.entry(bot, chat_id, username="=bob()", action=1, decision="organic")
    page = browser.page(f"/journal?campaign={number}&action=1")
    assert f"/journal/journal.csv?campaign={number}&amp;action=1" in page
    response = browser.get(f"/journal/journal.csv?campaign={number}&action=1")
    assert response.mimetype == "text/csv"
    head, row, _ = response.get_data(as_text=True).split("\r\n")
    assert head.endswith(",decision")
    assert ",'=bob()," in row
    assert "ann" in browser.get(f"/journal/journal.csv?campaign={number}").get_data(as_text=True)
    world.entry(world.bot(), -77, username="cid", action=5)
    every = browser.get("/journal/journal.csv?action=5").get_data(as_text=True)
    assert "cid" in every
    assert "ann" in every
    assert "bob" not in every


def test_without_campaigns_it_is_empty(browser):
    assert "Nothing has happened here yet" in browser.page("/journal")


def test_what_people_call_themselves_is_text(browser, world, chat):
    number, bot, chat_id = chat
    world.entry(bot, chat_id, username=SCRIPT, link_name=SCRIPT, decision=SCRIPT)
    page = browser.page(f"/journal?campaign={number}")
    assert "&lt;script&gt;" in page
    assert tags(page).count("script") == 1


def test_the_neighbours_journal_is_not_there(browser, others_world):
    browser.page(f"/journal?campaign={others_world.campaign()}", 404)
    browser.page(f"/journal/journal.csv?campaign={others_world.campaign()}", 404)
    browser.page("/journal?campaign=x", 422)
