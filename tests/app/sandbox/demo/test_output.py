"""What the demo prints."""

import io

import pytest

from app.sandbox.demo.output import Output
from app.sandbox.demo.scenario import FLOWERS, MARKET, rounds
from app.sandbox.terminal import WIDTH

ACTIONS = [action for turn in rounds() for action in turn]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_no_line_is_wider_than_the_screen():
    stream = io.StringIO()
    output = Output(stream)
    for action in ACTIONS:
        output.action(action, [500, 200], 12.3456)
        output.action(action, [], None)
    rows = [{"id": n, "event": "approve", "state": "delivered"} for n in range(9)]
    output.lead("Boris", {"id": 123456, "status": 2}, rows)
    output.verdict(["this is wrong " * 20])
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("show", "seconds", "says"),
    [
        (FLOWERS, 0.5, "after 0.50 s"),
        (MARKET, 0.5, "waits for its retry"),
        (FLOWERS, None, "NEVER"),
    ],
)
def test_a_line_says_what_became_of_the_report(show, seconds, says):
    stream = io.StringIO()
    action = next(one for one in ACTIONS if one.show is show)
    Output(stream).action(action, [200], seconds)
    assert says in stream.getvalue()


def test_colour_is_for_terminals_that_want_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    Output(stream).verdict(["wrong"])
    assert "\x1b[31m" in stream.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    Output(stream).verdict(["wrong"])
    assert "\x1b" not in stream.getvalue()


def test_somebody_who_came_without_an_ad_is_told_as_no_lead():
    stream = io.StringIO()
    Output(stream).no_lead("Greta")
    assert "no lead" in stream.getvalue()
