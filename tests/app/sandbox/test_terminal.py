"""Lines for a terminal are narrow, and plain where no terminal is."""

import io

import pytest

from app.sandbox.terminal import RED, WIDTH, Terminal


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_text_is_wrapped_with_its_indents():
    stream = io.StringIO()
    Terminal(stream).wrapped("word " * 40 + "\nnext", first="  ", rest="    ")
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("  word")
    assert lines[-1] == "    next"


def test_nobody_moves_the_cursor_by_what_they_write():
    stream = io.StringIO()
    Terminal(stream).wrapped("a\x1b[2Jb\ud800\tc")
    assert stream.getvalue() == "a [2Jb  c\n"


def test_an_empty_text_is_an_empty_line():
    stream = io.StringIO()
    Terminal(stream).wrapped("")
    assert stream.getvalue() == "\n"


@pytest.mark.parametrize(
    ("stream", "no_colour", "coloured"),
    [(Screen(), "", True), (Screen(), "1", False), (io.StringIO(), "", False)],
)
def test_colour_is_for_terminals_that_want_it(monkeypatch, stream, no_colour, coloured):
    monkeypatch.setenv("NO_COLOR", no_colour)
    Terminal(stream).line("wrong", RED)
    assert ("\x1b[31m" in stream.getvalue()) is coloured
