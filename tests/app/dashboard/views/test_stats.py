import re
import time

import pytest

from app.extensions import db
from app.models import CampaignCohort, CampaignDay, CampaignQuarter
from tests.support.dashboard import tags, text_of

DAY = 86_400


@pytest.fixture
def campaign(world):
    number, today = world.campaign(chat_title="=News"), int(time.time()) // DAY
    counted = {"starts": 40, "holds": 20, "confirms": 10, "unsubs": 3, "kicks": 2}
    counted["organic"] = 7
    db.session.add(CampaignQuarter(campaign_id=number, quarter=(today - 2) * 96, **counted))
    db.session.add(CampaignDay(campaign_id=number, day=today - 2, **counted))
    db.session.add(CampaignCohort(campaign_id=number, join_day=today - 2, age_day=1, left=3))
    db.session.commit()
    return number


def test_days_campaigns_and_who_stays(browser, campaign):
    page = browser.page("/statistics")
    text = text_of(page).replace("\u202f", " ")
    assert "=News 40 20 10 3 2 25.0 % 7 7" in text
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

    counted = "starts,holds,confirms,unsubs,kicks,leaves,organic,cr"
    assert lines("days")[0] == f"date,{counted}"
    assert any(line.endswith(",40,20,10,3,2,1,7,25.0") for line in lines("days"))
    assert lines("campaigns") == [
        f"campaign,title,{counted}", f"{campaign},'=News,40,20,10,3,2,1,7,25.0",
    ]  # fmt: skip
    assert lines("retention")[0] == "date,joined,d0,d1,d3,d7,d14,d30"
    assert lines("leaving") == ["days,left", "1,3"]
    browser.page("/statistics/nothing.csv", 404)


def test_an_empty_account_has_empty_tables(browser):
    page = browser.page("/statistics?period=today")
    assert "Nobody joined in these days." in page
    assert "Nobody left." in page


def test_campaigns_are_sorted_by_the_column_that_is_pressed(browser, world, campaign):
    other, day = world.campaign(chat_title="Second"), int(time.time()) // DAY - 2
    numbers = {"starts": 9000, "holds": 0, "confirms": 1, "unsubs": 0, "kicks": 0, "organic": 0}
    db.session.add(CampaignQuarter(campaign_id=other, quarter=day * 96, **numbers))
    db.session.add(CampaignDay(campaign_id=other, day=day, **numbers))
    db.session.commit()

    def first(page):
        table = page.partition('id="campaigns-title"')[2]
        return table.partition('<tbody><tr><th scope="row"><a href="/campaigns/')[2].split('"')[0]

    assert first(browser.page("/statistics")) == str(campaign)
    page = browser.page("/statistics?sort=starts")
    assert first(page) == str(other)
    assert 'aria-sort="descending">Starts' in page
    assert first(browser.page("/statistics?sort=nonsense")) == str(campaign)


def test_days_are_sorted_by_the_column_that_is_pressed(browser, world, campaign):
    day = int(time.time()) // DAY - 3
    numbers = {"starts": 50, "holds": 0, "confirms": 1, "unsubs": 0, "kicks": 0, "organic": 0}
    db.session.add(CampaignQuarter(campaign_id=campaign, quarter=day * 96, **numbers))
    db.session.add(CampaignDay(campaign_id=campaign, day=day, **numbers))
    db.session.commit()
    dates = [time.strftime("%Y-%m-%d", time.gmtime((day + n) * DAY)) for n in (0, 1)]

    def days(query):
        table = browser.page(f"/statistics{query}").partition('<caption class="sr">By day<')[2]
        return re.findall(r'class="day">([0-9-]+)<', table.partition("</table>")[0])

    assert days("?days=starts")[:2] == dates
    assert days("?days=confirms")[:2] == [dates[1], dates[0]]
    assert days("?days=nonsense") == days("") == sorted(days(""), reverse=True)


def test_a_table_keeps_its_order_while_the_other_is_sorted_and_the_period_changes(
    browser, campaign
):
    page = browser.page("/statistics?days=starts&sort=net&compare=off&period=7")
    assert "?period=7&amp;sort=net&amp;compare=off&amp;days=rate#days-title" in page
    assert "?period=7&amp;compare=off&amp;days=starts&amp;sort=first#campaigns-title" in page
    assert "?sort=net&amp;compare=off&amp;days=starts&amp;period=30" in page
    page = browser.page("/statistics?sort=first")
    assert 'aria-sort="ascending">Campaign' in page
