"""Lines for a person at a terminal: at most 80 columns, colour only where it is shown."""

import os
import textwrap
from typing import Final, TextIO

WIDTH: Final = 80
GREEN, RED, YELLOW, BOLD = "32", "31", "33", "1"


class Terminal:
    """Writes lines to a stream. NO_COLOR in the environment switches colours off."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._colour = stream.isatty() and not os.environ.get("NO_COLOR")

    def line(self, text: str, colour: str = "") -> None:
        """Write one line as it is."""
        if self._colour and colour:
            text = f"\x1b[{colour}m{text}\x1b[0m"
        print(text, file=self._stream, flush=True)

    def part(self, text: str) -> None:
        """Write a part of a line, such as a prompt."""
        print(text, end="", file=self._stream, flush=True)

    def wrapped(self, text: str, colour: str = "", *, first: str = "", rest: str = "  ") -> None:
        """Write a text in lines of at most WIDTH columns, with these indents.

        What is no printable character becomes a space: the text may be anybody's.
        """
        for paragraph in text.splitlines() or [""]:
            shown = "".join(
                character if character.isprintable() else " " for character in paragraph
            )
            lines = textwrap.wrap(shown, WIDTH, initial_indent=first, subsequent_indent=rest)
            for line in lines or [first.rstrip()]:
                self.line(line, colour)
            first = rest
