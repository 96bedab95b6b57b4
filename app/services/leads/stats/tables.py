"""Statistics as tables, each a list of rows of one kind, for files."""

from collections.abc import Sequence
from typing import Any, Final

from app.services.leads.stats import counts
from app.services.leads.stats.retention import retention
from app.services.lists.scope import Scope

NAMES: Final = ("days", "campaigns", "retention", "leaving")


def rows(scope: Scope, table: str, *, tz: int = 0) -> Sequence[Any]:
    """The rows of one of `NAMES`. Raises as `counts.daily`.

    `tz`, in minutes east of UTC, shifts the days of `days` alone: people are followed in UTC days.
    """
    match table:
        case "days":
            return counts.daily(scope, tz=tz)
        case "campaigns":
            return counts.by_campaign(scope)
        case "retention":
            return retention(scope).cohorts
        case _:
            return retention(scope).leaving
