"""A key that replaced another by a login dies with it, and the one before comes back."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.domain.time_ranges import DAY
from app.errors import BadKey
from app.extensions import db
from app.models import Account, Login, ReplacedKey
from app.services.accounts import accounts, keys


def works(key: str) -> bool:
    try:
        accounts.authenticate(key)
    except BadKey:
        return False
    return True


def undo(account, login_id, now=None):
    db.session.get_one(Login, login_id).undone = 1.0
    keys.void_keys_of(accounts.lock(account.id), login_id, now or time.time())
    db.session.commit()


def kept() -> int:
    return db.session.scalar(select(func.count()).select_from(ReplacedKey))


def test_a_new_key_ends_the_old_one_at_once(account):
    fresh = keys.rotate(account.id)
    assert not works(account.key)
    assert works(fresh)
    assert kept() == 0


def test_an_undone_login_gives_the_earlier_key_back(account, login):
    mine = login()
    theirs = keys.rotate(account.id, login_id=mine)
    assert works(theirs)
    undo(account, mine)
    assert works(account.key)
    assert not works(theirs)


def test_many_keys_of_one_login_die_together(account, login):
    stranger = login()
    made = [keys.rotate(account.id, login_id=stranger) for _ in range(5)]
    assert kept() == 1
    assert accounts.authenticate(made[-1]).login_id == stranger
    undo(account, stranger)
    assert works(account.key)
    assert not any(works(key) for key in made)


def test_strangers_with_two_logins_are_undone_in_any_order(account, login):
    first, second = login(), login()
    for _ in range(4):
        keys.rotate(account.id, login_id=first)
        keys.rotate(account.id, login_id=second)
    assert kept() <= 3
    undo(account, first)
    assert not works(account.key)  # the second login's key is in force
    undo(account, second)
    assert works(account.key)


def test_what_the_owner_replaced_since_stays(account, login):
    stranger, owners = login(), login()
    keys.rotate(account.id, login_id=stranger)
    mine = keys.rotate(account.id, login_id=owners)
    undo(account, stranger)
    assert works(mine)
    assert not works(account.key)


def test_a_key_of_the_operators_is_followed_by_no_restoration(account, login):
    stranger = login()
    keys.rotate(account.id, login_id=stranger)
    given = keys.rotate(account.id)
    undo(account, stranger)
    assert works(given)
    assert not works(account.key)


def test_an_earlier_key_is_restored_for_a_bounded_time(account, login):
    stranger = login()
    theirs = keys.rotate(account.id, login_id=stranger)
    late = time.time() + keys.UNDO_SECONDS + 1
    undo(account, stranger, late)
    assert not works(theirs)
    assert not works(account.key)
    keys.forget(late)
    assert kept() == 0


def test_a_login_undone_a_moment_ago_makes_no_key(account, login):
    """Its call was let in before the undo, and reaches the lock after it."""
    stranger = login()
    undo(account, stranger)
    with pytest.raises(BadKey):
        keys.rotate(account.id, login_id=stranger)
    db.session.rollback()
    assert works(account.key)


def test_only_hashes_are_kept(account, login):
    keys.rotate(account.id, login_id=login())
    stored = str(db.session.execute(ReplacedKey.__table__.select()).all())
    assert account.key.partition("-")[2] not in stored
    assert db.session.get_one(Account, account.id).key_login_id is not None


def pass_days(days):
    """Let what was replaced be so many days older, and delete what nothing can restore."""
    older = {"replaced": ReplacedKey.replaced - days * DAY}
    db.session.execute(update(ReplacedKey).values(older))
    keys.forget(time.time())
    db.session.commit()


def test_strangers_whose_logins_take_turns_do_not_let_the_owners_key_run_out(account, login):
    first, second = login(), login()
    for days in (3, 3, 3, 3, 3):
        keys.rotate(account.id, login_id=first)
        keys.rotate(account.id, login_id=second)
        pass_days(days)
    undo(account, first)
    undo(account, second)
    assert works(account.key)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    deeds=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=12),
    order=st.permutations([0, 1, 2]),
)
def test_once_all_strangers_are_undone_in_time_the_owners_key_is_in_force(
    account, login, deeds, order
):
    """However many logins made keys in turns; each is undone within 14 days of its last one."""
    keys.rotate(account.id)
    owners = login()
    mine = keys.rotate(account.id, login_id=owners)
    strangers, last, day = [login() for _ in order], {}, 0
    for stranger, days in deeds:
        for late in [one for one in last if day + days - last[one] >= 14]:
            undo(account, strangers[late])
            strangers[late] = login()
            del last[late]
        pass_days(days)
        day += days
        keys.rotate(account.id, login_id=strangers[stranger])
        last[stranger] = day
    for stranger in order:
        if stranger in last:
            undo(account, strangers[stranger])
    assert works(mine)
