"""What a step on an update raises is kept with its traceback, and told if nobody expected it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from app.domain.telegram.updates import Malformed
from app.models import UpdateState
from app.observability.faults import faults
from app.sandbox.telegram import people
from app.services.leads import process
from app.services.leads.batch import LeadBatch
from app.services.updates.update_faults import Failed, roll_back, try_on


@pytest.fixture
def told() -> Iterator[list[Any]]:
    told: list[Any] = []
    faults.start(lambda error, what: told.append((what, type(error))))
    yield told
    faults.start(None)


def fail(error: Exception) -> None:
    raise error


def test_what_succeeds_is_returned():
    assert try_on(int, "5") == 5


def test_a_fault_is_kept_with_the_end_of_its_traceback():
    failed = try_on(fail, ValueError("odd\x00"))
    assert isinstance(failed, Failed)
    assert "ValueError: odd\ufffd" in failed.trace


def test_a_fault_of_the_database_is_raised_again(app):
    with pytest.raises(OperationalError):
        roll_back(Failed(OperationalError("SELECT 1", {}, Exception()), "trace"))
    assert roll_back(Failed(ValueError(), "trace")) == "trace"


def test_only_what_nobody_expected_is_told(told):
    Failed(KeyError("x"), "").report()
    Failed(Malformed("no update"), "").report()
    assert told == [("update.quarantined", KeyError)]


def test_an_update_that_is_quarantined_for_a_bug_of_ours_is_told(stage, told, monkeypatch):
    def broken(*_: object, **_named: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(LeadBatch, "save", broken)
    stage.receive(people.start(people.Person(5), f"{stage.code}-a"))
    process.process_updates(seconds=60)
    (update,) = stage.updates()
    assert update.state == UpdateState.QUARANTINED
    assert told == [("update.quarantined", RuntimeError)]
