"""A start with a token gets the click that the token stands for."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.extensions import db
from app.models import Campaign, Click
from app.services.clicks.starts import with_clicks

NOW = 1_800_000_000
DAY = 86_400
TOKEN = "a1B2c3D4e5F6g7H8"


@pytest.fixture
def campaign(world):
    return db.session.get_one(Campaign, world.campaign())


@pytest.fixture
def click(campaign, world):
    source = world.source(campaign.id, lookback=DAY)
    row = Click(
        account_id=campaign.account_id, source_id=source, campaign_id=campaign.id, token=TOKEN,
        created=NOW - DAY, external="c-1",
    )  # fmt: skip
    db.session.add(row)
    db.session.commit()
    return row


def start(code, **fields):
    return LeadEvent(LeadEventKind.START, Person(7), None, NOW, 1, code=code, **fields)


def filled(*events):
    return with_clicks(db.session.connection(), events)


def test_the_event_gets_the_click_its_source_and_its_row(campaign, click):
    begun = start(campaign.code, token=TOKEN)
    expected = replace(begun, click="c-1", source_id=click.source_id, click_id=click.id)
    assert filled(begun) == [expected]


def test_a_click_without_an_id_of_its_own_goes_by_its_token(campaign, click):
    click.external = ""
    db.session.commit()
    assert filled(start(campaign.code, token=TOKEN))[0].click == TOKEN


def test_a_click_that_is_older_than_the_look_back_of_its_source_is_no_evidence(campaign, click):
    begun = replace(start(campaign.code, token=TOKEN), date=NOW + 1)
    assert filled(begun) == [begun]


@pytest.mark.parametrize("token", ["x" * 16, TOKEN.lower()])
def test_an_unknown_token_brings_nothing(campaign, click, token):
    begun = start(campaign.code, token=token)
    assert filled(begun) == [begun]


def test_a_token_of_another_campaign_brings_nothing(campaign, click, world):
    begun = start(db.session.get_one(Campaign, world.campaign()).code, token=TOKEN)
    assert filled(begun) == [begun]


def test_events_without_tokens_cost_no_statement(campaign, click):
    statements, code = [], campaign.code
    connection = db.session.connection()
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
    events = [start(code, click="c-2"), start(code)]
    assert with_clicks(connection, events) == events
    assert statements == []
