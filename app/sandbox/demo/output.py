"""What the demo prints: at most 80 columns, colour only on a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from app.sandbox.demo.scenario import MARKET, Action
from app.sandbox.terminal import BOLD, GREEN, RED, YELLOW, Terminal

_STATUSES: Final = ("wait", "hold", "approve", "cancel", "trash")


class Output:
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO) -> None:
        self._terminal = Terminal(stream)
        self._line = self._terminal.line

    def heading(self, text: str) -> None:
        """Begin a part."""
        self._line("")
        self._line(text, BOLD)

    def fact(self, name: str, text: str) -> None:
        """Tell one thing about the set-up."""
        self._line(f"  {name:<9} {text}")

    def round(self, number: int) -> None:
        """Begin a round."""
        self.heading(f"Round {number}")

    def action(self, action: Action, answers: Sequence[int], seconds: float | None) -> None:
        """Tell what somebody did, and what the tracker answered to the report.

        `seconds` is the time from the update to the last answer; None is never.
        """
        line = f"  {action.person.first_name:<6} {action.sentence:<27}"
        if not action.reports:
            self._line(f"{line} no postback")
            return
        statuses = ", ".join(str(answer) for answer in answers)
        line += f" {'+'.join(action.reports):<8} {statuses or 'nothing':<9}"
        if seconds is None:
            self._line(f"{line} NEVER LANDED", RED)
        elif action.show is MARKET:
            self._line(f"{line} waits for its retry", YELLOW)
        else:
            self._line(f"{line} after {seconds:.2f} s", GREEN)

    def lead(
        self, name: str, lead: Mapping[str, Any], postbacks: Sequence[Mapping[str, Any]]
    ) -> None:
        """Tell one lead's history."""
        states = ", ".join(
            f"{row['event']} {row['state']}"
            for row in sorted(postbacks, key=lambda row: int(row["id"]))
        )
        text = f"  {name:<6} lead {lead['id']} is {_STATUSES[lead['status']]}: {states}"
        self._terminal.wrapped(text, rest=" " * 9)

    def no_lead(self, name: str) -> None:
        """Tell that somebody is in the journal only."""
        self._line(f"  {name:<6} is no lead: came without an ad")

    def verdict(self, wrong: Sequence[str]) -> None:
        """End: all well, or the list of what is not."""
        if not wrong:
            self.heading("Every expected postback arrived, and no other.")
            return
        self.heading("Something is wrong:")
        for sentence in wrong:
            self._terminal.wrapped(sentence, RED, first="  - ", rest="    ")
