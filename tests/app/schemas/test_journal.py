"""A journal entry says whether a lead was behind it."""

import pytest
from marshmallow import ValidationError

from app.models import Action
from app.schemas.journal import JournalList, JournalOut, LeadJournalOut

ENTRY = {
    "id": 3, "bot_id": 1, "chat_id": -100, "subscriber": 5, "username": "ann", "action": 2,
    "campaign_id": 4, "lead_id": 9, "time": 86_400, "decision": "approve", "account_id": 8,
}  # fmt: skip


def test_an_entry_of_a_lead_is_paid_and_names_it():
    assert JournalOut().dump(ENTRY) == {
        "id": 3, "bot": 1, "chat": -100, "subscriber": 5, "username": "ann", "action": 2,
        "type": "paid", "campaign": 4, "lead": 9, "time": "1970-01-02 00:00:00",
    }  # fmt: skip


def test_an_entry_without_a_lead_is_organic_and_its_lead_is_zero():
    shown = JournalOut().dump({**ENTRY, "lead_id": None})
    assert (shown["type"], shown["lead"]) == ("organic", 0)


def test_the_decision_is_shown_with_the_lead_only():
    assert "decision" not in JournalOut().fields
    assert LeadJournalOut().dump(ENTRY)["decision"] == "approve"


@pytest.mark.parametrize("action", [*Action, min(Action) - 1, max(Action) + 1])
def test_a_filter_takes_every_action_there_is_and_no_other(action):
    query = {"bot": "1", "chat": "-100", "action": str(int(action))}
    if action in list(Action):
        assert JournalList().load(query)["action"] == action
    else:
        with pytest.raises(ValidationError, match="action"):
            JournalList().load(query)


def test_bot_and_chat_come_together_or_not_at_all():
    assert "bot" not in JournalList().load({})
    for query, missing in (({"bot": "1"}, "chat"), ({"chat": "-100"}, "bot")):
        with pytest.raises(ValidationError, match=missing):
            JournalList().load(query)
