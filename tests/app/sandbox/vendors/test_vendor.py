"""What all doubles of vendors share: the log, and faults to order."""

from typing import Any

import pytest
import requests

from app.sandbox.serving import running
from app.sandbox.telegram.faults import Manner
from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble


class Counting(VendorDouble):
    """Counts what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.done = 0

    def answer(self, call: VendorCall) -> Reply:
        self.done += 1
        return Reply(200, {"number": self.done}, {"X-Path": call.path})


@pytest.fixture
def double():
    double = Counting()
    with running(double) as url:
        double.url = url
        yield double


def ask(double: Any, session: requests.Session, path: str = "/a/b", **options: Any) -> Any:
    return session.post(f"{double.url}{path}", timeout=5, **options)


def test_a_call_is_logged_with_its_answer(double, session):
    answer = ask(double, session, "/a/b?x=1", json={"c": 1}, headers={"X-Key": "k"})
    assert (answer.json(), answer.headers["X-Path"]) == ({"number": 1}, "/a/b")
    [call] = double.calls("/b")
    assert (call.method, call.path, call.query, call.body) == ("POST", "/a/b", {"x": "1"}, {"c": 1})
    assert call.headers["x-key"] == "k"
    assert double.calls("/elsewhere") == []


def test_a_body_that_is_no_json_is_kept_as_it_came(double, session):
    ask(double, session, data=b"\xff{")
    assert (double.calls()[0].body, double.calls()[0].raw) == (None, b"\xff{")


def test_an_ordered_answer_comes_instead_and_nothing_is_done(double, session):
    double.order(Reply(503, b"busy"), times=2, path="/b")
    assert ask(double, session, "/other").status_code == 200
    assert [ask(double, session).status_code for _ in range(3)] == [503, 503, 200]
    assert double.done == 2


@pytest.mark.parametrize(("manner", "done"), [(Manner.DROP, 0), (Manner.RESET, 1)])
def test_a_broken_connection_comes_before_or_after_the_deed(double, session, manner, done):
    double.order(manner)
    with pytest.raises(requests.ConnectionError):
        ask(double, session)
    assert double.done == done


def test_a_malformed_answer_is_cut_and_the_deed_is_done(double, session):
    double.order(Manner.MALFORMED)
    assert ask(double, session).text == '{"number": '
    assert double.done == 1


def test_a_hang_answers_nothing(double, session):
    double.order(Manner.HANG)
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{double.url}/a", timeout=0.2)
    assert double.done == 0
