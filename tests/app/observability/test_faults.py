"""Faults that nobody expected are told, and those of what is away are not."""

import pytest
import redis
from sqlalchemy.exc import OperationalError

from app.observability.faults import FaultReporting, Faults, ReportsFaults


@pytest.fixture
def told():
    return []


@pytest.fixture
def faults(told):
    faults = Faults()
    faults.start(lambda error, what: told.append((what, error)))
    return faults


def test_a_fault_is_told_with_the_name_of_what_failed(faults, told):
    error = ValueError("odd")
    faults.report(error, "job.failed")
    assert told == [("job.failed", error)]


@pytest.mark.parametrize(
    "error", [None, redis.ConnectionError("away"), OperationalError("SELECT 1", {}, Exception())]
)
def test_what_is_away_is_no_fault_of_ours(faults, told, error):
    faults.report(error, "job.failed")
    assert told == []


def test_nobody_has_to_listen(told):
    faults = Faults()
    faults.report(ValueError(), "job.failed")
    faults.start(lambda error, what: told.append(what))
    faults.start(None)
    faults.report(ValueError(), "job.failed")
    assert (told, faults.on) == ([], False)


def test_what_leaves_a_block_is_told_and_goes_on(faults, told):
    with pytest.raises(KeyError), FaultReporting(faults, "thread.failed"):
        raise KeyError("x")
    with pytest.raises(SystemExit), FaultReporting(faults, "thread.failed"):
        raise SystemExit
    with FaultReporting(faults, "thread.failed"):
        pass
    assert [what for what, _ in told] == ["thread.failed"]


def test_what_an_application_raises_is_told_and_reaches_the_server(faults, told):
    def application(environ, _start):
        if environ["PATH_INFO"] == "/bad":
            raise RuntimeError("bad")
        return [b"good"]

    wrapped = ReportsFaults(application, faults)
    assert wrapped({"PATH_INFO": "/"}, None) == [b"good"]
    with pytest.raises(RuntimeError):
        wrapped({"PATH_INFO": "/bad"}, None)
    assert [what for what, _ in told] == ["request.crashed"]
