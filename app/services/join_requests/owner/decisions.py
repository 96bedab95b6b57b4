"""Decisions of people over one request or many: made, tried first, and undone."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select, update

from app.domain.join_requests.rules import Verdict
from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import DecidedBy, JoinRequest, RequestState
from app.services.join_requests.query import conditions

#: Requests that may be named one by one.
MOST_IDS: Final = 500
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
    """How many requests a decision was about. `batch` is for `undo`, "" if it was only tried."""

    count: int
    batch: str
    sources: Sequence[Count]
    languages: Sequence[Count]


def decide(
    account_id: int,
    decision: Verdict,
    now: float,
    *,
    ids: Sequence[int] | None = None,
    dry: bool = False,
    **filters: Any,
) -> Decided:
    """Approve, decline or hold open requests, by `ids` or by `filters`. Commits.

    With `dry` only count them. Raises NotFound, or BadParameter if nothing is named.
    """
    which = _which(account_id, ids, filters)
    if dry:
        return _counted(which)
    count, batch = _decide(which, decision, now)
    db.session.commit()
    return Decided(count, batch, (), ())


def approve_waiting(account_id: int, campaign_id: int, now: float) -> int:
    """Approve all who wait for a campaign. No commit. Returns how many. Raises NotFound."""
    filters = {"campaign": campaign_id, "state": RequestState.WAITING}
    return _decide(_which(account_id, None, filters), Verdict.APPROVE, now)[0]


def _decide(which: Sequence[ColumnElement[bool]], decision: Verdict, now: float) -> tuple[int, str]:
    """Decide, and return of how many requests and in which batch."""
    batch = secrets.token_hex(8)
    values: dict[str, Any] = {"action": int(decision), "asks": False, "batch": batch, "reason": ""}
    if decision is Verdict.HOLD:
        values |= {"state": RequestState.WAITING, "decided_by": DecidedBy.NOBODY, "due": None}
    else:
        values |= {"state": RequestState.SCHEDULED, "decided_by": DecidedBy.PERSON, "due": now}
    return _change(which, values), batch


def undo(account_id: int, batch: str) -> int:
    """Let the requests of a batch wait again that Telegram was not told of yet. Commits.

    Returns how many they are.
    """
    which = [
        JoinRequest.account_id == account_id,
        JoinRequest.batch == batch,
        JoinRequest.batch != "",
        JoinRequest.state == RequestState.SCHEDULED,
    ]
    nobody = {"state": RequestState.WAITING, "decided_by": DecidedBy.NOBODY, "due": None}
    count = _change(which, nobody | {"action": int(Verdict.HOLD)})
    db.session.commit()
    return count


def _which(
    account_id: int, ids: Sequence[int] | None, filters: dict[str, Any]
) -> list[ColumnElement[bool]]:
    if ids is None and not filters:
        raise BadParameter("ids", translatable("name requests, or which ones by a filter"))
    which = [*conditions(account_id, **filters), JoinRequest.state.in_(_OPEN)]
    return which if ids is None else [*which, JoinRequest.id.in_(ids)]


def _change(which: Sequence[ColumnElement[bool]], values: dict[str, Any]) -> int:
    statement = update(JoinRequest).where(*which).values(**values)
    return db.session.connection().execute(statement).rowcount


def _counted(which: Sequence[ColumnElement[bool]]) -> Decided:
    sources = _count_by(JoinRequest.source_id, which)
    languages = _count_by(JoinRequest.language, which)
    return Decided(sum(each.count for each in sources), "", sources, languages)


def _count_by(column: Any, which: Sequence[ColumnElement[bool]]) -> list[Count]:
    number = func.count()
    query = select(column, number).where(*which).group_by(column).order_by(number.desc(), column)
    return [Count(value, count) for value, count in db.session.execute(query)]
