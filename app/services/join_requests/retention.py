"""What is forgotten of requests: bios in time, and all of a person who is erased."""

from __future__ import annotations

from typing import Final

from sqlalchemy import TextClause, text, update

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Blocked, JoinRequest, RequestState

#: How long what people say of themselves is kept after the decision.
BIO_KEPT: Final = 30 * DAY
ERASED: Final = "erased"
BATCH: Final = 2000
#: Batches of one round.
BATCHES: Final = 20

_FORGET_BIOS: Final[TextClause] = text(f"""
    UPDATE join_request SET bio = NULL WHERE id IN (
        SELECT id FROM join_request
        WHERE bio IS NOT NULL AND decided < :old ORDER BY decided LIMIT {BATCH}
    )
""")  # noqa: S608 - our own number


def forget(now: float) -> None:
    """Empty the bios of requests that were decided long ago. Commits after each batch."""
    for _ in range(BATCHES):
        count = db.session.connection().execute(_FORGET_BIOS, {"old": now - BIO_KEPT}).rowcount
        db.session.commit()
        if count < BATCH:
            return


def erase(account_id: int, subscriber: int, now: float) -> None:
    """Erase a person from the requests of an account; what is open is left alone. No commit.

    Who is blocked stays blocked: the hash of the id goes on working, the id is gone.
    """
    theirs = (JoinRequest.account_id == account_id, JoinRequest.subscriber == subscriber)
    open_ = [RequestState.WAITING, RequestState.SCHEDULED, RequestState.SENDING]
    db.session.execute(
        update(JoinRequest)
        .where(*theirs, JoinRequest.state.in_(open_))
        .values(state=RequestState.GONE, reason=ERASED, decided=now, due=None, lease=None)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(JoinRequest)
        .where(*theirs)
        .values(
            subscriber=-JoinRequest.id,
            **dict.fromkeys(("username", "first_name", "last_name", "language"), ""),
            premium=False,
            bio=None,
            user_chat=0,
            link_key=None,
            link_name="",
            click_id=None,
            query="",
        )
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(Blocked)
        .where(Blocked.account_id == account_id, Blocked.subscriber == subscriber)
        .values(subscriber=None, username=None, reason="")
        .execution_options(synchronize_session=False)
    )
