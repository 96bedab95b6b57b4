"""Each table of the statistics has the rows that the API tells of the same range."""

from typing import Any

import pytest

from app.errors import NotFound
from app.services.leads.stats import counts, retention, tables
from app.services.lists.scope import Scope

DAY = 86_400
RANGE = {"now": 20_000 * DAY, "since": 19_998 * DAY, "until": 20_000 * DAY}


def test_tables_are_what_the_api_tells(account: Any, world: Any) -> None:
    world.campaign()
    scope = Scope(account_id=account.id, **RANGE)
    whole = retention.retention(scope)
    expected = {
        "days": counts.daily(scope, tz=60),
        "campaigns": counts.by_campaign(scope),
        "retention": whole.cohorts,
        "leaving": whole.leaving,
    }
    assert set(tables.NAMES) == set(expected)
    for name, rows in expected.items():
        assert tables.rows(scope, name, tz=60) == rows
    assert len(expected["days"]) == 3


@pytest.mark.parametrize("name", tables.NAMES)
def test_no_table_is_of_anothers_campaign(account: Any, others_world: Any, name: str) -> None:
    scope = Scope(account_id=account.id, campaign=others_world.campaign(), **RANGE)
    with pytest.raises(NotFound):
        tables.rows(scope, name)
