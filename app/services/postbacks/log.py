"""The delivery log: postbacks with their attempts, and sending them again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, select

from app.errors import BadParameter, NotFound, translatable
from app.extensions import db, wakeup
from app.models import Attempt, Postback, PostbackState, PostbackTally
from app.queues import Queue
from app.services import postbacks
from app.services.lists import long_lists, pages, parts
from app.services.lists.long_lists import LongList, RowQuery, without_none
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page

#: How many one call re-sends at most.
RESEND_CAP: Final = 10_000
ATTEMPTS: Final = 500
_BY = frozenset({"account_id"})
POSTBACKS: Final = LongList(
    Postback, Postback.id, Postback.created, PostbackTally,
    (_BY, _BY | {"campaign_id"}, _BY | {"destination_id"}),
)  # fmt: skip


class Explained(NamedTuple):
    """A postback and its attempts, oldest first."""

    postback: Postback
    attempts: Sequence[Attempt]


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[Postback]:
    """Postbacks newest first; see `_row_query` for what `filters` may hold. Raises NotFound."""
    if "lead" in filters:  # they are few, and no tally tells leads apart
        matching = select(Postback).where(*_conditions(account_id, **filters))
        return pages.fetch(matching, Postback.id, limit=limit, offset=offset, before=before)
    query = _row_query(account_id, **filters)
    return long_lists.fetch(POSTBACKS, query, limit=limit, offset=offset, before=before)


def everyone(account_id: int, **filters: Any) -> Iterator[Sequence[Postback]]:
    """All postbacks that match `filters`, newest first, by the thousand. Raises NotFound at once.

    Each part is a short transaction: a client may take its time in between.
    """
    if "lead" in filters:
        matching = select(Postback).where(*_conditions(account_id, **filters))
        return parts.newest_first(matching, Postback.id)
    return long_lists.everyone(POSTBACKS, _row_query(account_id, **filters))


def explained(account_id: int, postback_id: int) -> Explained:
    """One postback with its last 500 attempts. Raises NotFound."""
    postback = _find(account_id, postback_id)
    attempts = select(Attempt).where(Attempt.postback_id == postback_id)
    latest = db.session.scalars(attempts.order_by(Attempt.id.desc()).limit(ATTEMPTS)).all()
    return Explained(postback, latest[::-1])


def resend(account_id: int, postback_id: int | None = None, **filters: Any) -> int:
    """Send one postback again, or those that match `filters` and have ended; returns how many.

    At most RESEND_CAP at a call, oldest first. Raises NotFound for one that is
    not there, BadParameter when nothing says which.
    """
    if postback_id is not None:
        return _resend(account_id, [_find(account_id, postback_id).id])
    if not filters:
        raise BadParameter("id", translatable("give an id, or a filter such as state=failed"))
    ended = Postback.state > PostbackState.SENDING
    matching = select(Postback.id).where(*_conditions(account_id, **filters), ended)
    oldest = matching.order_by(Postback.created, Postback.id)
    ids = db.session.scalars(oldest.limit(RESEND_CAP)).all()
    return _resend(account_id, ids) if ids else 0


def retry(state: PostbackState, destination_id: int | None = None) -> int:
    """Send all postbacks that ended in `state` again, of every account."""
    count, last = 0, 0
    while True:
        matching = select(Postback.id, Postback.account_id).where(
            Postback.state == state, Postback.id > last
        )
        if destination_id is not None:
            matching = matching.where(Postback.destination_id == destination_id)
        rows = db.session.execute(matching.order_by(Postback.id).limit(RESEND_CAP)).all()
        if not rows:
            return count
        last = rows[-1].id
        for account_id in {row.account_id for row in rows}:
            ids = [row.id for row in rows if row.account_id == account_id]
            count += _resend(account_id, ids)


def _resend(account_id: int, ids: Sequence[int]) -> int:
    count = postbacks.resend(account_id, ids, time.time())
    wakeup.remind(Queue.POSTBACKS)
    return count


def _find(account_id: int, postback_id: int) -> Postback:
    postback = db.session.scalar(
        select(Postback).where(Postback.id == postback_id, Postback.account_id == account_id)
    )
    if postback is None:
        raise NotFound
    return postback


def _conditions(
    account_id: int, *, lead: int | None = None, **filters: Any
) -> list[ColumnElement[bool]]:
    check_owned(account_id, lead=lead)
    conditions = long_lists.conditions(POSTBACKS, _row_query(account_id, **filters))
    return conditions if lead is None else [*conditions, Postback.lead_id == lead]


def _row_query(
    account_id: int,
    *,
    campaign: int | None = None,
    dest: int | None = None,
    event: str | None = None,
    state: int | None = None,
    since: int | None = None,
    until: int | None = None,
) -> RowQuery:
    """`since` and `until` (Unix seconds of `created`) include their ends."""
    check_owned(account_id, campaign=campaign, dest=dest)
    columns = {
        "account_id": account_id,
        "campaign_id": campaign,
        "destination_id": dest,
        "kind": event,
        "state": state,
    }
    return RowQuery(without_none(columns), since, until)
