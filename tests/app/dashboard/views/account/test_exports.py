"""Long lists are prepared as files, and found again on a page that shows how far each is."""

import re

import pytest
from sqlalchemy import delete, select

from app.dashboard import navigation
from app.extensions import db
from app.models import Account, Export, ExportPart, ExportState
from app.schemas.exported_lists import LISTS
from app.services.accounts.concurrent_calls import EXPORTS
from app.services.accounts.quotas import Quota
from app.services.exports import writer
from app.services.join_requests import query as requests
from app.services.lists import parts
from tests.support.dashboard import text_of

BUTTON = re.compile(r'<form method="post" action="/exports">(.*?)</form>', re.DOTALL)
FIELD = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Three rows are a long list."""
    monkeypatch.setattr(navigation, "LONG", 3)
    monkeypatch.setattr(parts, "PART", 2)


def press(browser, path):
    """Press the button of a list. Returns the page that it leads to."""
    (form,) = BUTTON.findall(browser.page(path))
    return browser.done("/exports", **dict(FIELD.findall(form)))


def write():
    while writer.write_part(LISTS):
        pass


def links(page):
    return re.findall(r'href="(/exports/\d+/file)"', page)


@pytest.fixture
def campaign(world):
    """One with three leads, deliveries, entries of its journal, and requests."""
    bot, dest = world.bot(), world.destination()
    campaign = world.campaign(bot_id=bot, chat_id=-1001, chat_title="News")
    for _ in range(3):
        world.lead(campaign)
        world.postback(dest, campaign_id=campaign)
        world.entry(bot, -1001, action=1)
        world.request(campaign, language="de")
    return campaign


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/leads", "campaign={}&amp;status=2"),
        ("/deliveries", "campaign={}&amp;state=rejected"),
        ("/journal", "campaign={}&amp;action=1"),
        ("/requests", "tab=waiting&amp;campaign={}&amp;language=de"),
    ],
)
def test_a_long_list_is_prepared_found_again_and_downloaded(browser, campaign, path, query):
    query = query.replace("{}", str(campaign)).replace("state=rejected", "state=failed")
    page = press(browser, f"{path}?{query.replace('&amp;', '&')}")
    for name in query.split("&amp;"):
        assert name in page
        assert name.replace("=", " ") in text_of(page)
    assert "is being written" in page
    assert links(page) == []
    write()
    page = browser.page("/exports")
    assert "is ready" in page
    assert "<progress" not in page
    (link,) = links(page)
    response = browser.get(link)
    assert response.mimetype == "text/csv"
    name = path.strip("/")
    assert re.search(rf'filename="{name}-\d{{4}}-\d\d-\d\d.csv"', str(response.headers))
    assert response.headers["Cache-Control"] == "no-store"
    lines = response.get_data(as_text=True).split("\r\n")
    assert lines == browser.get(f"{path}/{name}.csv?{query.replace('&amp;', '&')}").get_data(
        as_text=True
    ).split("\r\n")
    assert len(lines) == 5


def test_a_short_list_is_sent_at_once(browser, world):
    world.lead(world.campaign())
    page = browser.page("/leads")
    assert BUTTON.findall(page) == []
    assert "/leads/leads.csv" in page


def test_how_far_it_is_is_shown_with_and_without_script(browser, campaign):
    page = press(browser, "/leads")
    assert 'max="3" value="0"' in page
    assert 'data-refresh="2"' in page
    assert 'href="/exports">Look how far it is' in page
    writer.write_part(LISTS)
    page = browser.page("/exports")
    assert 'max="3" value="2"' in page
    assert "2 of 3" in text_of(page)
    write()
    assert "data-refresh" not in browser.page("/exports")


def test_a_list_that_is_not_counted_to_its_end_has_no_measure(browser, campaign, monkeypatch):
    monkeypatch.setattr(requests, "COUNTED", 2)
    monkeypatch.setattr(navigation, "LONG", 2)
    assert "<progress aria-label" in press(browser, "/requests")


def test_one_that_ends_early_and_one_that_failed_say_so(browser, campaign, monkeypatch):
    monkeypatch.setattr(writer, "MOST_ROWS", 2)
    press(browser, "/leads")
    write()
    press(browser, "/deliveries")
    row = db.session.scalars(select(Export).order_by(Export.id.desc())).first()
    row.state = ExportState.FAILED
    db.session.commit()
    page = browser.page("/exports")
    assert "ends early" in page
    assert "could not be written" in page
    assert len(links(page)) == 1


def test_it_is_given_up_and_deleted(browser, campaign):
    page = press(browser, "/leads")
    assert "Give it up" in page
    (path,) = re.findall(r'action="(/exports/\d+/delete)"', page)
    assert "It is deleted." in browser.done(path)
    assert "No file here" in browser.page("/exports")
    assert browser.post(path).status_code == 404


def test_more_than_an_account_may_have_are_refused_on_that_page(browser, campaign):
    for _ in range(Quota.EXPORTS):
        press(browser, "/leads")
    (form,) = BUTTON.findall(browser.page("/leads"))
    response = browser.post("/exports", **dict(FIELD.findall(form)))
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert "at most 3 prepared files" in page
    assert page.count("/delete") == 3


def test_what_is_no_list_or_no_filter_is_refused(browser, campaign):
    browser.page("/exports")
    for kind in ("", "nonsense", "account"):
        assert browser.post("/exports", kind=kind).status_code == 404
    assert browser.post("/exports", kind="leads", status="x").status_code == 422
    assert browser.post("/exports", kind="leads", campaign=10**9).status_code == 404
    assert browser.post("/exports", kind="journal", campaign=10**9).status_code == 404
    assert browser.post("/exports", kind="requests", tab="x").status_code == 404
    assert db.session.scalars(select(Export)).all() == []


def test_the_neighbours_files_are_not_there(browser, campaign, other, others_world, make_browser):
    press(browser, "/leads")
    write()
    (link,) = links(browser.page("/exports"))
    theirs = make_browser().log_in(other.key)
    assert "No file here" in theirs.page("/exports")
    theirs.page(link, 404)
    theirs.page("/settings")
    assert theirs.post(link.replace("/file", "/delete")).status_code == 404
    assert theirs.post("/exports", kind="leads", campaign=campaign).status_code == 404
    assert browser.get(link).status_code == 200


def test_an_account_without_a_plan_may_take_its_lists_with_it(browser, campaign, account):
    row = db.session.get_one(Account, account.id)
    row.tariff, row.paid_until = "tiger", 1
    db.session.commit()
    press(browser, "/leads")
    write()
    assert len(links(browser.page("/exports"))) == 1


def test_it_takes_a_place_among_the_accounts_exports(browser, campaign, account):
    press(browser, "/leads")
    write()
    (link,) = links(browser.page("/exports"))
    with EXPORTS.running(account.id), EXPORTS.running(account.id):
        assert browser.get(link).status_code == 429
    assert browser.get(link).status_code == 200


def test_settings_lead_to_the_files(browser):
    assert 'href="/exports"' in browser.page("/settings")


def test_one_whose_end_is_deleted_while_it_is_read_says_that_it_broke_off(browser, campaign):
    press(browser, "/leads")
    write()
    (link,) = links(browser.page("/exports"))
    db.session.execute(delete(ExportPart).where(ExportPart.number == 1))
    db.session.commit()
    head, *_, last, nothing = browser.get(link).get_data(as_text=True).split("\r\n")
    assert head.startswith("id,")
    assert last.startswith("INCOMPLETE")
    assert nothing == ""
