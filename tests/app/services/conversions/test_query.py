"""Conversions by filters, of one account only."""

from dataclasses import astuple

import pytest

from app.domain.time_ranges import DAY
from app.errors import NotFound
from app.extensions import db
from app.models import ConversionDay
from app.services.conversions import query
from app.services.lists import parts
from app.services.lists.scope import Scope

NOON = 1_800_000_000


def ids(world, **filters):
    return [row.id for row in query.listed(world.account_id, **filters).rows]


def test_they_are_found_by_each_filter_newest_first(world):
    campaign = world.campaign()
    lead = world.lead(campaign)
    one = world.conversion(campaign_id=campaign, lead_id=lead, tid="a", click="c-1", time=5)
    two = world.conversion(kind="refund", tid="b", time=9)
    assert ids(world) == [two, one]
    for filters in (
        {"campaign": campaign}, {"lead": lead}, {"event": "purchase"}, {"click": "c-1"},
        {"tid": "a"}, {"until": 5},
    ):  # fmt: skip
        assert ids(world, **filters) == [one], filters
    assert ids(world, lead=0) == ids(world, since=6) == ids(world, limit=1) == [two]
    assert ids(world, before=two) == [one]
    assert query.listed(world.account_id).total == 2


def test_sums_beyond_64_bits_are_told(world):
    for campaign, currency in ((world.campaign(), "IDR"), (world.campaign(), "IDR")):
        db.session.add(
            ConversionDay(
                campaign_id=campaign, day=NOON // DAY, kind="purchase", currency=currency,
                count=1, value_micro=9_000_000_000_000_000_001,
            )
        )  # fmt: skip
    db.session.add(
        ConversionDay(
            campaign_id=world.campaign(), day=NOON // DAY, kind="refund", currency="USD",
            count=2, value_micro=-49_500_000,
        )
    )  # fmt: skip
    db.session.commit()
    assert [astuple(row) for row in query.sums(Scope(account_id=world.account_id, now=NOON))] == [
        ("purchase", "IDR", 2, 18_000_000_000_000_000_002),
        ("refund", "USD", 2, -49_500_000),
    ]


def test_those_of_another_account_are_not_there(world, others_world):
    number = others_world.conversion()
    assert ids(world) == []
    with pytest.raises(NotFound):
        query.find(world.account_id, number)
    with pytest.raises(NotFound):
        query.listed(world.account_id, campaign=others_world.campaign())


def test_an_export_reads_all_of_them_by_parts(live_app, world, monkeypatch):
    monkeypatch.setattr(parts, "PART", 2)
    numbers = [world.conversion() for _ in range(5)]
    read = [[row.id for row in rows] for rows in query.read_all(world.account_id)]
    assert [number for part in read for number in part] == numbers[::-1]
    assert [len(part) for part in read] == [2, 2, 1]
