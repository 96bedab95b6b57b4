"""An account reads and changes its profile without touching what it did not name."""

import pytest

from app.errors import BadParameter, CannotConnect
from app.extensions import db
from app.models import Account, CampaignStatus
from app.services import profile

URL = "https://tracker.example/?click={click}"


def test_a_profile_counts_living_campaigns_and_shows_the_plan(app, account, world):
    world.campaign()
    world.campaign(status=CampaignStatus.DELETED)
    shown = profile.read(account.id)
    assert (shown.account.id, shown.plan.code, shown.campaigns) == (account.id, "tiger", 1)


def test_a_plan_that_is_not_sold_any_more_reads_as_the_free_one(app, make_account):
    assert profile.read(make_account(tariff="lion").id).plan.is_free


def test_templates_that_are_not_named_stay(app, account):
    profile.edit_templates(account.id, {"pb_wait": URL, "pb_hold": URL})
    profile.edit_templates(account.id, {"pb_wait": ""})
    templates = profile.read(account.id).templates
    assert (templates["pb_wait"], templates["pb_hold"]) == ("", URL)


def test_one_unusable_template_changes_none(app, account):
    profile.edit_templates(account.id, {"pb_wait": URL})
    with pytest.raises(BadParameter):
        profile.edit_templates(account.id, {"pb_hold": URL, "pb_wait": "ftp://tracker.example"})
    db.session.rollback()
    templates = profile.read(account.id).templates
    assert (templates["pb_wait"], templates["pb_hold"]) == (URL, "")


def test_a_switch_that_is_not_named_stays(app, account):
    profile.choose_notifications(account.id, leads=False)
    profile.choose_notifications(account.id, tariff=False)
    profile.choose_notifications(account.id, leads=True)
    row = db.session.get_one(Account, account.id)
    assert (row.notify_tariff, row.notify_leads) == (False, True)


def test_a_language_is_kept(app, account):
    profile.choose_language(account.id, "ru")
    assert profile.read(account.id).account.lang == "ru"


def test_a_tracker_that_does_not_answer_is_not_connected(live_app, account):
    with pytest.raises(CannotConnect):
        profile.connect(account.id, "127.0.0.1:9", "1-" + "k" * 32)
    assert profile.connection(account.id) == (False, "")


def test_a_blank_domain_disconnects_and_leaves_the_templates(app, account):
    profile.edit_templates(account.id, {"pb_wait": URL})
    row = db.session.get_one(Account, account.id)
    row.tracker_domain, row.tracker_key = "tracker.example", "key"
    db.session.commit()
    assert profile.connection(account.id) == (True, "tracker.example")
    profile.choose_connection(account.id, domain=" ", key="")
    assert profile.connection(account.id) == (False, "")
    assert profile.read(account.id).templates["pb_wait"] == URL
