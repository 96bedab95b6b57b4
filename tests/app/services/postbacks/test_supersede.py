"""An older status of a lead that failed is not sent after a newer one."""

import dataclasses

import pytest

from app.extensions import db
from app.models import Destination, Postback, PostbackState
from app.services import postbacks
from app.services.postbacks import NewPostback
from app.services.postbacks.supersede import SUPERSEDED
from tests.support.delivery import Clock, alter, claim_all


def stage_all(clock: Clock, *new: NewPostback) -> None:
    postbacks.stage(db.session.connection(), new, clock.now)
    db.session.commit()


def next_of(postback: NewPostback) -> NewPostback:
    return dataclasses.replace(postback, sequence=postback.sequence + 1, kind="hold")


def test_an_older_status_that_failed_is_superseded(stage, first, clock):
    stage_all(clock, first)
    alter(Postback, tries=1)
    stage_all(clock, next_of(first))
    old, new = stage.postbacks()
    assert (old.state, old.reason, old.settled) == (
        PostbackState.SUPERSEDED, SUPERSEDED, clock.now,
    )  # fmt: skip
    assert new.state == PostbackState.WAITING


@pytest.mark.parametrize(
    "change",
    [
        {"tries": 0},
        {"tries": 1, "occurrence": 1},
        {"tries": 1, "state": PostbackState.SENDING},
        {"tries": 1, "lead_id": 2},
    ],
)
def test_an_older_one_keeps_its_place(stage, first, clock, change):
    """Never tried, sent again by hand, in flight, or of another lead."""
    stage_all(clock, first)
    alter(Postback, **change)
    stage_all(clock, next_of(first))
    assert stage.postbacks()[0].state == change.get("state", PostbackState.WAITING)


def test_a_destination_that_wants_every_event_loses_none(stage, first, clock):
    alter(Destination, every_event=True)
    stage_all(clock, first)
    alter(Postback, tries=1)
    stage_all(clock, next_of(first))
    assert {row.state for row in stage.postbacks()} == {PostbackState.WAITING}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, PostbackState.SUPERSEDED),
        ({"occurrence": 1}, PostbackState.SENDING),
        ({"tries": 0}, PostbackState.SENDING),
    ],
)
def test_a_retry_is_superseded_when_it_is_claimed_and_a_newer_one_is_there(
    stage, first, clock, change, expected
):
    """Unless it was sent again by hand, or it is no retry."""
    stage_all(clock, first, next_of(first))
    alter(Postback, **{"tries": 1, **change})
    old, new = stage.postbacks()
    claimed = claim_all(clock)
    old, new = stage.postbacks()
    assert (old.state, old.lease is None) == (expected, expected is PostbackState.SUPERSEDED)
    assert (old.id in {postback.id for postback in claimed}) == (expected is PostbackState.SENDING)
    assert new.state != PostbackState.SUPERSEDED


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("approve", "wait"), PostbackState.WAITING),
        (("approve", "hold"), PostbackState.WAITING),
        (("approve", "cancel"), PostbackState.SUPERSEDED),
        (("approve", "trash"), PostbackState.SUPERSEDED),
        (("wait", "approve"), PostbackState.SUPERSEDED),
        (("cancel", "wait"), PostbackState.SUPERSEDED),
    ],
)
def test_a_start_of_a_person_who_is_in_supersedes_no_approval(stage, first, clock, kinds, expected):
    """A person who joined and starts the bot again is still in, and the sale is still owed."""
    older = dataclasses.replace(first, kind=kinds[0])
    newer = dataclasses.replace(next_of(older), kind=kinds[1])
    stage_all(clock, older)
    alter(Postback, tries=1)
    stage_all(clock, newer)
    assert stage.postbacks()[0].state == expected
    alter(Postback, state=PostbackState.WAITING)
    claim_all(clock)
    claimed = PostbackState.SENDING if expected is PostbackState.WAITING else expected
    assert stage.postbacks()[0].state == claimed
