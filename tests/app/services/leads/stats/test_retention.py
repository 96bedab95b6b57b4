"""Who stays is read from aggregates."""

from collections.abc import Callable
from typing import Any

from app.services.leads.stats import retention
from app.services.lists.scope import Scope

DAY = 86_400
MIDNIGHT = 20_000 * DAY


def test_retention_follows_each_day_of_joining(account: Any, count: Callable[..., None]) -> None:
    count(MIDNIGHT, confirms=4)
    count(MIDNIGHT + DAY, joined=MIDNIGHT, unsubs=1)
    result = retention.retention(
        Scope(account_id=account.id, now=MIDNIGHT + 60 * DAY, since=MIDNIGHT, until=MIDNIGHT + DAY)
    )
    (cohort,) = result.cohorts
    assert (cohort.start, cohort.joined) == (MIDNIGHT, 4)
    assert (cohort.percent["d0"], cohort.percent["d1"]) == (100.0, 75.0)
    assert result.total.percent == cohort.percent
    assert [(row.days, row.left) for row in result.leaving] == [(1, 1)]
