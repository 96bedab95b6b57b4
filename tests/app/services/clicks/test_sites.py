"""Sites belong to their account, and their tag says where links should lead."""

import pytest
from sqlalchemy import select

from app.domain.clicks.privacy import Consent
from app.errors import BadParameter, NotFound, PlanLimit
from app.extensions import db
from app.models import Bot, Site, Source
from app.services.accounts.quotas import Quota
from app.services.clicks import sites

BASE = "https://gatepost.example"


@pytest.fixture(autouse=True)
def address(change_settings):
    change_settings(public_url=BASE)


@pytest.fixture
def source(app, world):
    return world.source(world.campaign())


def test_the_tag_names_the_site_the_source_and_its_bot(account, source):
    site = sites.add(account.id, domains=["a.example"], source=source, consent=Consent.REQUIRED)
    code = db.session.get_one(Source, source).code
    name = db.session.scalars(select(Bot.username)).one()
    assert site.snippet == (
        f'<script async src="{BASE}/t.js" data-site="{site.site}" data-source="{code}"'
        f' data-links="{name}" data-consent="required"></script>'
    )


def test_a_site_without_a_source_has_a_short_tag(account):
    site = sites.add(account.id, domains=["a.example"])
    assert site.snippet == f'<script async src="{BASE}/t.js" data-site="{site.site}"></script>'


def test_without_an_address_of_our_own_there_is_no_tag(account, change_settings):
    change_settings(public_url="")
    assert sites.add(account.id, domains=["a.example"]).snippet == ""


def test_domains_are_kept_once_as_they_are_compared(account):
    site = sites.add(account.id, domains=["A.example", "https://a.example/x", "*.b.example"])
    assert site.domains == ["a.example", "*.b.example"]


@pytest.mark.parametrize(
    "domains", [[], ["a b"], ["*"], [f"d{number}.example" for number in range(21)]]
)
def test_domains_that_cannot_be_are_refused(account, domains):
    with pytest.raises(BadParameter):
        sites.add(account.id, domains=domains)
    assert db.session.scalars(select(Site)).all() == []


def test_absent_fields_stay_when_a_site_is_edited(account, source):
    site = sites.add(account.id, domains=["a.example"], source=source, capture=3)
    sites.edit(account.id, site.id, domains=["b.example"])
    changed = sites.find(account.id, site.id)
    assert (changed.domains, changed.source, changed.capture) == (["b.example"], source, 3)
    sites.edit(account.id, site.id, source=0, capture=0, consent=Consent.REQUIRED)
    changed = sites.find(account.id, site.id)
    assert (changed.source, changed.capture, changed.consent) == (0, 0, Consent.REQUIRED)


def test_another_accounts_source_and_site_are_not_found(account, other, others_world):
    theirs = others_world.source(others_world.campaign())
    with pytest.raises(NotFound):
        sites.add(account.id, domains=["a.example"], source=theirs)
    site = sites.add(account.id, domains=["a.example"]).id
    for call in (
        lambda: sites.edit(other.id, site, capture=0),
        lambda: sites.remove(other.id, site),
        lambda: sites.find(other.id, site),
        lambda: sites.edit(account.id, site, source=theirs),
    ):
        with pytest.raises(NotFound):
            call()
    assert [row.id for row in sites.listed(account.id)] == [site]
    assert sites.listed(other.id) == []


def test_an_account_has_so_many_sites(account, monkeypatch):
    monkeypatch.setattr("app.services.accounts.quotas._count", lambda *_: int(Quota.SITES))
    with pytest.raises(PlanLimit):
        sites.add(account.id, domains=["a.example"])


def test_a_deleted_site_is_gone(account):
    site = sites.add(account.id, domains=["a.example"]).id
    sites.remove(account.id, site)
    assert sites.listed(account.id) == []
