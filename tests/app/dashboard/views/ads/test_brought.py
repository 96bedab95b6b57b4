"""What ads brought, by link, by day and by the parameters of the links."""

import json
import time

import pytest

from app.extensions import db
from app.models import Account, JoinDay, SourceDay
from tests.support.dashboard import tags, text_of

DAY = 86_400
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def today():
    return int(time.time()) // DAY


@pytest.fixture
def campaign(world):
    return world.campaign(chat_title="News")


def counted(world, campaign, title, day, numbers):
    clicks, joins = numbers
    source = world.source(campaign, title=title)
    db.session.add(SourceDay(source_id=source, day=day, clicks=clicks, visits=2 * clicks))
    row = {"campaign_id": campaign, "source_id": source, "day": day}
    db.session.add(JoinDay(**row, kind=2, joins=joins))
    db.session.commit()
    return source


def order(page, *names):
    """The names as they stand in the table."""
    table = page.partition("<tbody>")[2]
    return sorted(names, key=table.index)


def test_links_are_sorted_by_the_column_that_is_pressed(browser, world, campaign, today):
    counted(world, campaign, "Reels", today, (40, 1))
    counted(world, campaign, "Stories", today, (8, 4))
    page = browser.page("/statistics/ads?period=7")
    text = text_of(page)
    assert "Reels 80 40 1 2.5 % —" in text.replace("\u202f", " ")
    assert 'aria-sort="descending">Clicks' in page
    assert order(page, "Reels", "Stories") == ["Reels", "Stories"]
    for sort in ("joins", "rate"):
        page = browser.page(f"/statistics/ads?period=7&sort={sort}")
        assert order(page, "Reels", "Stories") == ["Stories", "Reels"], sort
    page = browser.page("/statistics/ads?sort=key")
    assert 'aria-sort="ascending">Link for ads' in page
    assert order(page, "Reels", "Stories") == ["Reels", "Stories"]
    assert 'aria-sort="descending">Clicks' in browser.page("/statistics/ads?sort=nonsense")
    for sort in ("visits", "staying"):
        assert f"&amp;sort={sort}#rows" in page


def test_the_period_before_stands_beside_a_link_if_it_is_asked_for(browser, world, campaign, today):
    source = counted(world, campaign, "Reels", today, (40, 1))
    db.session.add(SourceDay(source_id=source, day=today - 7, clicks=50, visits=80))
    db.session.commit()
    text = text_of(browser.page("/statistics/ads?period=7&compare=before"))
    assert "80 = 0 compared with the period before" in text
    assert "40 ▼ 10 compared with the period before" in text
    assert "1 ▲ 1 compared with the period before" in text
    assert "▼ 10" not in text_of(browser.page("/statistics/ads?period=7"))


def test_days_stand_with_the_newest_first_and_are_not_compared(browser, world, campaign, today):
    for day in (today, today - 2):
        counted(world, campaign, "Reels", day, (5, 1))
    dates = [time.strftime("%Y-%m-%d", time.gmtime(day * DAY)) for day in (today, today - 2)]
    page = browser.page("/statistics/ads?by=day&compare=before")
    assert order(page, *dates) == dates
    assert "Days are not compared." in page
    assert "compared with the period before" not in page.partition("<tbody>")[2]


def test_parameters_of_links_are_text_and_can_be_of_one_campaign(browser, world, campaign):
    source, now = world.source(campaign), int(time.time())
    lead = world.lead(campaign)
    for utm in ({"source": SCRIPT}, {}):
        made = {"created": now, "pressed": now, "lead_id": lead, "utm": json.dumps(utm)}
        world.click(source, **made)
    page = browser.page(f"/statistics/ads?by=utm_source&campaign={campaign}&source={source}")
    assert "&lt;script&gt;" in page
    assert tags(page).count("script") == 1
    assert "— 0 1 1 100.0 % 1" in text_of(page).replace("\u202f", " ")
    assert f"by=utm_source&amp;campaign={campaign}&amp;source={source}" in page
    other = world.campaign()
    assert "Nothing came" in browser.page(f"/statistics/ads?by=utm_source&campaign={other}")
    browser.page("/statistics/ads?by=utm_source&compare=before")


def test_what_is_no_grouping_and_what_is_the_neighbours_is_refused(browser, others_world):
    browser.page("/statistics/ads?by=weather", 422)
    theirs = others_world.campaign()
    browser.page(f"/statistics/ads?campaign={theirs}", 404)
    browser.page(f"/statistics/ads/ads.csv?source={others_world.source(theirs)}", 404)


def test_the_file_has_all_rows_where_the_page_shows_the_first(
    browser, world, campaign, today, monkeypatch
):
    monkeypatch.setattr("app.dashboard.views.ads.brought.SHOWN", 1)
    counted(world, campaign, "=Reels", today, (40, 1))
    last = counted(world, campaign, "Stories", today, (8, 4))
    page = browser.page("/statistics/ads?period=7")
    assert "The first 1 of 2; the file has all" in page
    assert "Stories" not in page.partition("<tbody>")[2]
    assert 'href="/statistics/ads/ads.csv?period=7"' in page
    response = browser.get("/statistics/ads/ads.csv?period=7")
    assert response.mimetype == "text/csv"
    head, first, second = response.get_data(as_text=True).splitlines()
    assert head == "key,title,visits,clicks,joins,staying"
    assert ",'=Reels,80,40,1," in first
    assert second.startswith(f"{last},Stories,16,8,4,")


def test_the_file_has_the_period_before_where_it_is_compared(browser, world, campaign, today):
    source = counted(world, campaign, "Reels", today, (8, 4))
    page = browser.page("/statistics/ads?period=7&compare=before")
    assert 'href="/statistics/ads/ads.csv?period=7&amp;compare=before"' in page
    file = browser.get("/statistics/ads/ads.csv?period=7&compare=before").get_data(as_text=True)
    head, line = file.splitlines()
    assert head.endswith(",joins,staying,visits_before,clicks_before,joins_before")
    assert line == f"{source},Reels,16,8,4,,0,0,0"
    days = browser.get("/statistics/ads/ads.csv?period=7&compare=before&by=day")
    assert "before" not in days.get_data(as_text=True)


def test_dates_are_those_of_the_accounts_zone(browser, account, world, campaign):
    """In the east today has begun before UTC's: its date is meant, and a year is 366 days."""
    db.session.get(Account, account.id).zone = "Pacific/Auckland"
    source = world.source(campaign)
    db.session.add(SourceDay(source_id=source, day=20_454, clicks=7, visits=0))
    db.session.add(SourceDay(source_id=source, day=20_453, clicks=100, visits=0))
    db.session.commit()
    page = text_of(browser.page("/statistics/ads?from=2026-01-01&to=2026-12-31"))
    assert " 0 7 0 " in page
    browser.page("/statistics/ads?from=2024-01-01&to=2024-12-31")


def test_an_account_without_ads_is_told_so(browser):
    page = browser.page("/statistics/ads?period=today")
    assert "Nothing came from ads in these days" in page
    assert 'href="/statistics"' in page
