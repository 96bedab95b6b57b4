from __future__ import annotations

from app.domain.lead import State
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"


def test_leads_are_listed_by_filters(browser, world):
    campaign = world.campaign(chat_title="News")
    world.lead(campaign, first_name="Ann", state=State.APPROVE, click="c1")
    world.lead(campaign, first_name="Bob", state=State.WAIT, click="")
    text = text_of(browser.page("/leads"))
    assert "Ann @alice ● joined News c1" in text
    assert "2 in all" in text
    text = text_of(browser.page(f"/leads?status=0&campaign={campaign}"))
    assert "Bob" in text
    assert "Ann" not in text
    assert "No lead here" in browser.page("/leads?status=4")
    browser.page("/leads?campaign=999999", 404)
    browser.page("/leads?status=9", 422)


def test_pages_go_on_behind_the_last_row(browser, world):
    campaign = world.campaign()
    for index in range(51):
        world.lead(campaign, start_time=1_780_000_000 - index)
    older = browser.page("/leads").split('href="/leads?before=')[1].partition('"')[0]
    page = browser.page(f"/leads?before={older}")
    assert page.count('href="/leads/') == 1


def test_a_lead_is_explained_in_order(browser, world):
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    lead = world.lead(campaign, first_name="Ann", last_name="Lee")
    world.entry(bot, -1, lead_id=lead, action=2, time=2000, decision="cancel not sent: too late")
    world.entry(bot, -1, lead_id=lead, action=5, time=1000, decision="wait, reported")
    text = text_of(browser.page(f"/leads/{lead}"))
    assert text.index("started the bot") < text.index("left 1970")
    assert "cancel not sent: too late" in text
    assert "Why is there no postback?" in text
    dest = world.destination(title="Keitaro")
    world.postback(dest, lead_id=lead, created=1500.0, kind="wait")
    text = text_of(browser.page(f"/leads/{lead}"))
    assert "postback wait" in text
    assert "Why is there no postback?" not in text


def test_what_people_call_themselves_is_text(browser, world):
    lead = world.lead(
        world.campaign(),
        first_name=SCRIPT,
        last_name=SCRIPT,
        username=SCRIPT,
        click=SCRIPT,
        language="<b>",
    )
    world.entry(1, -1, lead_id=lead, decision=SCRIPT)
    for path in ("/leads", f"/leads/{lead}"):
        page = browser.page(path)
        assert "&lt;script&gt;" in page
        assert tags(page).count("script") == 1


def test_the_neighbours_leads_are_not_there(browser, others_world):
    lead = others_world.lead(others_world.campaign(), first_name="Theirs")
    browser.page(f"/leads/{lead}", 404)
    assert "Theirs" not in browser.page("/leads")
