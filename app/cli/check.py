"""One check of the doctor: what was found, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from app.database.faults import DATABASE_FAULTS
from app.extensions import db


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
    """Roll back after a check; without a database its result is "unknown" under the name `name`."""

    def wrap(check: Callable[[], Check]) -> Callable[[], Check]:
        @wraps(check)
        def checked() -> Check:
            try:
                result = check()
                db.session.rollback()
            except DATABASE_FAULTS:
                return Check(name, finding="unknown", advice="mend the database first")
            return result

        return checked

    return wrap
