"""A new message waits, is parsed as Markdown, and is found by the state it is in."""

import pytest

from app.extensions import db
from app.models import Message, MessageState
from tests.support.indexes import indexed


@pytest.fixture
def add(app, account):
    def add(**fields):
        row = Message(
            **{
                "account_id": account.id, "bot_id": 1, "chat_id": 2**40, "campaign_id": 1,
                "lead_id": 1, "text": "*hi* \U0001f600", "due": 1.5, "created": 1.25, **fields,
            }
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        db.session.refresh(row)
        return row

    return add


def test_a_new_message_waits_for_its_first_try(add):
    row = add()
    assert (row.state, row.tries, row.reason) == (MessageState.WAITING, 0, "")
    assert (row.text, row.parse_mode, row.entities, row.media) == (
        "*hi* \U0001f600", "Markdown", "", None,
    )  # fmt: skip
    assert (row.due, row.created, row.sent, row.lease) == (1.5, 1.25, None, None)


@pytest.mark.parametrize(
    ("name", "state"),
    [("ix_message_waiting", MessageState.WAITING), ("ix_message_sending", MessageState.SENDING)],
)
def test_a_partial_index_holds_the_one_state_that_it_is_for(add, name, state):
    ids = {each: add(state=each).id for each in MessageState}
    assert indexed(Message, name) == {ids[state]}
