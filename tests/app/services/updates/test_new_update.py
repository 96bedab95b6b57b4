"""A body becomes a row that waits, or one that is quarantined with its reason."""

from app.models import UpdateState
from app.services.updates.new_update import new_update, oversized_update


def test_an_update_waits_under_its_own_id():
    row = new_update(7, b'{"update_id": 5}')
    assert (row.bot_id, row.update_id, row.state) == (7, 5, UpdateState.WAITING)
    assert row.body == b'{"update_id": 5}'
    assert row.reason is None


def test_what_is_no_update_is_kept_with_the_reason():
    row = new_update(7, b"{")
    assert (row.update_id, row.state, row.body) == (None, UpdateState.QUARANTINED, b"{")
    assert row.reason == "not JSON"


def test_of_what_is_too_large_a_piece_is_kept():
    row = oversized_update(7, b"x" * 4096)
    assert row.state == UpdateState.QUARANTINED
    assert len(row.body) == 2048
