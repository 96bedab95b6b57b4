"""One check of the doctor: what was found, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from app.database.faults import DATABASE_FAULTS


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check. `advice` says what to do, and is empty if there is nothing."""

    name: str
    finding: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing is to be done."""
        return not self.advice

    def __str__(self) -> str:
        """Return one line, or two with the advice."""
        line = f"{'ok  ' if self.ok else 'FAIL'}  {self.name}: {self.finding}"
        return line if self.ok else f"{line}\n      {self.advice}"


def asks_database(name: str) -> Callable[[Callable[[], Check]], Callable[[], Check]]:
    """Let the check `name` say that nothing is known while the database does not answer."""

    def wrap(check: Callable[[], Check]) -> Callable[[], Check]:
        @wraps(check)
        def checked() -> Check:
            try:
                return check()
            except DATABASE_FAULTS:
                return Check(name, finding="unknown", advice="mend the database first")

        return checked

    return wrap
