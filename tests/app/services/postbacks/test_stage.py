"""New postbacks, as they are inserted."""

import dataclasses

from app.extensions import db
from app.models import Postback, PostbackState
from app.services import postbacks
from app.services.postbacks import NewPostback
from tests.support.delivery import Clock, alter


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


def test_a_late_status_is_superseded_from_the_start_and_supersedes_nothing(stage, first, clock):
    stage_all(clock, first)
    alter(Postback, tries=1)
    stage_all(clock, next_of(first, superseded=True))
    old, late = stage.postbacks()
    assert old.state == PostbackState.WAITING
    assert (late.state, late.settled) == (PostbackState.SUPERSEDED, clock.now)
