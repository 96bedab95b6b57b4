"""Actions have the numbers of the public API, and an entry may be of nobody's lead."""

import re

from app.extensions import db
from app.models import Action, JournalEntry
from tests.support import ROOT
from tests.support.indexes import indexed


def test_the_api_is_told_what_each_number_means():
    documented = (ROOT / "docs" / "api.md").read_text()
    (told,) = re.findall(r"Journal `action`: ([^.]+)\.", documented)
    words = {f"{action:d} {action.name.lower().replace('_', ' ')}" for action in Action}
    assert {" ".join(part.split()) for part in told.split(",")} == words


def test_entries_with_a_lead_and_without_one_are_in_two_indexes(app, world):
    paid = world.entry(1, -(2**40), lead_id=5)
    organic = world.entry(1, -(2**40), lead_id=None)
    assert indexed(JournalEntry, "ix_journal_lead_id") == {paid}
    assert indexed(JournalEntry, "ix_journal_organic") == {organic}


def test_an_entry_is_kept_without_a_name_or_a_decision(app, account):
    row = JournalEntry(
        account_id=account.id, bot_id=1, chat_id=-(2**40), campaign_id=1, subscriber=2**40,
        action=Action.BOT_STOPPED, time=1,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    db.session.refresh(row)
    assert (row.lead_id, row.username, row.decision, row.update_id) == (None, "", "", 0)
    assert (row.chat_id, row.subscriber) == (-(2**40), 2**40)
