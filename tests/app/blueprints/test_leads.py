"""Leads are exported as CSV."""

import pytest

from app.extensions import db
from app.models import RequestRule
from app.services.lists import parts
from tests.support.exports import exported

NOON = 1_780_000_000


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART", 2)


@pytest.mark.usefixtures("small_parts")
def test_an_export_is_the_list_in_csv(api, client, account, world, others_world):
    campaign = world.campaign()
    for number in range(5):
        world.lead(campaign, click='a,"b', start_time=NOON + number)
    others_world.lead(others_world.campaign())
    listed = api.get("leads/list")["data"]
    assert exported(client, account) == [
        {name: str(value) for name, value in row.items()} for row in listed
    ]
    assert len(exported(client, account, **{"from": NOON + 3})) == 2
    assert exported(client, account, campaign=world.campaign()) == []


def test_a_wrong_filter_of_an_export_is_answered_in_json(api):
    assert api.get("leads/export", status=9)["field"] == "status"


def _ids(answer):
    return [row["id"] for row in answer["data"]]


def test_a_lead_has_every_documented_field(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, subscriber=9876543210)
    assert api.get("leads/list") == {
        "status": "ok",
        "data": [
            {
                "id": lead,
                "campaign": campaign,
                "subscriber": 9876543210,
                "username": "alice",
                "click": "abc456xyz",
                "status": 2,
                "start_time": "2026-05-28 20:26:40",
                "join_time": "2026-05-28 20:27:40",
                "updated": "2026-05-28 20:27:40",
                "how": "",
                "confidence": "",
            }
        ],
        "total": 1,
    }
    world.lead(campaign, join_time=None, state=0)
    assert api.get("leads/list")["data"][0]["join_time"] == "0000-00-00 00:00:00"


def test_leads_are_filtered_and_counted(api, world):
    first, second = world.campaign(), world.campaign()
    early = world.lead(first, start_time=NOON - 10, state=0)
    middle = world.lead(second, start_time=NOON, state=2)
    late = world.lead(first, start_time=NOON + 10, state=2)
    assert _ids(api.get("leads/list")) == [late, middle, early]
    assert _ids(api.get("leads/list", campaign=first)) == [late, early]
    assert _ids(api.get("leads/list", campaign=first, status=2)) == [late]
    assert _ids(api.get("leads/list", **{"from": NOON, "to": NOON + 9})) == [middle]
    assert _ids(api.get("leads/list", **{"from": NOON + 10})) == [late]
    part = api.get("leads/list", limit=1, offset=1)
    assert (_ids(part), part["total"]) == ([middle], 3)
    assert api.get("leads/list", offset=3) == {"status": "ok", "data": [], "total": 3}


def test_a_lead_is_explained_by_its_journal_and_postbacks(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, first_name="Alice", last_name="B", language="en", premium=True)
    world.entry(1, -5, lead_id=lead, action=5, decision="created", username="alice")
    world.entry(1, -5, lead_id=lead, action=1, decision="approve reported")
    world.entry(1, -5, lead_id=lead + 1000)
    first = world.postback(3, lead_id=lead, kind="wait", sequence=1)
    second = world.postback(3, lead_id=lead, sequence=2)
    data = api.get("leads/get", id=lead)["data"]
    assert (data["id"], data["first_name"], data["premium"]) == (lead, "Alice", True)
    assert [entry["decision"] for entry in data["journal"]] == ["created", "approve reported"]
    assert data["journal"][0]["action"] == 5
    assert [postback["id"] for postback in data["postbacks"]] == [first, second]


def test_a_lead_shows_its_requests_with_rule_and_delay_before_and_after_the_decision(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, subscriber=77)
    rule = RequestRule(campaign_id=campaign, position=3, action=1)
    db.session.add(rule)
    db.session.commit()
    theirs = {"subscriber": 77, "asked": 1000, "lead_id": lead, "rule_id": rule.id, "action": 1}
    world.request(campaign, **theirs, state=4, decided=1030.5, decided_by=0)
    theirs["asked"] = 2000
    world.request(campaign, **theirs, state=1, due=2600.0, decided_by=0)
    world.request(campaign, subscriber=78)
    world.request(world.campaign(), subscriber=77)
    shown = [
        (row["state"], row["rule"], row["delay"], row["decided_by"])
        for row in api.get("leads/get", id=lead)["data"]["requests"]
    ]
    assert shown == [("declined", 3, 30, "rule"), ("scheduled", 3, 600, "rule")]


def test_leads_are_looked_for_and_what_is_not_known_is_named(api, world):
    campaign = world.campaign()
    lead = world.lead(campaign, bot_id=world.bot(), subscriber=77, username="Ann")
    world.lead(campaign, subscriber=78, username="bob")
    for known in ({"username": "@ann"}, {"subscriber": 77}, {"search": "77"}):
        answer = api.get("leads/list", **known)
        assert (_ids(answer), answer["total"], "warnings" in answer) == ([lead], 1, False)
    answer = api.get("leads/list", clik="abc", search="ann")
    assert answer["warnings"] == ["clik: is not known here and was ignored"]
    assert _ids(answer) == [lead]


def test_what_is_looked_for_is_exported(client, account, world):
    world.lead(world.campaign(), username="Ann")
    assert exported(client, account, search="nobody") == []
    assert [row["username"] for row in exported(client, account, search="ann")] == ["Ann"]
