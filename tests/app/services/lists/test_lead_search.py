"""Leads are found by what somebody knows of them."""

from typing import Any

import pytest

from app.errors import NotFound
from app.services.leads import query
from app.services.lists import lead_search

NOON = 1_780_000_000


@pytest.fixture
def leads(world: Any, others_world: Any) -> dict[str, int]:
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    made = {
        "ann": world.lead(
            campaign, bot_id=bot, subscriber=11, username="AnnLee", click="c-1", start_time=NOON
        ),
        "bob": world.lead(
            campaign,
            bot_id=bot,
            subscriber=12,
            username="bob",
            click="12345678",
            start_time=NOON + 1,
        ),
        "again": world.lead(
            world.campaign(bot_id=bot),
            bot_id=bot,
            subscriber=11,
            username="AnnLee",
            click="c-2",
            start_time=NOON + 2,
        ),
        "nameless": world.lead(
            campaign, bot_id=bot, subscriber=12345678, username="", click="", start_time=NOON + 3
        ),
    }
    others_world.lead(others_world.campaign(), subscriber=11, username="AnnLee", click="c-1")
    return made


def found(account: Any, **filters: Any) -> list[int]:
    page = query.listed(account.id, **filters)
    assert page.total == len(page.rows)
    return [lead.id for lead in page.rows]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"click": "c-1"}, ["ann"]),
        ({"click": "C-1"}, []),
        ({"username": "AnnLee"}, ["again", "ann"]),
        ({"username": "@annlee"}, ["again", "ann"]),
        ({"username": "@"}, []),
        ({"subscriber": 11}, ["again", "ann"]),
        ({"subscriber": 11, "click": "c-2"}, ["again"]),
        ({"subscriber": 12, "click": "c-2"}, []),
        ({"subscriber": 11, "until": NOON}, ["ann"]),
        ({"text": "@AnnLee"}, ["again", "ann"]),
        ({"text": " bob "}, ["bob"]),
        ({"text": "12345678"}, ["nameless", "bob"]),
        ({"text": "c-2"}, ["again"]),
        ({"text": "9" * 30}, []),
    ],
)
def test_leads_are_found(account: Any, leads: Any, filters: Any, names: list[str]) -> None:
    assert found(account, **filters) == [leads[name] for name in names]


def test_other_filters_narrow_what_is_found(account: Any, leads: Any) -> None:
    campaign = query.explained(account.id, leads["ann"]).lead.campaign_id
    assert found(account, username="annlee", campaign=campaign) == [leads["ann"]]
    assert found(account, username="annlee", status=0) == []


def test_what_is_found_comes_by_pages(account: Any, leads: Any) -> None:
    first = query.listed(account.id, text="annlee", limit=1)
    assert ([lead.id for lead in first.rows], first.total) == ([leads["again"]], 2)
    for part in ({"offset": 1}, {"before": leads["again"]}):
        page = query.listed(account.id, text="annlee", limit=1, **part)
        assert [lead.id for lead in page.rows] == [leads["ann"]]
    with pytest.raises(NotFound):
        query.listed(account.id, text="annlee", before=leads["bob"])


def test_what_is_found_is_exported(account: Any, leads: Any) -> None:
    parts = list(query.read_all(account.id, username="annlee"))
    assert [lead.id for part in parts for lead in part] == [leads["again"], leads["ann"]]


def test_of_many_the_newest_are_shown(
    account: Any, leads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lead_search, "MOST", 1)
    assert found(account, username="annlee") == [leads["again"]]


def test_other_letters_are_looked_for_among_the_newest_only(
    account: Any, leads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lead_search, "RECENT", 1)
    assert found(account, username="annlee") == []
    assert found(account, username="AnnLee") == [leads["again"], leads["ann"]]


@pytest.mark.parametrize("text", ["9" * 40, "\u0661\u0662", "%", "' OR 1=1 --", "@", "", " "])
def test_whatever_is_typed_finds_nothing_quietly(leads: Any, account: Any, text: str) -> None:
    assert found(account, text=text) == []
