"""One check of the doctor: what was found, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `advice` says what to do, and is empty if `ok`."""

    name: str
    ok: bool
    finding: str
    advice: str = ""

    def __str__(self) -> str:
        """Return one line, or two with the advice."""
        line = f"{'ok  ' if self.ok else 'FAIL'}  {self.name}: {self.finding}"
        return line if self.ok else f"{line}\n      {self.advice}"
