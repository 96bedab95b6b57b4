"""A link that is asked for is the one that a press would have led to."""

import pytest
from sqlalchemy import select

from app.domain.clicks.privacy import Consent
from app.extensions import db
from app.models import Click, Source, SourceMode
from app.services.clicks import lookup, page_link, sites, visits
from app.services.clicks.visits import Reporter

BROWSER = Reporter("203.0.113.7", "Mozilla/5.0")
TEMP = "0e984725-c51c-4bf4-9960-e1c80e27aba0"


@pytest.fixture
def source(live_app, world):
    return world.source(world.campaign())


@pytest.fixture
def site(account, source):
    made = sites.add(account.id, domains=["a.example"], source=source, capture=15)
    return lookup.find_site(made.site)


def clicks():
    rows = db.session.scalars(select(Click)).all()
    db.session.commit()
    return rows


def make(site, **params):
    return page_link.make(site.account_id, site, {"tempId": TEMP, **params}, BROWSER).link


def test_the_link_belongs_to_the_visit_that_was_reported(site):
    visit = visits.report(site.account_id, site, {"tempId": TEMP}, BROWSER).visit
    assert make(site).endswith(f"_{visit}")
    (row,) = clicks()
    assert (row.token, row.pressed is not None, row.ip) == (visit, True, "203.0.113.7")


def test_a_visitor_who_was_not_reported_gets_a_link_and_a_click(site):
    assert make(site, tempId="") != make(site, tempId="")
    assert len(clicks()) == 2


def test_without_consent_only_the_token_is_kept(account, source):
    made = sites.add(
        account.id, domains=["a.example"], source=source, capture=15, consent=Consent.REQUIRED
    )
    make(lookup.find_site(made.site))
    (row,) = clicks()
    assert (row.ip, row.ua, row.visitor, row.flags & 8) == (None, None, "", 8)


def test_a_paused_source_leads_on_and_records_nothing(site, source):
    db.session.get_one(Source, source).status = 1
    db.session.commit()
    assert "_" not in make(site).partition("?start=")[2]
    assert clicks() == []


def test_a_page_is_told_of_which_kind_the_link_is_and_when_it_expires(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    where = {"source": inviting.source.code, "tempId": TEMP}
    made = page_link.make(inviting.stage.account, None, where, BROWSER)
    assert made.link.startswith("https://t.me/+")
    assert (made.kind, made.expires) == ("invite", inviting.invite(made.link).expires)
    inviting.join(7, made.link)
    assert inviting.stage.lead(7).click_id == inviting.clicks()[0].id
    again = page_link.make(inviting.stage.account, None, where, BROWSER)
    assert again.link != made.link
