"""Sums of counters, where some of them were counted before others were."""

from typing import Any

import pytest

from app.domain.lead import Counts
from app.extensions import db
from app.models import CampaignDay
from app.services.leads.stats.aggregates import by_day, campaigns_of, of_campaigns, of_quarters
from app.services.lists.scope import Scope

PER_DAY = 96


@pytest.fixture
def three_days(world: Any) -> int:
    """Days 10 to 12 of a campaign: the first was counted before kicks were told apart."""
    campaign = int(world.campaign())
    known = {10: (None, None), 11: (1, 5), 12: (2, -1)}
    for day, (kicks, organic) in known.items():
        row = CampaignDay(campaign_id=campaign, day=day, unsubs=4, kicks=kicks, organic=organic)
        db.session.add(row)
        db.session.flush()
        if kicks is None:  # a default stands for None in an INSERT
            row.kicks, row.organic = None, None
    db.session.commit()
    return campaign


def test_what_some_days_do_not_know_a_range_of_them_does_not_know(
    account: Any, three_days: int
) -> None:
    mine = campaigns_of(Scope(account_id=account.id, now=0))
    assert of_quarters(mine, 10 * PER_DAY, 13 * PER_DAY) == Counts(
        unsubs=12, kicks=None, organic=None
    )
    known = Counts(unsubs=8, kicks=3, organic=4)
    assert of_quarters(mine, 11 * PER_DAY, 13 * PER_DAY) == known
    assert of_campaigns(mine, 11 * PER_DAY, 13 * PER_DAY) == {three_days: known}


def test_each_day_knows_what_it_knows_and_no_sum_is_below_zero(
    account: Any, three_days: int
) -> None:
    days = by_day(campaigns_of(Scope(account_id=account.id, now=0, campaign=three_days)), 10, 12, 0)
    assert days[10] == Counts(unsubs=4, kicks=None, organic=None)
    assert days[11] == Counts(unsubs=4, kicks=1, organic=5)
    assert days[12] == Counts(unsubs=4, kicks=2, organic=0)


def test_without_rows_all_is_known_to_be_nothing(account: Any) -> None:
    mine = campaigns_of(Scope(account_id=account.id, now=0))
    assert of_quarters(mine, 10 * PER_DAY, 13 * PER_DAY) == Counts()
    assert by_day(mine, 10, 12, 4) == {}
