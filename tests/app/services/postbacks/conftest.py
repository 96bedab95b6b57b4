"""The fixtures of delivery: a clock, a drain that asks it for the time, and a first report."""

import pytest

from app.services.postbacks import NewPostback
from tests.support.delivery import clock, deliver

__all__ = ["clock", "deliver"]


@pytest.fixture
def first(live_app, stage) -> NewPostback:
    """The first report of a lead."""
    return NewPostback(
        account_id=stage.account,
        campaign_id=stage.campaign,
        lead_id=1,
        destination_id=stage.destination,
        sequence=1,
        kind="wait",
        event="{}",
    )
