"""A postback is owed once for each report, and its partial indexes mean the states they are for."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.models import Attempt, Postback, PostbackState
from tests.support.indexes import indexed

ON_THE_WAY = {PostbackState.WAITING, PostbackState.SENDING}
INDEXES = {
    "ix_postback_waiting": {PostbackState.WAITING},
    "ix_postback_sending": {PostbackState.SENDING},
    "ix_postback_trouble": set(PostbackState) - ON_THE_WAY - {PostbackState.DELIVERED},
}


@pytest.mark.parametrize("state", PostbackState)
def test_a_state_is_an_end_unless_it_is_on_its_way(state):
    assert state.is_final is (state not in ON_THE_WAY)


@pytest.mark.parametrize("name", INDEXES)
def test_a_partial_index_holds_the_states_that_it_is_for(app, world, name):
    destination = world.destination()
    ids = {state: world.postback(destination, state=state) for state in PostbackState}
    assert indexed(Postback, name) == {ids[state] for state in INDEXES[name]}


def test_a_report_is_owed_to_a_destination_once(app, world):
    first, second = world.destination(), world.destination()
    world.postback(first, lead_id=5, sequence=1)
    world.postback(first, lead_id=5, sequence=2)
    world.postback(second, lead_id=5, sequence=1)
    with pytest.raises(IntegrityError):
        world.postback(first, lead_id=5, sequence=1)


def test_a_new_postback_waits_and_has_not_been_tried(app, account):
    row = Postback(
        account_id=account.id, campaign_id=1, lead_id=1, destination_id=1, sequence=1, kind="wait",
        event="{}", due=1.5, created=1.25,
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    db.session.refresh(row)
    assert (row.state, row.tries, row.steps, row.occurrence) == (PostbackState.WAITING, 0, 0, 0)
    assert (row.due, row.created, row.settled, row.lease) == (1.5, 1.25, None, None)


def test_an_attempt_without_an_answer_has_no_status(app, world):
    number = world.attempt(world.postback(world.destination()), status=None, answer="")
    row = db.session.get_one(Attempt, number)
    assert (row.status, row.answer, row.key) == (None, "", "")
