"""A list that is prepared as a file is the same text as one that is sent at once."""

import time
from datetime import UTC
from typing import Any

import pytest

from app.models import ExportKind
from app.schemas import csv_export
from app.schemas.exported_lists import LISTS
from app.schemas.journal import LeadJournalOut
from app.schemas.leads import LeadOut
from app.schemas.postbacks import PostbackOut
from app.schemas.requests import RequestOut
from app.services.exports import prepared, writer
from app.services.join_requests import query as requests
from app.services.leads import journal
from app.services.leads import query as leads
from app.services.lists import parts
from app.services.postbacks import log

FORMULA = "=1+1"


def many(world, kind: ExportKind) -> dict[str, Any]:
    """Five rows of a list, some of one time, and filters that find four of them."""
    times = (0, 5, 5, 5, 9)
    bot, chat = world.bot(), -1001
    campaign, dest = world.campaign(bot_id=bot, chat_id=chat), world.destination()
    for number, seconds in enumerate(times):
        at = 1_780_000_000 + seconds
        state = 3 if number == 1 else 0
        if kind is ExportKind.LEADS:
            world.lead(campaign, start_time=at, click=FORMULA, state=state)
        elif kind is ExportKind.DELIVERIES:
            world.postback(dest, created=at + 0.1, reason=FORMULA, state=state)
        elif kind is ExportKind.JOURNAL:
            world.entry(bot, chat, time=at, link_name=FORMULA, action=1 + state)
        else:
            world.request(campaign, asked=at, first_name=FORMULA, state=state)
    return {
        ExportKind.LEADS: {"campaign": campaign, "status": 0},
        ExportKind.DELIVERIES: {"dest": dest, "state": 0},
        ExportKind.JOURNAL: {"bot": bot, "chat": chat, "action": 1},
        ExportKind.REQUESTS: {"campaign": campaign, "states": (0, 1)},
    }[kind]


SENT = {
    ExportKind.LEADS: (LeadOut, leads.read_all),
    ExportKind.DELIVERIES: (PostbackOut, log.read_all),
    ExportKind.JOURNAL: (LeadJournalOut, journal.read_all),
    ExportKind.REQUESTS: (RequestOut, requests.read_all),
}


def both(account, kind, filters):
    """The list as it is sent at once, and as it is prepared."""
    schema, read = SENT[kind]
    shown = csv_export.in_zone(schema(many=True), UTC)
    sent = "".join(csv_export.lines(shown, read(account.id, **filters)))
    zone = "Nowhere/Never"  # unknown here, so it is UTC
    options: Any = {"query": "", "zone": zone, "estimate": None, "now": time.time()}
    number = prepared.add(account.id, kind, filters, **options)
    while writer.write_part(LISTS):
        pass
    return sent, "".join(prepared.text(number, prepared.find(account.id, number).parts))


@pytest.mark.parametrize("kind", ExportKind)
def test_a_prepared_list_is_the_one_that_is_sent(account, world, monkeypatch, kind):
    monkeypatch.setattr(parts, "PART", 2)
    sent, prepared_text = both(account, kind, many(world, kind))
    assert prepared_text == sent
    assert sent.count("\r\n") == 5
    assert f",'{FORMULA}," in sent


def test_deliveries_of_one_lead_go_on_by_their_ids(account, world, monkeypatch):
    monkeypatch.setattr(parts, "PART", 2)
    campaign, dest = world.campaign(), world.destination()
    lead = world.lead(campaign)
    for number in range(5):
        world.postback(dest, lead_id=lead, sequence=number)
    sent, prepared_text = both(account, ExportKind.DELIVERIES, {"lead": lead})
    assert prepared_text == sent
    assert sent.count("\r\n") == 6


def test_every_kind_of_list_is_known():
    assert set(LISTS) == set(ExportKind)
