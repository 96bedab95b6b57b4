"""requests/*: who asks to be let into the chats of an account."""

import time

import pytest
from sqlalchemy import select

from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import DecidedBy, JoinRequest, Message, RequestState

NOON = 1_780_000_000


@pytest.fixture
def campaign(world):
    return world.campaign()


def ids(answer):
    return [row["id"] for row in answer["data"]]


def test_requests_are_listed_newest_first_and_by_what_they_are(api, world, campaign):
    source = world.source(campaign)
    one = world.request(campaign, came=2, source_id=source, language="ru")
    two = world.request(campaign, state=RequestState.APPROVED, premium=True, asked=NOON + 5)
    assert ids(api.get("requests/list")) == [two, one]
    assert api.get("requests/list", limit=1)["total"] == 2
    for filters in (
        {"state": "waiting"}, {"how": "click"}, {"source": source}, {"premium": 0},
        {"language": "ru"}, {"to": NOON}, {"before": two},
    ):  # fmt: skip
        assert ids(api.get("requests/list", **filters)) == [one], filters
    assert ids(api.get("requests/list", state="approved", campaign=campaign)) == [two]
    assert ids(api.get("requests/list", **{"from": NOON + 1})) == [two]


def test_one_request_shows_all_of_it_and_the_bio(api, world, campaign):
    number = world.request(
        campaign, chat_id=-5, subscriber=7, first_name="Ann", bio="I sell", rule_id=3,
        state=RequestState.SCHEDULED, action=Verdict.APPROVE, decided_by=DecidedBy.RULE,
        due=NOON + 60.5, lead_id=9, link_name="June", reason="answered",
    )  # fmt: skip
    assert api.get("requests/get", id=number)["data"] == {
        "id": number, "campaign": campaign, "chat": -5, "subscriber": 7, "username": "alice",
        "first_name": "Ann", "last_name": "", "language": "", "premium": False, "how": "unknown",
        "source": 0, "link_name": "June", "state": "scheduled", "action": "approve", "rule": 3,
        "decided_by": "rule", "asked": "2026-05-28 20:26:40", "due": "2026-05-28 20:27:40",
        "decided": "0000-00-00 00:00:00", "reason": "answered", "batch": "", "lead": 9,
        "bio": "I sell",
    }  # fmt: skip


def test_another_accounts_requests_are_not_found(api, others_world):
    theirs = others_world.campaign()
    number = others_world.request(theirs)
    assert api.get("requests/get", id=number)["error"] == "notfound"
    assert api.get("requests/list", campaign=theirs)["error"] == "notfound"
    assert api.get("requests/list")["data"] == []


def test_a_message_goes_with_a_decision_to_who_may_be_written_to(api, world, campaign):
    now = int(time.time())
    inside = world.request(campaign, asked=now - 60, user_chat=71, subscriber=7)
    world.request(campaign, asked=now - 600, user_chat=81, subscriber=8)
    answer = api.post("requests/decide", campaign=campaign, decision="decline", message="*No*")
    assert (answer["data"]["count"], answer["data"]["messages"]) == (2, 1)
    (message,) = db.session.scalars(select(Message))
    assert (message.chat_id, message.text, message.markup) == (71, "No", "")
    assert db.session.get_one(JoinRequest, inside).message_id == message.id
