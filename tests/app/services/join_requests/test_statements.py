"""What an update changes of requests that are stored already."""

import pytest
from sqlalchemy import update

from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import DecidedBy, JoinRequest, RequestState
from tests.support.asking import Asking


def changed(asking: Asking, person: int, **values):
    db.session.execute(update(JoinRequest).where(JoinRequest.subscriber == person).values(**values))
    db.session.commit()


@pytest.mark.parametrize(
    ("state", "tries", "after", "by"),
    [
        (RequestState.WAITING, 0, RequestState.JOINED, DecidedBy.OTHER_ADMIN),
        (RequestState.SCHEDULED, 0, RequestState.JOINED, DecidedBy.OTHER_ADMIN),
        (RequestState.SENDING, 1, RequestState.JOINED, DecidedBy.RULE),
        (RequestState.APPROVED, 1, RequestState.JOINED, DecidedBy.RULE),
        (RequestState.GONE, 0, RequestState.JOINED, DecidedBy.OTHER_ADMIN),
        (RequestState.GONE, 2, RequestState.JOINED, DecidedBy.RULE),
        (RequestState.DECLINED, 1, RequestState.DECLINED, DecidedBy.RULE),
        (RequestState.FAILED, 1, RequestState.JOINED, DecidedBy.OTHER_ADMIN),
    ],
)
def test_a_join_tells_who_let_the_person_in(make_asking, state, tries, after, by):
    asking = make_asking()
    asking.ask(7)
    changed(asking, 7, state=state, tries=tries, decided_by=DecidedBy.RULE, action=Verdict.APPROVE)
    asking.join(7)
    asking.decide()
    row = asking.row(7)
    assert (row.state, row.decided_by) == (after, by)


def test_a_request_that_was_gone_before_another_admin_let_the_person_in_is_not_ours(make_asking):
    asking = make_asking()
    asking.ask(7)
    changed(asking, 7, state=RequestState.GONE, tries=1, decided_by=DecidedBy.NOBODY)
    asking.join(7)
    row = asking.row(7)
    assert (row.state, row.decided_by) == (RequestState.JOINED, DecidedBy.OTHER_ADMIN)


def test_a_join_ends_the_last_request_and_none_that_was_withdrawn_before_it(make_asking):
    asking = make_asking()
    asking.ask(7)
    changed(asking, 7, state=RequestState.GONE, decided=1.0)
    asking.ask(7, at=int(asking.now) + 1)
    asking.now += 2
    asking.join(7)
    first, last = asking.rows()
    assert (first.state, last.state) == (RequestState.GONE, RequestState.JOINED)


def test_a_join_before_the_request_and_one_of_another_chat_change_nothing(make_asking):
    asking = make_asking()
    asking.ask(7, at=int(asking.now) + 50)
    asking.join(7)
    asking.join(8)
    assert asking.state(7) is RequestState.WAITING
