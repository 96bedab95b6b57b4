import time

import pytest

from app.domain.attribution import JoinKind
from app.extensions import db
from app.models import Campaign, JoinDay, Source, SourceDay, SourceMode, SourceStatus
from tests.support.dashboard import text_of

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def campaign(world):
    return world.campaign(chat_title=f"News {SCRIPT}")


@pytest.fixture
def source(world, campaign):
    return world.source(campaign, title=f"Reels {SCRIPT}", code="s0000001")


def stored(number):
    db.session.expire_all()
    return db.session.get_one(Source, number)


def test_without_a_link_it_is_said_what_one_is_for(browser):
    page = browser.page("/sources")
    assert "No link yet" in page
    assert 'href="/campaigns"' in page


def test_a_link_is_made_and_shown_with_its_qr_code(browser, campaign, change_settings):
    change_settings(public_url="https://gate.example")
    browser.page("/sources")
    page = browser.done("/sources", title="Stories", campaign=campaign, mode="start")
    (source,) = db.session.query(Source).all()
    assert f"https://gate.example/c/{source.code}" in page
    assert "qr-code" in page
    assert (source.title, source.mode) == ("Stories", SourceMode.START)


def test_without_an_address_of_its_own_the_installation_says_so(browser, source):
    assert "set PUBLIC_URL" in browser.page(f"/sources/{source}")


def test_counters_are_shown_and_strangers_text_is_text(browser, source):
    db.session.add(SourceDay(source_id=source, day=20_000, clicks=41, visits=97, fallbacks=3))
    db.session.commit()
    for path in ("/sources", f"/sources/{source}", "/sources/attribution"):
        page = browser.page(path)
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page
    assert "41" in text_of(browser.page("/sources"))


def test_a_link_is_changed_in_hours_and_days(browser, source):
    page = browser.page(f"/sources/{source}")
    assert 'name="link_ttl" required inputmode="numeric" value="24"' in page
    browser.done(
        f"/sources/{source}", title="Reels", click_param="cid", mode="start", fallback="none",
        link_ttl="48", lookback="7",
    )  # fmt: skip
    row = stored(source)
    assert (row.title, row.click_param) == ("Reels", "cid")
    assert (row.link_ttl, row.lookback) == (48 * 3600, 7 * 86_400)


@pytest.mark.parametrize(
    ("field", "value"), [("link_ttl", "0"), ("lookback", "91"), ("title", ""), ("mode", "magic")]
)
def test_what_cannot_be_saved_is_said_beside_its_field(browser, source, field, value):
    browser.page(f"/sources/{source}")
    page = browser.refused(f"/sources/{source}", **{field: value})
    assert f'href="#{field}"' in page


def test_a_public_chat_is_forced_only_knowingly(browser, world, campaign):
    row = db.session.get_one(Campaign, campaign)
    world.chat(row.bot_id, chat_id=row.chat_id, is_admin=True, username="news")
    browser.page("/sources")
    page = browser.refused("/sources", title="Ads", campaign=campaign, mode="invite")
    assert 'name="force"' in page
    browser.done("/sources", title="Ads", campaign=campaign, mode="invite", force="1")


def test_a_link_is_paused_resumed_and_deleted(browser, source):
    browser.page(f"/sources/{source}")
    browser.done(f"/sources/{source}", do="pause")
    assert stored(source).status == SourceStatus.PAUSED
    browser.done(f"/sources/{source}", do="resume")
    assert stored(source).status == SourceStatus.ACTIVE
    assert "No link yet" in browser.done(f"/sources/{source}", do="delete")
    browser.page(f"/sources/{source}", 404)


def test_the_meter_says_how_many_joins_are_known(browser, campaign, source):
    today = int(time.time()) // 86_400
    rows = {(JoinKind.START, source): 3, (JoinKind.ORGANIC, 0): 1}
    for (kind, of_source), joins in rows.items():
        row = {"campaign_id": campaign, "source_id": of_source, "day": today}
        db.session.add(JoinDay(**row, kind=kind, joins=joins))
    db.session.commit()
    text = text_of(browser.page("/sources/attribution?period=7"))
    assert "3 of 4 joins are known by their click." in text
    assert "75.0" in text


def test_the_neighbours_links_are_not_there(browser, others_world):
    source = others_world.source(others_world.campaign())
    browser.page(f"/sources/{source}", 404)
    browser.page("/sources")
    assert browser.post(f"/sources/{source}", do="delete").status_code == 404


def test_links_are_a_file_with_what_they_have_counted(browser, campaign, world, others_world):
    source = world.source(campaign, title="=Reels()", code="s0000002")
    others_world.source(others_world.campaign(), title="Theirs", code="s0000003")
    db.session.add(SourceDay(source_id=source, day=20_000, clicks=41, visits=97))
    db.session.commit()
    assert "/sources/sources.csv" in browser.page("/sources")
    response = browser.get("/sources/sources.csv")
    assert response.mimetype == "text/csv"
    head, row, end = response.get_data(as_text=True).split("\r\n")
    names = head.split(",")
    values = dict(zip(names, row.split(","), strict=True))
    assert (values["title"], values["clicks"], values["visits"]) == ("'=Reels()", "41", "97")
    assert values["created"].endswith("+00:00")
    assert end == ""


def test_what_is_known_is_a_file_for_the_chosen_days(browser, world):
    campaign = world.campaign(chat_title="=News()")
    source = world.source(campaign, title="Reels", code="s0000004")
    today = int(time.time()) // 86_400
    known, unknown = JoinKind.LINK, JoinKind.ORGANIC
    db.session.add_all(
        [
            SourceDay(source_id=source, day=today - 3, clicks=41, fallbacks=2),
            JoinDay(campaign_id=campaign, source_id=source, day=today - 3, kind=known, joins=3),
            JoinDay(campaign_id=campaign, source_id=0, day=today - 3, kind=unknown, joins=1),
        ]
    )
    db.session.commit()
    page = browser.page("/sources/attribution?period=7")
    assert 'href="/sources/attribution.csv?period=7"' in page
    lines = browser.get("/sources/attribution.csv?period=7").get_data(as_text=True).split("\r\n")
    assert lines[0] == "campaign,chat,source,title,clicks,joins,known,share,fallbacks"
    assert lines[1] == f"{campaign},'=News(),,,41,4,3,75.0,2"
    assert lines[2] == f"{campaign},'=News(),{source},Reels,41,3,3,100.0,2"
    today_only = browser.get("/sources/attribution.csv?period=today").get_data(as_text=True)
    assert f"{campaign},'=News(),,,0,0,0,,0" in today_only
