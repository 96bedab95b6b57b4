"""Files of an account: a few at a time, its own only, and gone after a day."""

import time

import pytest
from sqlalchemy import func, select

from app.errors import NotFound, PlanLimit
from app.extensions import db
from app.models import Export, ExportPart, TransferState
from app.schemas.exported_lists import LISTS
from app.services.accounts.quotas import Quota
from app.services.exports import prepared, writer


@pytest.fixture
def ready(ask, people):
    """The id of a file of five people that is written, three parts of it."""
    number = ask(campaign=people(5))
    while writer.write_part(LISTS):
        pass
    return number


def stored():
    return [
        db.session.scalar(select(func.count()).select_from(one)) for one in (Export, ExportPart)
    ]


def test_the_newest_stands_first(ask, account, other):
    first, second = ask(), ask()
    ask(of=other.id)
    assert [row.id for row in prepared.listed(account.id)] == [second, first]


def test_an_account_has_a_few_at_a_time(ask, account):
    numbers = [ask() for _ in range(Quota.EXPORTS)]
    with pytest.raises(PlanLimit, match="delete one"):
        ask()
    prepared.remove(account.id, numbers[0])
    ask()


def test_one_that_is_ready_is_read_and_one_that_is_not_or_is_others_is_not_there(
    ask, ready, account, other
):
    assert prepared.find(account.id, ready).rows == 5
    for owner, number in ((other.id, ready), (account.id, ask()), (account.id, 10**9)):
        with pytest.raises(NotFound):
            prepared.find(owner, number)


def test_nobody_deletes_the_files_of_others(ready, account, other):
    with pytest.raises(NotFound):
        prepared.remove(other.id, ready)
    assert stored() == [1, 3]
    prepared.remove(account.id, ready)
    assert stored() == [0, 0]
    with pytest.raises(NotFound):
        prepared.remove(account.id, ready)


def test_one_that_is_deleted_while_it_is_read_breaks_off(ready, account):
    text = prepared.text(ready, 3)
    assert next(text).startswith("id,")
    prepared.remove(account.id, ready)
    with pytest.raises(NotFound):
        next(text)


def test_no_transaction_is_open_between_two_parts(ready):
    for part in prepared.text(ready, 3):
        assert part
        assert not db.session().in_transaction()


def test_they_are_deleted_a_day_after_they_were_asked_for(ask, ready):
    now = time.time()
    ask(now=now - prepared.KEPT_SECONDS + 60)
    prepared.forget(now)
    assert stored() == [2, 3]
    prepared.forget(now + 120)
    assert stored() == [1, 3]
    prepared.forget(now + prepared.KEPT_SECONDS + 60)
    assert stored() == [0, 0]


@pytest.mark.parametrize(
    ("state", "age", "progress", "is_shared"),
    [
        (TransferState.PENDING, None, "", False),
        (TransferState.FAILED, 60, "", False),
        (TransferState.DONE, 60, "", True),
        (TransferState.REVERSED, 60, "", True),
        (TransferState.DONE, prepared.KEPT_SECONDS + 60, "", False),
        (TransferState.DONE, prepared.KEPT_SECONDS + 60, "{}", True),
    ],
)
def test_all_of_an_account_go_at_once_with_those_of_whom_it_has_exchanged_campaigns_with(
    *, ask, ready, world, other, account, state, age, progress, is_shared
):
    now = time.time()
    ask(of=other.id)
    world.transfer(
        world.bot(),
        recipient_id=other.id,
        state=state,
        settled=None if age is None else now - age,
        progress=progress,
    )
    prepared.remove_all(account.id, now)
    assert stored() == [0 if is_shared else 1, 0]
