"""What an account may set of itself, and what it is shown."""

from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from app.schemas.profile import Language, ProfileOut, Templates, TrackerConnect, TrackerOut
from app.services.accounts.accounts import LANGUAGES

ACCOUNT = SimpleNamespace(
    id=1, name="Ann", login="ann", lang="en", tariff="cat", paid_until=86_400, notify_tariff=True,
    notify_leads=False, key_hash="h4sh", tracker_key="42-s3cret",
)  # fmt: skip


def test_a_profile_shows_the_plan_and_the_switches_and_no_key():
    templates = SimpleNamespace(pb_wait="https://t.example/", pb_hold="")
    plan = SimpleNamespace(name="Cat", campaigns=15)
    shown = ProfileOut().dump(
        {"account": ACCOUNT, "plan": plan, "campaigns": 2, "templates": templates}
    )
    assert shown["notify"] == {"tariff": True, "leads": False}
    assert (shown["tariff_name"], shown["tariff_campaigns"], shown["campaigns"]) == ("Cat", 15, 2)
    assert (shown["pb_wait"], shown["paid_until"]) == ("https://t.example/", "1970-01-02 00:00:00")
    assert "h4sh" not in str(shown)
    assert "s3cret" not in str(shown)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_of_ours_can_be_chosen(lang):
    assert Language().load({"lang": lang}) == {"lang": lang}


@pytest.mark.parametrize("lang", ["de", "EN", "", None])
def test_no_other_language_can(lang):
    with pytest.raises(ValidationError, match="lang"):
        Language().load({"lang": lang})


def test_absent_templates_are_left_out_and_empty_ones_are_not():
    assert Templates().load({"pb_wait": ""}) == {"pb_wait": ""}


def test_a_tracker_is_disconnected_by_an_empty_domain_and_its_key_is_never_shown():
    assert TrackerConnect().load({"domain": ""}) == {"domain": "", "key": ""}
    with pytest.raises(ValidationError, match="domain"):
        TrackerConnect().load({"key": "42-s3cret"})
    shown = TrackerOut().dump({"connected": True, "domain": "crm.example", "key": "42-s3cret"})
    assert shown == {"connected": True, "domain": "crm.example"}
