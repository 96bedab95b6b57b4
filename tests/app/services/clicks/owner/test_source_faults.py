"""What is wrong with links of ads is found in their newest clicks."""

import time

import pytest

from app.domain.clicks.link_query import QueryFlag
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import SourceDay, SourceStatus
from app.services.clicks.owner import source_faults
from app.services.clicks.owner.source_faults import FaultKind, SourceFault

NOW = int(time.time())


@pytest.fixture
def source(world):
    return world.source(world.campaign(), title="Reels")


def count(source, clicks, fallbacks, day=NOW // DAY):
    db.session.add(SourceDay(source_id=source, day=day, clicks=clicks, fallbacks=fallbacks))
    db.session.flush()


def test_a_share_of_clicks_without_a_link_of_their_own_is_told_from_five_percent_on(world, source):
    count(source, 30, 1, NOW // DAY - 1)
    assert source_faults.find(world.account_id, NOW) == []
    count(source, 30, 2)
    told = [SourceFault(FaultKind.FALLBACK, source, "Reels", 5)]
    assert source_faults.find(world.account_id, NOW) == told
    assert source_faults.find(world.account_id, NOW + 2 * DAY) == []


def test_a_macro_that_nobody_replaced_is_told_of_the_newest_clicks(world, source, monkeypatch):
    for number in range(20):
        flags = int(QueryFlag.UNREPLACED | QueryFlag.CUT) if number % 2 else int(QueryFlag.CUT)
        world.click(source, created=NOW - 60, flags=flags)
    assert source_faults.find(world.account_id, NOW) == [
        SourceFault(FaultKind.MACRO, source, "Reels", 50)
    ]
    assert source_faults.find(world.account_id, NOW + DAY) == []
    monkeypatch.setattr(source_faults, "NEWEST", 19)  # too few to speak of a share
    assert source_faults.find(world.account_id, NOW) == []


@pytest.mark.parametrize("status", [SourceStatus.PAUSED, SourceStatus.DELETED])
def test_nothing_is_told_of_a_link_that_is_not_in_use_or_is_anothers(world, others_world, status):
    count(world.source(world.campaign(), status=status), 30, 30)
    count(others_world.source(others_world.campaign()), 30, 30)
    assert source_faults.find(world.account_id, NOW) == []
