"""Leads are listed, exported by parts and explained."""

from typing import Any

import pytest

from app.errors import NotFound
from app.services.leads import query
from app.services.lists import parts

NOON = 1_780_000_000


def test_leads_come_newest_first_and_only_those_of_the_account(
    world: Any, others_world: Any, account: Any
) -> None:
    campaign = world.campaign()
    leads = [world.lead(campaign, start_time=NOON + number) for number in range(3)]
    others_world.lead(others_world.campaign())
    page = query.listed(account.id)
    assert [lead.id for lead in page.rows] == leads[::-1]
    assert [lead.id for lead in query.listed(account.id, since=NOON + 2).rows] == leads[2:]
    assert query.listed(account.id, campaign=campaign, status=0).rows == []


def test_a_foreign_campaign_is_not_found(others_world: Any, account: Any) -> None:
    campaign = others_world.campaign()
    for function in (query.listed, query.read_all):
        with pytest.raises(NotFound):
            function(account.id, campaign=campaign)


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_an_export_has_every_lead_once_whatever_the_part(
    world: Any, account: Any, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    campaign = world.campaign()
    # Two start in one second: parts are cut between them, too.
    leads = [world.lead(campaign, start_time=NOON + number // 2) for number in range(4)]
    monkeypatch.setattr(parts, "PART", size)
    read = [[lead.id for lead in part] for part in query.read_all(account.id)]
    assert [id_ for part in read for id_ in part] == leads[::-1]
    assert max(map(len, read)) <= size


def test_a_lead_is_explained_with_its_last_entries_and_own_postbacks_oldest_first(
    world: Any, others_world: Any, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "MAX_HISTORY", 2)
    lead = world.lead(world.campaign())
    entries = [world.entry(1, -5, lead_id=lead) for _ in range(3)]
    postbacks = [world.postback(1, lead_id=lead, sequence=number) for number in (1, 2)]
    others_world.postback(2, lead_id=lead, sequence=3)  # of an earlier owner's tracker
    history = query.explained(account.id, lead)
    assert history.lead.id == lead
    assert [row.id for row in history.journal] == entries[1:]
    assert [row.id for row in history.postbacks] == postbacks


def test_a_foreign_lead_is_not_explained(others_world: Any, account: Any) -> None:
    lead = others_world.lead(others_world.campaign())
    with pytest.raises(NotFound):
        query.explained(account.id, lead)


def test_leads_with_a_trait_are_found_among_the_newest(
    world: Any, others_world: Any, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.campaign()
    leads = [world.lead(campaign, language="de", start_time=time) for time in (30, 20, 20, 10)]
    world.lead(campaign, language="en", start_time=40)
    page = query.listed(account.id, language="de", limit=2)
    assert ([row.id for row in page.rows], page.total) == ([leads[0], leads[2]], 4)
    page = query.listed(account.id, language="de", campaign=campaign, before=leads[2])
    assert [row.id for row in page.rows] == [leads[1], leads[3]]
    assert query.listed(account.id, language="de", premium=True).total == 0
    assert query.listed(account.id, language="de", since=20).total == 3
    (rows,) = query.read_all(account.id, language="de")
    assert len(rows) == 4
    assert query.listed(account.id, language="de", status=4).total == 0
    with pytest.raises(NotFound):
        query.listed(account.id, language="de", before=leads[0] + 10**6)
    monkeypatch.setattr(query, "SEARCHED", 3)
    assert query.listed(account.id, language="de").total == 2
    with pytest.raises(NotFound):
        query.listed(account.id, source=others_world.source(others_world.campaign()))
