"""Decisions of people over one request or many: made, tried first, and undone.

Many are changed a part at a time: Telegram's updates change the same rows, and would all wait.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update

from app.domain.join_requests.rules import Verdict
from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import DecidedBy, JoinRequest, RequestState
from app.services.join_requests.owner import sayings
from app.services.join_requests.query import COUNTED, conditions

#: Requests that may be named one by one.
MOST_IDS: Final = 500
#: Those that one press of a button in Telegram approves: it is an update among others.
MOST_PRESSED: Final = 1000
#: Requests of one transaction.
PART: Final = 1000
_OPEN: Final = (RequestState.WAITING, RequestState.SCHEDULED)


@dataclass(frozen=True, slots=True)
class Count:
    """How many requests have one value. `source` and `language` are that value."""

    value: Any
    count: int

    @property
    def source(self) -> int:
        """The id of the source, 0 for none."""
        return self.value or 0

    @property
    def language(self) -> str:
        """The language."""
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Decided:
    """How many requests a decision was about. `batch` is for `undo`, "" if it was only tried.

    `messages`: how many of their people are written to.
    """

    count: int
    batch: str
    sources: Sequence[Count]
    languages: Sequence[Count]
    messages: int = 0


def decide(
    account_id: int,
    decision: Verdict,
    now: float,
    *,
    ids: Sequence[int] | None = None,
    dry: bool = False,
    message: str = "",
    **filters: Any,
) -> Decided:
    """Approve, decline or hold open requests, by `ids` or by `filters`. Commits.

    `message` is said to those who may be written to. With `dry` only count them. Raises
    NotFound, or BadParameter if nothing is named or too many.
    """
    which = _which(account_id, ids, filters)
    if dry:
        return _counted(which)
    if message.strip():
        _check_few(which)
    batch, newest = secrets.token_hex(8), db.session.scalar(select(func.max(JoinRequest.id)))
    values, count, messages = _values(decision, batch, now), 0, 0
    which += [JoinRequest.id <= (newest or 0), JoinRequest.batch != batch]
    for state in _OPEN:
        last = 0  # never back: another call may decide the same ones anew, and both would for ever
        while part := _first([*which, JoinRequest.id > last], state):
            last = part[-1]
            count += _change(part, values)
            if message.strip():
                messages += sayings.say(part, batch, message, now)
            db.session.commit()
    db.session.commit()
    return Decided(count, batch, (), (), messages)


def approve_waiting(account_id: int, campaign_id: int, now: float) -> int:
    """Approve the first who wait for a campaign. No commit. Returns how many. Raises NotFound."""
    which = _which(account_id, None, {"campaign": campaign_id})
    part = _first(which, RequestState.WAITING, MOST_PRESSED)
    values = _values(Verdict.APPROVE, secrets.token_hex(8), now)
    return _change(part, values, JoinRequest.state == RequestState.WAITING)


def _values(decision: Verdict, batch: str, now: float) -> dict[str, Any]:
    values: dict[str, Any] = {"action": int(decision), "asks": False, "batch": batch, "reason": ""}
    if decision is Verdict.HOLD:
        values |= {"state": RequestState.WAITING, "decided_by": DecidedBy.NOBODY, "due": None}
    else:
        values |= {"state": RequestState.SCHEDULED, "decided_by": DecidedBy.PERSON, "due": now}
    return values


def undo(account_id: int, batch: str) -> int:
    """Let the requests of a batch wait again that Telegram was not told of yet. Commits.

    Returns how many they are.
    """
    which = [
        JoinRequest.account_id == account_id,
        JoinRequest.batch == batch,
        JoinRequest.batch != "",
    ]
    nobody = {"state": RequestState.WAITING, "decided_by": DecidedBy.NOBODY, "due": None}
    count = 0
    while part := _first(which, RequestState.SCHEDULED):
        count += _change(part, nobody | {"action": int(Verdict.HOLD)}, *which)
        db.session.commit()
    db.session.commit()
    return count


def on_their_way(account_id: int, batch: str) -> int:
    """How many requests of a batch Telegram is still to hear of, counted up to `COUNTED`."""
    some = (
        select(JoinRequest.id)
        .where(JoinRequest.account_id == account_id)
        .where(JoinRequest.batch == batch, JoinRequest.batch != "")
        .where(JoinRequest.state.in_((RequestState.SCHEDULED, RequestState.SENDING)))
        .limit(COUNTED)
        .subquery()
    )
    return db.session.scalar(select(func.count()).select_from(some)) or 0


def _which(
    account_id: int, ids: Sequence[int] | None, filters: dict[str, Any]
) -> list[ColumnElement[bool]]:
    if ids is None and not filters:
        raise BadParameter("ids", translatable("name requests, or which ones by a filter"))
    if ids is not None and len(ids) > MOST_IDS:
        most = translatable("must be a list of at most %(most)d values", most=MOST_IDS)
        raise BadParameter("ids", most)
    which = [*conditions(account_id, **filters), JoinRequest.state.in_(_OPEN)]
    return which if ids is None else [*which, JoinRequest.id.in_(ids)]


def _check_few(which: Sequence[ColumnElement[bool]]) -> None:
    """Raise BadParameter if a message would go with too many decisions."""
    some = select(JoinRequest.id).where(*which).limit(MOST_IDS + 1).subquery()
    if (db.session.scalar(select(func.count()).select_from(some)) or 0) > MOST_IDS:
        most = translatable("goes with at most %(most)d decisions at once", most=MOST_IDS)
        raise BadParameter("message", most)


def _first(
    which: Sequence[ColumnElement[bool]], state: RequestState, most: int | None = None
) -> Sequence[int]:
    """The ids of the oldest of these in one state, `most` or PART of them."""
    oldest = select(JoinRequest.id).where(*which, JoinRequest.state == state)
    return db.session.scalars(oldest.order_by(JoinRequest.id).limit(most or PART)).all()


def _change(ids: Sequence[int], values: dict[str, Any], *conditions: ColumnElement[bool]) -> int:
    """Change those of `ids` that are still open and meet `conditions`. Returns how many.

    They are locked in the order of their ids, or two calls could wait for each other.
    """
    is_open = JoinRequest.state.in_(_OPEN)
    still = select(JoinRequest.id).where(JoinRequest.id.in_(ids), is_open, *conditions)
    ours = db.session.scalars(still.order_by(JoinRequest.id).with_for_update()).all()
    statement = update(JoinRequest).where(JoinRequest.id.in_(ours)).values(**values)
    return db.session.connection().execute(statement).rowcount


def _counted(which: Sequence[ColumnElement[bool]]) -> Decided:
    sources = _count_by(JoinRequest.source_id, which)
    languages = _count_by(JoinRequest.language, which)
    return Decided(sum(each.count for each in sources), "", sources, languages)


def _count_by(column: Any, which: Sequence[ColumnElement[bool]]) -> list[Count]:
    number = func.count()
    query = select(column, number).where(*which).group_by(column).order_by(number.desc(), column)
    return [Count(value, count) for value, count in db.session.execute(query)]
