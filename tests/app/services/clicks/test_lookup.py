"""Sources and sites are found by what links and pages name, and by nothing else."""

import pytest

from app.domain.clicks.privacy import Capture, Consent
from app.errors import NotFound
from app.extensions import db
from app.models import Source, SourceStatus
from app.services.clicks import lookup, sites

NOW = 1_700_000_000.0


@pytest.fixture
def source(app, world):
    return world.source(world.campaign())


def code_of(source):
    return db.session.get_one(Source, source).code


def test_a_source_is_found_with_its_campaign_and_bot(source):
    row = lookup.find_source(code_of(source), NOW)
    assert (row.id, row.username[:5], len(row.campaign_code)) == (source, "track", 6)
    assert not lookup.records_nothing(row)


@pytest.mark.parametrize("status", [SourceStatus.PAUSED, SourceStatus.DELETED])
def test_a_paused_source_records_nothing_and_a_deleted_one_is_not_there(source, status):
    code = code_of(source)
    db.session.get_one(Source, source).status = status
    db.session.commit()
    if status == SourceStatus.PAUSED:
        assert lookup.records_nothing(lookup.find_source(code, NOW))
    else:
        with pytest.raises(NotFound):
            lookup.find_source(code, NOW)


def test_a_site_is_found_with_the_code_of_its_default_source(account, source):
    code = code_of(source)
    made = sites.add(account.id, domains=["a.example", "*.b.example"], source=source)
    site = lookup.find_site(made.site)
    assert (site.id, site.account_id) == (made.id, account.id)
    assert (site.domains, site.default_code) == (("a.example", "*.b.example"), code)
    assert (site.capture, site.consent) == (Capture.META_IDS | Capture.OTHER_IDS, Consent.NONE)


@pytest.mark.parametrize("public_id", ["", "x", "x" * 16, "x" * 17, "é" * 16, "\x00" * 16])
def test_what_names_no_site_finds_none(app, public_id):
    assert lookup.find_site(public_id) is None
