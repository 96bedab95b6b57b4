"""Accounts take turns at uploading; who waits for nobody goes at once."""

from app.services.messages.upload_turns import PATIENCE_SECONDS, UploadTurns


def test_who_has_not_uploaded_yet_goes_before_who_has():
    turns = UploadTurns()
    turns.begin(1, 0.0)
    turns.postpone(1, 1.0)
    turns.postpone(2, 1.0)
    assert not turns.has_turn(1, 1.5)
    assert turns.has_turn(2, 1.5)
    turns.begin(2, 1.5)
    turns.postpone(2, 1.6)
    assert turns.has_turn(1, 1.7)
    assert not turns.has_turn(2, 1.7)


def test_whoever_is_alone_goes_again_and_again():
    turns = UploadTurns()
    for now in (0.0, 1.0, 2.0):
        turns.postpone(1, now)
        assert turns.has_turn(1, now)
        turns.begin(1, now)


def test_who_does_not_come_back_is_not_waited_for():
    turns = UploadTurns()
    turns.begin(1, 0.0)
    turns.postpone(2, 0.0)
    assert not turns.has_turn(1, PATIENCE_SECONDS / 2)
    assert turns.has_turn(1, PATIENCE_SECONDS)
