"""What is forgotten of requests: bios in time, and all of a person who is erased."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import TextClause, func, or_, select, text, union, update

from app.crypto import cipher
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Blocked, JoinRequest, JournalEntry, Lead, RequestState

#: How long what people say of themselves is kept after the decision.
BIO_KEPT: Final = 30 * DAY
#: And after the request, if nobody decides: with a desk that is off we may never hear of it.
BIO_KEPT_UNDECIDED: Final = 90 * DAY
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
_FORGET_OPEN: Final[TextClause] = text(f"""
    UPDATE join_request SET bio = NULL WHERE id IN (
        SELECT id FROM join_request
        WHERE bio IS NOT NULL AND decided IS NULL AND asked < :asked LIMIT {BATCH}
    )
""")  # noqa: S608 - our own number


def forget(now: float) -> None:
    """Empty the bios of requests that are old, or were decided long ago. Commits each batch."""
    terms = {"old": now - BIO_KEPT, "asked": int(now - BIO_KEPT_UNDECIDED)}
    for statement in (_FORGET_BIOS, _FORGET_OPEN):
        for _ in range(BATCHES):
            count = db.session.connection().execute(statement, terms).rowcount
            db.session.commit()
            if count < BATCH:
                break


def erase(account_id: int, subscriber: int, leads: Sequence[int], now: float) -> None:
    """Erase a person from the requests of an account; what is open is left alone. No commit.

    `leads` are theirs. Who is blocked stays blocked, by their names as well: the hash of the id
    goes on working, id and names are gone.
    """
    _unname_blocked(account_id, subscriber, leads)
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


def _unname_blocked(account_id: int, subscriber: int, leads: Sequence[int]) -> None:
    theirs = (JoinRequest.account_id == account_id, JoinRequest.subscriber == subscriber)
    used = union(
        select(func.lower(JoinRequest.username)).where(*theirs),
        select(func.lower(Lead.username)).where(Lead.id.in_(leads)),
        select(func.lower(JournalEntry.username)).where(JournalEntry.lead_id.in_(leads)),
    )
    names = [name for name in db.session.scalars(used) if name]
    person = cipher.person_hash(account_id, subscriber)
    entries = db.session.scalars(
        select(Blocked)
        .where(Blocked.account_id == account_id)
        .where(or_(Blocked.person == person, Blocked.username.in_(names)))
        .order_by(Blocked.person == person)
    ).all()
    for entry in entries[:-1]:
        db.session.delete(entry)
    db.session.flush()
    for entry in entries[-1:]:
        entry.person, entry.subscriber, entry.username, entry.reason = person, None, None, ""
    db.session.flush()
