import time

import pytest

from app.extensions import db
from app.models import CampaignDay, CampaignQuarter, Postback, PostbackState
from tests.support.dashboard import tags, text_of


@pytest.fixture
def counted(world):
    campaign, now = world.campaign(), int(time.time())
    numbers = {"starts": 40, "holds": 20, "confirms": 10, "unsubs": 3}
    db.session.add(CampaignQuarter(campaign_id=campaign, quarter=now // 900, **numbers))
    db.session.add(CampaignDay(campaign_id=campaign, day=now // 86_400, **numbers))
    db.session.commit()
    return campaign


def test_numbers_of_the_period_and_the_chart_of_its_days(browser, counted):
    text = text_of(browser.page("/"))
    for part in ("Starts 40", "Requests 20", "Joined 10", "Left 3", "Join rate 25.0 %", "Net 7"):
        assert part in text.replace("\u202f", " "), part
    page = browser.page("/?period=today")
    assert page.count('<svg role="img"') == 2
    assert "The same as a table" in page


def test_a_zone_moves_the_days(browser, account, counted):
    from app.models import Account

    db.session.get_one(Account, account.id).zone = "Pacific/Kiritimati"
    db.session.commit()
    assert "Joined 10" in text_of(browser.page("/"))


def test_an_empty_account_has_zeros_and_no_faults(browser):
    page = browser.page("/?period=yesterday")
    assert "Five steps to your first postback" in page
    assert "Nothing is wrong." not in page  # nor are there numbers to look at
    assert page.count("<svg role") == 0
    assert "<script>" not in page
    assert "style" not in tags(page)


def test_each_step_is_shown_when_its_turn_comes(browser, account, world):
    page = browser.page("/")
    assert 'href="/bots#token"' in page
    bot = world.bot(username="gate_bot")
    page = browser.page("/")
    assert "https://t.me/gate_bot?startchannel&amp;admin=invite_users" in page
    assert "https://t.me/gate_bot?startgroup&amp;admin=invite_users" in page
    chat = world.chat(bot, is_admin=True)
    assert 'href="/campaigns#chat"' in browser.page("/")
    campaign = world.campaign(bot_id=bot, chat_id=chat, code="abc12")
    page = browser.page("/")
    assert f'href="/campaigns/{campaign}/postbacks#pb_wait"' in page
    destination = world.destination()
    page = browser.page("/")
    assert "https://t.me/gate_bot?start=abc12-test1" in page
    assert "<svg" in page
    lead = world.lead(campaign)
    page = browser.page("/")
    assert f'href="/leads/{lead}"' in page
    postback = world.postback(
        destination, campaign_id=campaign, state=PostbackState.WAITING, created=time.time()
    )
    assert f'href="/deliveries/{postback}"' in browser.page("/")
    db.session.get_one(Postback, postback).state = PostbackState.DELIVERED
    db.session.commit()
    page = browser.page("/")
    assert "Your first postback has been delivered" in page
    assert 'aria-current="step"' not in page
    db.session.get_one(Postback, postback).created = time.time() - 7200
    db.session.commit()
    assert "first-steps" not in browser.page("/")


def test_what_needs_attention_is_hidden_for_a_week(browser, world):
    campaign = world.campaign(welcome_fault="the photo is gone", chat_title="News")
    world.campaign(welcome_fault="the video is gone", chat_title="Sports")
    page = browser.page("/")
    assert f'value="welcome:{campaign}"' in page
    text = text_of(browser.done("/attention", item=f"welcome:{campaign}"))
    assert "It is hidden for 7 days." in text
    assert "1 thing is hidden." in text
    assert "the photo is gone" not in text
    assert "the video is gone" in text
    browser.post("/attention", do="show")
    assert "the photo is gone" in text_of(browser.page("/"))


def test_only_what_is_there_can_be_hidden(browser, others_world):
    theirs = others_world.campaign(welcome_fault="gone")
    browser.page("/")
    for name in ("", "nonsense", f"welcome:{theirs}"):
        assert browser.post("/attention", item=name).status_code == 404


def test_it_is_said_in_russian_to_a_russian_account(make_browser, make_account):
    page = make_browser().log_in(make_account(lang="ru").key).page("/")
    assert '<html lang="ru">' in page
    assert "Обзор" in page


def test_the_numbers_of_one_campaign_are_chosen_and_compared_or_not(browser, world, counted):
    other = world.campaign(chat_title="Other")
    text = text_of(browser.page(f"/?campaign={other}&period=7"))
    assert "Starts 0" in text
    page = browser.page(f"/?campaign={counted}&period=7")
    assert "Starts 40 ▲" in text_of(page)
    assert f"?campaign={counted}&amp;period=today" in page
    alone = browser.page(f"/?campaign={counted}&compare=off")
    assert "Starts 40 Requests 20" in text_of(alone)
    browser.page("/?campaign=999999", 404)
    browser.page("/?campaign=x", 422)
