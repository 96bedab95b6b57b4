"""What of a reported visit is kept: what the site captures, and nothing that a visitor declines."""

import time

import orjson
import pytest
from sqlalchemy import select

from app.domain.clicks.privacy import Capture, Consent
from app.errors import BadParameter, NotFound
from app.extensions import db
from app.models import Account, AccountStatus, Click, Source
from app.services.clicks import lookup, sites, visits
from app.services.clicks.visits import Reporter

BROWSER = Reporter("203.0.113.7", "Mozilla/5.0", "DE")
FBP = "fb.1.1790000000000.123"
TEMP = "0e984725-c51c-4bf4-9960-e1c80e27aba0"
BODY = {"tempId": TEMP, "href": "https://a.example/p?fbclid=x&gclid=y", "fbp": FBP}


@pytest.fixture
def source(live_app, world):
    return world.source(world.campaign())


@pytest.fixture
def make_site(account, source):
    def make(**fields):
        made = sites.add(account.id, domains=["a.example"], **{"source": source, **fields})
        return lookup.find_site(made.site)

    return make


def report(site, body=BODY, reporter=BROWSER):
    return visits.report(site.account_id, site, body, reporter)


def only_click():
    row = db.session.scalars(select(Click)).one()
    db.session.commit()
    return row


def clicks():
    rows = db.session.scalars(select(Click)).all()
    db.session.commit()
    return rows


@pytest.mark.parametrize("capture", [Capture.NONE, Capture(12), ~Capture.NONE])
def test_only_what_the_site_captures_is_kept(make_site, capture):
    report(make_site(capture=capture))
    row = only_click()
    assert row.ip == ("203.0.113.7" if capture & Capture.IP else None)
    assert row.ua == ("Mozilla/5.0" if capture & Capture.USER_AGENT else None)
    ids = {"fbclid": "x", "fbp": FBP, "gclid": "y"} if capture & Capture.META_IDS else {}
    assert orjson.loads(row.ids) == ids
    assert (row.landing, row.country, row.pressed) == ("https://a.example/p", "DE", None)


def test_a_browser_that_asks_not_to_be_recognised_is_not(make_site):
    anonymous = Reporter("203.0.113.7", "Mozilla/5.0", "DE", is_anonymous=True)
    report(make_site(capture=15), reporter=anonymous)
    row = only_click()
    assert (row.ip, row.ua, row.visitor) == (None, None, "")
    assert orjson.loads(row.ids) == {"fbclid": "x", "gclid": "y"}


@pytest.mark.parametrize(
    ("consent", "said", "kept"),
    [
        (Consent.REQUIRED, {}, False),
        (Consent.REQUIRED, {"consent": False}, False),
        (Consent.REQUIRED, {"consent": "true"}, False),
        (Consent.REQUIRED, {"consent": True}, True),
        (Consent.NONE, {}, True),
        (Consent.NONE, {"consent": False}, False),
    ],
)
def test_without_consent_a_visit_is_answered_and_not_recorded(make_site, consent, said, kept):
    ids = report(make_site(consent=consent), BODY | said)
    assert len(ids.visit) == 16
    assert len(clicks()) == kept


def test_ids_of_a_visit_are_answered_as_they_were_sent_or_made(make_site):
    site = make_site()
    ids = report(site, BODY | {"clientSessionId": "s-1"})
    assert (ids.temp, ids.session) == (TEMP, "s-1")
    assert report(site).visit == ids.visit
    assert [name.startswith("track") for name in ids.names] == [True]
    made = report(site, {"href": "https://a.example/", "tempId": 5})
    assert len(made.temp) == 22
    assert made.visit != ids.visit


def test_a_source_of_another_account_is_not_found(make_site, others_world):
    theirs = others_world.source(others_world.campaign())
    code = db.session.get_one(Source, theirs).code
    db.session.commit()
    with pytest.raises(NotFound):
        report(make_site(), BODY | {"source": code})
    with pytest.raises(BadParameter):
        report(make_site(source=0))
    assert clicks() == []


def test_a_paused_source_records_nothing(make_site, source):
    db.session.get_one(Source, source).status = 1
    db.session.commit()
    report(make_site())
    assert clicks() == []


def add_fbp(site, fbp=FBP, temp=TEMP):
    return visits.add_fbp(site, site.account_id, temp, fbp)


def test_a_late_fbp_is_added_once_to_the_newest_visit(make_site):
    site = make_site()
    report(site, {"tempId": TEMP, "href": "https://a.example/"})
    assert add_fbp(site)
    assert add_fbp(site, FBP + "9")
    assert orjson.loads(only_click().ids) == {"fbp": FBP}


def test_no_fbp_is_added_for_a_banned_account(make_site, account):
    site = make_site()
    report(site, {"tempId": TEMP, "href": "https://a.example/"})
    db.session.get_one(Account, account.id).status = AccountStatus.BANNED
    db.session.commit()
    assert add_fbp(site)
    assert orjson.loads(only_click().ids) == {}


def test_an_fbp_is_not_added_after_a_day_nor_where_it_is_not_captured(make_site):
    site, reserved = make_site(), make_site(capture=0)
    report(site, {"tempId": TEMP, "href": "https://a.example/"})
    assert add_fbp(reserved)
    row = db.session.scalars(select(Click)).one()
    row.created = int(time.time()) - visits.FBP_SECONDS - 1
    db.session.commit()
    assert add_fbp(site)
    assert orjson.loads(only_click().ids) == {}


def test_what_is_no_fbp_is_refused_and_a_strangers_mark_tells_nothing(make_site):
    site = make_site()
    assert not add_fbp(site, "fb.1.5.x")
    assert not add_fbp(site, temp="nobody")
    assert add_fbp(site, temp="x" * 22)


def test_a_server_that_names_no_site_adds_no_fbp_where_the_site_captures_none(make_site, account):
    report(make_site(capture=0), {"tempId": TEMP, "href": "https://a.example/"})
    assert visits.add_fbp(None, account.id, TEMP, FBP)
    assert orjson.loads(only_click().ids) == {}


def test_without_a_site_the_fbp_belongs_to_the_newest_visit_of_any(make_site, account):
    site = make_site()
    report(site, {"tempId": TEMP, "href": "https://a.example/"})
    assert visits.add_fbp(None, account.id, TEMP, FBP)
    assert orjson.loads(only_click().ids) == {"fbp": FBP}
    sites.remove(account.id, site.id)
    assert visits.add_fbp(None, account.id, TEMP, FBP + "9")
    assert orjson.loads(only_click().ids) == {"fbp": FBP}
