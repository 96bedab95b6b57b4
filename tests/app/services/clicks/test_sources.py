"""Sources are made under codes of their own."""

import re

import pytest

from app.errors import PlanLimit
from app.extensions import db
from app.models import Source
from app.services.accounts.quotas import Quota
from app.services.clicks import sources


def test_codes_are_short_random_and_unique(world):
    campaign = world.campaign()
    codes = {sources.add(world.account_id, campaign=campaign, title="x").code for _ in range(50)}
    assert len(codes) == 50
    assert all(re.fullmatch("[a-z0-9]{8}", code) for code in codes)


def test_an_account_has_a_bounded_number_of_sources(world):
    campaign = world.campaign()
    rows = [
        {"account_id": world.account_id, "campaign_id": campaign, "code": f"{number:08}",
         "title": "x", "click_param": "click", "created": 1}
        for number in range(Quota.SOURCES)
    ]  # fmt: skip
    db.session.bulk_insert_mappings(Source, rows)
    with pytest.raises(PlanLimit, match="2500 sources"):
        sources.add(world.account_id, campaign=campaign, title="x")


def test_the_name_of_a_click_parameter_is_quoted_in_links(world, change_settings):
    change_settings(public_url="https://t.example")
    source = sources.add(world.account_id, campaign=world.campaign(), title="x", click_param="c.i")
    (link,) = sources.make_links(world.account_id, source.id)
    assert link.link == f"https://t.example/c/{source.code}"
