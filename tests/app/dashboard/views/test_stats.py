from __future__ import annotations

import time

import pytest

from app.extensions import db
from app.models import CampaignCohort, CampaignDay, CampaignQuarter
from tests.support.dashboard import tags, text_of

DAY = 86_400


@pytest.fixture
def campaign(world):
    number, today = world.campaign(chat_title="=News"), int(time.time()) // DAY
    counted = {"starts": 40, "holds": 20, "confirms": 10, "unsubs": 3}
    db.session.add(CampaignQuarter(campaign_id=number, quarter=(today - 2) * 96, **counted))
    db.session.add(CampaignDay(campaign_id=number, day=today - 2, **counted))
    db.session.add(CampaignCohort(campaign_id=number, join_day=today - 2, age_day=1, left=3))
    db.session.commit()
    return number


def test_days_campaigns_and_who_stays(browser, campaign):
    page = browser.page("/statistics")
    text = text_of(page).replace("\u202f", " ")
    assert "=News 40 20 10 3 25.0 % 7" in text
    assert "D0 D1 D3 D7 D14 D30" in text
    assert "100.0 %" in text
    assert "Whole days after joining" in text
    assert tags(page).count("script") == 1
    assert len(page.encode()) < 60_000


def test_one_campaign_is_chosen(browser, campaign, others_world):
    assert "By campaign" not in browser.page(f"/statistics?campaign={campaign}")
    browser.page(f"/statistics?campaign={others_world.campaign()}", 404)
    browser.page("/statistics?campaign=x", 422)


def test_each_table_is_there_as_csv(browser, campaign):
    def lines(table):
        response = browser.get(f"/statistics/{table}.csv?period=7")
        assert response.mimetype == "text/csv"
        assert "attachment" in response.headers["Content-Disposition"]
        return response.get_data(as_text=True).splitlines()

    assert lines("days")[0] == "date,starts,requests,joined,left"
    assert any(line.endswith(",40,20,10,3") for line in lines("days"))
    assert lines("campaigns")[1] == "'=News,40,20,10,3"
    assert lines("retention")[0] == "date,joined,d0,d1,d3,d7,d14,d30"
    assert lines("leaving") == ["days,left", "1,3"]
    browser.page("/statistics/nothing.csv", 404)


def test_an_empty_account_has_empty_tables(browser):
    page = browser.page("/statistics?period=today")
    assert "Nobody joined in these days." in page
    assert "Nobody left." in page
