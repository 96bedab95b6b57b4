"""Names that are looked up for long take no thread that another account's names need."""

import pytest

from app.services.delivery.limits.name_lookups import (
    FOR_GOOD_NAMES,
    FOR_NEWCOMERS,
    GIVEN_UP_SECONDS,
    GOOD_SECONDS,
    IN_ALL,
    KNOWN_SECONDS,
    LONGEST_SECONDS,
    SILENT_SECONDS,
    NameLookups,
)
from tests.support.courier import Clock

HOSTILE, QUIET = 1, 2


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lookups(clock) -> NameLookups:
    return NameLookups(clock)


def begin_all(lookups: NameLookups, account: int, first: int = 0) -> int:
    """Begin look-ups of names that hang, as many as there is room for."""
    count = 0
    while lookups.has_room(f"hang{first + count}", account):
        lookups.begin(first + count, f"hang{first + count}", account)
        count += 1
    return count


ALONE = (IN_ALL - FOR_NEWCOMERS) // 2


def test_one_account_takes_half_of_twelve_and_another_finds_room_at_once(lookups):
    assert begin_all(lookups, HOSTILE) == ALONE
    assert lookups.has_room("quiet", QUIET)
    assert begin_all(lookups, QUIET, first=100) == ALONE // 2


def silent_accounts(lookups: NameLookups, count: int) -> int:
    """Accounts whose names hang take all that each may; how many look-ups they have."""
    return sum(begin_all(lookups, 100 + number, first=1000 * number) for number in range(count))


def test_five_accounts_with_silent_servers_leave_room_for_a_new_one(lookups):
    taken = silent_accounts(lookups, 5)
    assert taken <= IN_ALL - FOR_GOOD_NAMES - 1
    assert lookups.has_room("quiet", QUIET)


def test_however_many_they_are_a_name_that_was_good_finds_room(lookups, clock):
    lookups.begin(1, "good", QUIET)
    lookups.found(1, is_new=True)
    clock.now += GOOD_SECONDS - 1
    assert silent_accounts(lookups, 100) == IN_ALL - FOR_GOOD_NAMES
    assert not lookups.has_room("never seen", QUIET)
    assert lookups.has_room("good", QUIET)
    clock.now += 1
    assert not lookups.has_room("good", QUIET)


def test_whoever_had_a_name_given_up_for_gets_nothing_of_the_last_ones(lookups, clock):
    lookups.begin(1, "silent", HOSTILE)
    lookups.end(1, 3.0)
    clock.now += LONGEST_SECONDS
    silent_accounts(lookups, 4)
    assert lookups.has_room("quiet", QUIET)
    assert not lookups.has_room("hang", HOSTILE)
    clock.now += SILENT_SECONDS
    lookups.clear()
    silent_accounts(lookups, 4)
    assert lookups.has_room("hang", HOSTILE)


def test_a_connection_that_was_open_tells_nothing_of_the_name(lookups):
    """libcurl may have forgotten the name since, and the next connection needs it again."""
    lookups.begin(1, "host", HOSTILE)
    lookups.found(1, is_new=False)
    assert begin_all(lookups, HOSTILE) == ALONE
    assert not lookups.has_room("host", HOSTILE)


def test_a_known_name_needs_no_room(lookups, clock):
    lookups.begin(1, "host", QUIET)
    lookups.found(1, is_new=True)
    begin_all(lookups, QUIET, first=100)
    assert not lookups.has_room("other", QUIET)
    assert lookups.has_room("host", QUIET)
    lookups.begin(2, "host", QUIET)
    clock.now += KNOWN_SECONDS
    assert not lookups.has_room("host", QUIET)


def test_a_request_given_up_leaves_its_look_up_behind_for_a_while(lookups, clock):
    many = begin_all(lookups, HOSTILE)
    clock.now += 3
    for number in range(many):
        lookups.end(number, 3.0)
    assert not lookups.has_room("hang", HOSTILE)
    clock.now += LONGEST_SECONDS - 3
    assert begin_all(lookups, HOSTILE) == many


def test_a_name_that_does_not_exist_leaves_nothing_behind(lookups):
    many = begin_all(lookups, HOSTILE)
    for number in range(many):
        lookups.end(number, GIVEN_UP_SECONDS / 2)
    assert begin_all(lookups, HOSTILE) == many


def test_a_name_that_was_known_and_hangs_now_is_counted_again(lookups, clock):
    lookups.begin(1, "host", HOSTILE)
    lookups.found(1, is_new=True)
    clock.now += KNOWN_SECONDS
    lookups.begin(2, "host", HOSTILE)
    lookups.end(2, 3.0)
    assert begin_all(lookups, HOSTILE, first=100) == ALONE - 1


def test_what_is_over_may_be_told_twice(lookups):
    lookups.begin(1, "host", QUIET)
    lookups.found(1, is_new=True)
    lookups.found(1, is_new=True)
    lookups.end(1, 3.0)
    assert begin_all(lookups, HOSTILE) == ALONE


def test_what_was_aborted_counts_no_more(lookups):
    begin_all(lookups, HOSTILE)
    lookups.clear()
    assert begin_all(lookups, HOSTILE) == ALONE


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:8080", "https://8.8.8.8", "https://[2001::1]:1"]
)
def test_an_address_is_not_looked_up(lookups, host):
    assert begin_all(lookups, HOSTILE) == ALONE
    assert lookups.has_room(host, HOSTILE)
    lookups.begin(900, host, HOSTILE)
    assert lookups.running == ALONE
