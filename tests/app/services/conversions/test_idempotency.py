"""A call under one key is done once."""

import pytest
from sqlalchemy import select

from app.errors import KeyReused, NotFound
from app.extensions import db
from app.models import IdempotencyKey
from app.services.conversions import idempotency

NOW = 1_800_000_000.0


class Act:
    def __init__(self, *, fails=False):
        self.count, self._fails = 0, fails

    def __call__(self):
        self.count += 1
        if self._fails:
            raise NotFound
        return {"id": self.count}


def once(account_id, act, *, key="k", request=None, now=NOW):
    answered = idempotency.once(account_id, key, request or {"a": 1}, now, act)
    db.session.commit()
    return answered


@pytest.fixture
def account_id(account):
    return account.id


def test_the_first_answer_is_given_again(account_id):
    act = Act()
    assert once(account_id, act) == ({"id": 1}, False)
    assert once(account_id, act) == ({"id": 1}, True)
    assert act.count == 1


def test_without_a_key_each_call_is_done(account_id):
    act = Act()
    assert [once(account_id, act, key="").answer["id"] for _ in range(2)] == [1, 2]
    assert db.session.scalars(select(IdempotencyKey)).all() == []


def test_another_request_under_the_key_is_refused(account_id):
    once(account_id, Act())
    with pytest.raises(KeyReused):
        once(account_id, Act(), request={"a": 2})


def test_the_order_of_fields_is_no_difference(account_id):
    once(account_id, Act(), request={"a": 1, "b": 2})
    assert once(account_id, Act(), request={"b": 2, "a": 1}).is_replay


def test_accounts_do_not_share_keys(account_id, make_account):
    act = Act()
    once(account_id, act)
    assert once(make_account().id, act) == ({"id": 2}, False)


def test_a_call_that_failed_may_be_tried_again(account_id):
    with pytest.raises(NotFound):
        once(account_id, Act(fails=True))
    db.session.rollback()
    assert once(account_id, Act()) == ({"id": 1}, False)


def test_after_48_hours_the_key_is_free(account_id):
    once(account_id, Act())
    assert once(account_id, Act(), now=NOW + idempotency.KEPT - 1).is_replay
    assert not once(account_id, Act(), now=NOW + idempotency.KEPT + 1).is_replay
