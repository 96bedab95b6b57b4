"""A campaign lives until it is deleted, for Python and for SQL; its counters are found by it."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Campaign, CampaignDay, CampaignQuarter, CampaignStatus, table_of


@pytest.mark.parametrize("status", CampaignStatus)
def test_python_and_sql_agree_on_what_is_living(app, world, status):
    campaign_id = world.campaign(status=status)
    found = db.session.scalars(select(Campaign.id).where(Campaign.living)).all()
    assert (campaign_id in found) is db.session.get_one(Campaign, campaign_id).living
    assert db.session.get_one(Campaign, campaign_id).living is (
        status is not CampaignStatus.DELETED
    )


def test_a_chat_has_one_living_campaign_and_any_number_of_deleted_ones(app, world):
    for status in (CampaignStatus.DELETED, CampaignStatus.DELETED, CampaignStatus.PAUSED):
        world.campaign(chat_id=-77, status=status)
    with pytest.raises(IntegrityError):
        world.campaign(chat_id=-77)


@pytest.mark.parametrize("model", [CampaignDay, CampaignQuarter])
def test_counters_are_kept_by_campaign_and_then_by_time(model):
    key = table_of(model).primary_key.columns.keys()
    assert key == ["campaign_id", "day" if model is CampaignDay else "quarter"]
