"""Which templates are in force, how five URLs are kept, and what is said of bad ones."""

from typing import NamedTuple

import pytest
from sqlalchemy import select

from app.errors import BadParameter
from app.extensions import db
from app.models import Destination, DestinationStatus, Role
from app.services.trackers import url_templates
from app.services.trackers.url_templates import in_force

URL = "https://tracker.example/postback?click={click}"


class Row(NamedTuple):
    name: str
    role: Role
    campaign_id: int | None


SHARED = Row("the account's templates", Role.TEMPLATE, None)
OWN = Row("the campaign's templates", Role.TEMPLATE, 7)
CONNECTED = Row("connected to the campaign", Role.CONNECTED, 7)
EVERYWHERE = Row("connected to the account", Role.CONNECTED, None)


def test_the_accounts_templates_serve_a_campaign_without_its_own():
    assert in_force([SHARED, CONNECTED, EVERYWHERE]) == [SHARED, CONNECTED, EVERYWHERE]


def test_a_campaigns_own_templates_hide_the_accounts_and_nothing_else():
    rows = [SHARED, OWN, CONNECTED, EVERYWHERE]
    assert in_force(rows) == [OWN, CONNECTED, EVERYWHERE]


def test_what_is_written_is_read_and_inherited_by_nobody(account, world):
    campaign = world.campaign()
    url_templates.write(account.id, None, url_templates.checked({"pb_wait": URL}))
    db.session.commit()
    assert url_templates.read(account.id)["pb_wait"] == URL
    assert set(url_templates.read(account.id, campaign).values()) == {""}


def test_absent_urls_are_emptied(account):
    url_templates.write(account.id, None, url_templates.checked({"pb_wait": URL, "pb_hold": URL}))
    url_templates.write(account.id, None, url_templates.checked({"pb_hold": URL}))
    urls = url_templates.read(account.id)
    assert (urls["pb_wait"], urls["pb_hold"]) == ("", URL)


def test_absent_urls_stay_where_that_is_wanted(account):
    url_templates.write(account.id, None, url_templates.checked({"pb_wait": URL, "pb_hold": URL}))
    changed = url_templates.checked({"pb_hold": "", "pb_trash": URL})
    url_templates.write(account.id, None, changed, keeps_others=True)
    urls = url_templates.read(account.id)
    assert {name for name, url in urls.items() if url} == {"pb_wait", "pb_trash"}


def test_an_emptied_row_is_switched_off_and_revived(account):
    url_templates.write(account.id, None, url_templates.checked({"pb_wait": URL}))
    row = db.session.scalars(select(Destination)).one()
    url_templates.write(account.id, None, url_templates.checked({}))
    assert row.status == DestinationStatus.DELETED
    url_templates.write(account.id, None, url_templates.checked({"pb_approve": URL}))
    assert db.session.scalars(select(Destination)).one() is row
    assert row.status == DestinationStatus.ACTIVE


def test_nothing_is_written_where_nothing_was(account):
    url_templates.write(account.id, None, url_templates.checked({}))
    assert db.session.scalars(select(Destination)).all() == []


def test_a_url_that_cannot_be_used_is_named_by_its_parameter(app):
    with pytest.raises(BadParameter) as caught:
        url_templates.checked({"pb_hold": "ftp://tracker.example/"})
    assert caught.value.field == "pb_hold"


def test_one_warning_names_all_the_templates_it_is_about(app):
    bad = "https://tracker.example/postback"
    (warning,) = url_templates.warnings({"pb_wait": bad, "pb_hold": bad, "pb_trash": URL})
    assert warning.startswith("pb_wait, pb_hold: ")


def test_a_template_is_judged_with_the_customers_own_words(app):
    url = "https://a.example/postback?clickid={click}&action_id={lead}&status={status}"
    assert url_templates.warnings_of({"urls": {"approve": url}})
    own = {"urls": {"approve": url}, "statuses": {"approve": "1"}}
    assert url_templates.warnings_of(own) == []


def test_a_preset_is_not_warned_of(app):
    urls = {"wait": "https://tracker.example/postback"}
    assert url_templates.warnings_of({"urls": urls})
    assert url_templates.warnings_of({"urls": urls, "preset": "keitaro"}) == []
