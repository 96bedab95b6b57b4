"""New postbacks, and what they do to older ones of the same lead."""

from __future__ import annotations

import dataclasses

import pytest

from app.extensions import db
from app.models import Destination, Postback, PostbackState
from app.services import postbacks
from app.services.postbacks import NewPostback
from app.services.postbacks.stage import SUPERSEDED
from tests.support.delivery import Clock, alter


@pytest.fixture
def first(live_app, stage) -> NewPostback:
    """The first report of a lead."""
    return NewPostback(
        account_id=stage.account,
        campaign_id=stage.campaign,
        lead_id=1,
        destination_id=stage.destination,
        sequence=1,
        kind="wait",
        event="{}",
    )


def stage_all(clock: Clock, *new: NewPostback) -> None:
    postbacks.stage(db.session.connection(), new, clock.now)
    db.session.commit()


def next_of(postback: NewPostback, **changes) -> NewPostback:
    return dataclasses.replace(postback, sequence=postback.sequence + 1, kind="hold", **changes)


def test_a_new_postback_is_due_at_once(stage, first, clock):
    stage_all(clock, first)
    (row,) = stage.postbacks()
    assert (row.state, row.due, row.created) == (PostbackState.WAITING, clock.now, clock.now)
    assert (row.tries, row.occurrence, row.settled, row.reason) == (0, 0, None, "")


def test_without_postbacks_nothing_is_written(stage, clock):
    stage_all(clock)
    assert stage.postbacks() == []


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


def test_a_late_status_is_superseded_from_the_start_and_supersedes_nothing(stage, first, clock):
    stage_all(clock, first)
    alter(Postback, tries=1)
    stage_all(clock, next_of(first, late=True))
    old, late = stage.postbacks()
    assert old.state == PostbackState.WAITING
    assert (late.state, late.settled) == (PostbackState.SUPERSEDED, clock.now)
