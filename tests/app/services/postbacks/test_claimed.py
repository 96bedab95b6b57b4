"""What can become of a claimed postback, as column values."""

import dataclasses

from app.models import PostbackState
from app.services.postbacks import Progress
from tests.support.delivery import make_claimed

CLAIMED = dataclasses.replace(
    make_claimed(7), tries=2, steps=1, first_try=500.0, adapter_state='{"a":1}'
)


def test_an_end_is_final_and_carries_nothing_on():
    update = CLAIMED.finish(PostbackState.DISCARDED, "too old", now=1000.0)
    assert (update.id, update.state, update.reason) == (7, PostbackState.DISCARDED, "too old")
    assert (update.settled, update.due, update.adapter_state) == (1000.0, 1000.0, "")
    assert (update.tries, update.steps, update.first_try) == (2, 1, 500.0)


def test_a_deferred_one_waits_with_the_progress_it_was_claimed_with():
    update = CLAIMED.defer("not installed", due=1060.0)
    assert (update.state, update.due, update.settled) == (PostbackState.WAITING, 1060.0, None)
    assert (update.tries, update.steps, update.first_try) == (2, 1, 500.0)
    assert update.adapter_state == '{"a":1}'


def test_new_progress_replaces_the_claimed_one():
    progress = Progress(tries=3, steps=2, first_try=None, adapter_state="")
    for update in (
        CLAIMED.defer("", due=1060.0, progress=progress),
        CLAIMED.finish(PostbackState.FAILED, "", now=1000.0, progress=progress),
    ):
        assert (update.tries, update.steps, update.first_try, update.adapter_state) == progress


def test_reasons_fit_their_column_and_the_lease_ends():
    for update in (
        CLAIMED.defer("x" * 400, due=1.0),
        CLAIMED.finish(PostbackState.FAILED, "x" * 400, now=1.0),
    ):
        assert len(update.reason) == 300
        assert (update.lease, update.lease_until) == (None, None)
