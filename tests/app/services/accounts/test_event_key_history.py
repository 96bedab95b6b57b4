"""A key for events that logins have replaced comes back once all of these are undone."""

import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.errors import NotFound
from app.extensions import db
from app.models import EventKey, Login, ReplacedEventKey
from app.services.accounts import accounts, event_key_history
from app.services.conversions import keys


def works(made: keys.NewKey) -> bool:
    db.session.commit()
    try:
        return keys.find(made.key, time.time()).secret == made.secret
    except NotFound:
        return False


def undo(account, login_id):
    db.session.get_one(Login, login_id).undone = 1.0
    accounts.lock(account.id)
    event_key_history.void(account.id, login_id)
    db.session.commit()


def kept() -> int:
    return db.session.scalar(select(func.count()).select_from(ReplacedEventKey))


def test_of_each_login_one_key_is_kept_with_its_secret_sealed(account, login):
    made = keys.add(account.id, title="CRM", signed=True)
    first, second = login(), login()
    for stranger in (first, second, first, second, second):
        keys.rotate(account.id, made.id, login_id=stranger)
    assert kept() == 3  # the owner's is one of them
    stored = str(db.session.execute(ReplacedEventKey.__table__.select()).all())
    assert made.key not in stored
    raw = db.session.connection().exec_driver_sql("SELECT secret FROM replaced_event_key")
    assert made.secret not in str(raw.all())


def test_a_key_that_was_no_other_before_goes_with_its_login(account, login):
    stranger = login()
    made = keys.add(account.id, title="theirs", login_id=stranger)
    keys.rotate(account.id, made.id, login_id=stranger)
    undo(account, stranger)
    assert db.session.scalars(select(EventKey)).all() == []


def test_whoever_is_not_logged_in_leaves_nothing_to_come_back_to(account, login):
    made, stranger = keys.add(account.id, title="CRM"), login()
    keys.rotate(account.id, made.id, login_id=stranger)
    given_ = keys.rotate(account.id, made.id)
    assert kept() == 0
    undo(account, stranger)
    assert works(given_)


def test_what_is_kept_goes_with_its_key_and_with_the_login_that_replaced_it(account, login):
    made = keys.add(account.id, title="CRM")
    stranger = login()
    other = keys.add(account.id, title="other")
    for number in (made.id, other.id):
        keys.rotate(account.id, number, login_id=stranger)
    keys.remove(account.id, made.id)
    assert kept() == 1
    event_key_history.forget()
    assert kept() == 1
    db.session.delete(db.session.get_one(Login, stranger))
    db.session.flush()
    event_key_history.forget()
    assert kept() == 0


def test_keys_of_another_account_are_left_alone(account, make_account, login):
    stranger, other = login(), make_account()
    made = keys.add(other.id, title="CRM")
    theirs = keys.rotate(other.id, made.id, login_id=stranger)
    undo(account, stranger)
    assert works(theirs)
    assert kept() == 1


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    deeds=st.lists(st.integers(0, 2), min_size=1, max_size=10),
    order=st.permutations([0, 1, 2]),
)
def test_once_all_strangers_are_undone_the_owners_key_opens_again(account, login, deeds, order):
    """However many logins made keys in turns, and whoever of them is undone first."""
    mine = keys.add(account.id, title="CRM", signed=True)
    mine = keys.rotate(account.id, mine.id, login_id=login())
    strangers = [login() for _ in order]
    made = [keys.rotate(account.id, mine.id, login_id=strangers[deed]) for deed in deeds]
    for stranger in order:
        undo(account, strangers[stranger])
    assert works(mine)
    assert not any(works(one) for one in made)
    keys.remove(account.id, mine.id)
