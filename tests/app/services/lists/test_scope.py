"""The scope of a statistic: its ends where none are said, and what is refused."""

from typing import Any

import pytest

from app.domain.time_ranges import DAY, YEAR_10000
from app.errors import BadParameter, NotFound
from app.services.lists.scope import Scope, check_days

NOON = 20_000 * DAY + DAY // 2


def scope(**asked: Any) -> Scope:
    return Scope(account_id=1, now=NOON, **asked)


def test_without_ends_it_is_the_last_days() -> None:
    assert scope().seconds() == (NOON - 29 * DAY, NOON)
    assert scope().days() == (19_971, 20_000)
    assert scope().days(7) == (19_994, 20_000)


def test_an_end_that_is_named_stands_and_none_leaves_what_can_be_stored() -> None:
    assert scope(since=5, until=9).seconds() == (5, 9)
    assert scope(since=DAY - 1, until=DAY).days() == (0, 1)
    assert scope(until=DAY).seconds() == (0, DAY)
    assert scope(since=-5, until=9).seconds() == (0, 9)
    assert scope(until=YEAR_10000 + 5, since=YEAR_10000 - 5).seconds()[1] == YEAR_10000 - 1


def test_a_range_of_no_time_is_refused_and_one_within_a_day_is_that_day() -> None:
    for ends in (scope(since=9, until=8).seconds, scope(since=2 * DAY, until=DAY).days):
        with pytest.raises(BadParameter, match="must not be after to"):
            ends()
    assert scope(since=9, until=8).days() == (0, 0)


def test_more_days_than_a_year_has_are_refused() -> None:
    assert check_days(0, 365) == scope(since=0, until=366 * DAY - 1).days() == (0, 365)
    for check in (lambda: check_days(0, 366), scope(since=0, until=366 * DAY).days):
        with pytest.raises(BadParameter, match="at most 366 days"):
            check()


def test_what_narrows_it_is_the_accounts_own(account: Any, world: Any, others_world: Any) -> None:
    Scope(account_id=account.id, now=NOON, campaign=world.campaign()).check_owned()
    for name in ("campaign", "bot"):
        strange = {name: getattr(others_world, name)()}
        with pytest.raises(NotFound):
            Scope(account_id=account.id, now=NOON, **strange).check_owned()
