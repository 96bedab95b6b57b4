"""The delivery log: postbacks with their attempts, and sending them again."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, func, select, text

from app.database.direct import fetch
from app.errors import BadParameter, translatable
from app.extensions import db, wakeup
from app.models import (
    Attempt,
    Destination,
    DestinationStatus,
    Postback,
    PostbackState,
    PostbackTally,
    Span,
)
from app.queues import Queue
from app.services import postbacks
from app.services.lists import long_lists, ownership, pages, parts
from app.services.lists.long_lists import LongList, RowQuery, without_none
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page
from app.services.lists.parts import SortKey
from app.services.postbacks import answered
from app.services.postbacks.conditions import WAITING

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
    account_id: int,
    *,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
    total: int | None = None,
    status: str | None = None,
    **filters: Any,
) -> Page[Postback]:
    """Postbacks newest first; see `_row_query` for what `filters` may hold. Raises NotFound.

    `total` is how many match, for a caller who knows. With a `status` those whose last attempt
    has a code of that class are looked for among the newest, as `answered.of_class` does.
    """
    if status is not None:
        _conditions(account_id, **filters)
        place: dict[str, Any] = {"limit": limit, "offset": offset, "before": before}
        return answered.page_of_class(account_id, status, **place, **filters)
    if "lead" in filters:  # they are few, and no tally tells leads apart
        matching = select(Postback).where(*_conditions(account_id, **filters))
        return pages.fetch(matching, Postback.id, limit=limit, offset=offset, before=before)
    query = _row_query(account_id, **filters)
    return long_lists.fetch(
        POSTBACKS, query, limit=limit, offset=offset, before=before, number=total
    )


def counts(account_id: int, **filters: Any) -> Mapping[int, int]:
    """How many postbacks there are in each state; filters as in `listed`, but `state`."""
    if "lead" in filters:
        where = _conditions(account_id, **filters)
        rows = select(Postback.state, func.count()).where(*where).group_by(Postback.state)
        return Counter(dict(db.session.execute(rows).all()))
    return long_lists.counts(POSTBACKS, _row_query(account_id, **filters), Postback.state)


def failed(account_id: int, since: int) -> tuple[int, float | None]:
    """How many postbacks have failed that were made at `since` or later, and when the newest was.

    Times are Unix seconds.
    """
    query = _row_query(account_id, state=PostbackState.FAILED, since=since)
    number = long_lists.total(POSTBACKS, query)
    if not number:
        return 0, None
    newest = select(func.max(Postback.created)).where(*long_lists.conditions(POSTBACKS, query))
    return number, db.session.scalar(newest)


def _oldest_due() -> Select[Any]:
    # The state stands in the text as in the partial index, or SQLite does not use it.
    first = (
        select(func.min(Postback.due))
        .where(Postback.destination_id == Destination.id, text(f"postback.{WAITING}"))
        .scalar_subquery()
    )
    firsts = (
        select(first.label("due"))
        .where(Destination.account_id == bindparam("account"))
        .where(Destination.blocked_until <= bindparam("now"))
        .where(Destination.status == DestinationStatus.ACTIVE)
        .subquery()
    )
    return select(func.min(firsts.c.due).label("due")).where(firsts.c.due <= bindparam("now"))


_OLDEST_DUE: Final = _oldest_due()  # to make it takes longer than to run it


def oldest_due(account_id: int, now: float) -> float | None:
    """Since when the postback has been due that waits longest, in Unix seconds; None without any.

    Those of trackers that are paused, or that rest after failures, are not meant.
    """
    values = {"account": account_id, "now": now}
    oldest: float | None = fetch(db.session.connection(), _OLDEST_DUE, values)[0].due
    return oldest


def read_all(
    account_id: int, *, after: SortKey | None = None, status: str | None = None, **filters: Any
) -> Iterator[Sequence[Postback]]:
    """All postbacks that match `filters`, newest first, by the thousand. Raises NotFound at once.

    Each part is a short transaction: a client may take its time in between. With `after` those
    behind that place. With a `status` all are looked through.
    """
    if status is not None:
        return answered.only_of_class(status, read_all(account_id, after=after, **filters))
    if "lead" in filters:
        matching = select(Postback).where(*_conditions(account_id, **filters))
        return parts.newest_first(matching, Postback.id, after)
    return long_lists.read_all(POSTBACKS, _row_query(account_id, **filters), after)


def explained(account_id: int, postback_id: int) -> Explained:
    """One postback with its last 500 attempts. Raises NotFound."""
    postback = ownership.find(Postback, account_id, postback_id)
    attempts = select(Attempt).where(Attempt.postback_id == postback_id)
    latest = db.session.scalars(attempts.order_by(Attempt.id.desc()).limit(ATTEMPTS)).all()
    return Explained(postback, latest[::-1])


def resend(
    account_id: int, postback_id: int | None = None, *, status: str | None = None, **filters: Any
) -> int:
    """Send one postback again, or those that match `filters` and have ended; returns how many.

    At most RESEND_CAP at a call, oldest first; with a `status` those that `listed` finds. Raises
    NotFound for one that is not there, BadParameter when nothing says which.
    """
    if postback_id is not None:
        return _resend(account_id, [ownership.find(Postback, account_id, postback_id).id])
    if not filters and status is None:
        raise BadParameter("id", translatable("give an id, or a filter such as state=failed"))
    ended = Postback.state > PostbackState.SENDING
    matching = select(Postback.id).where(*_conditions(account_id, **filters), ended)
    if status is not None:
        ids = answered.of_class(account_id, status, **filters).rows
        matching = matching.where(Postback.id.in_(ids))
    oldest = matching.order_by(Postback.created, Postback.id)
    ids = db.session.scalars(oldest.limit(RESEND_CAP)).all()
    return _resend(account_id, ids) if ids else 0


def by_tracker_and_event(account_id: int, *, status: str, **filters: Any) -> Counter[Any]:
    """How many postbacks `listed` finds with a `status`, for each tracker and kind of event."""
    _conditions(account_id, **filters)
    ids = answered.of_class(account_id, status, **filters).rows
    columns = Postback.destination_id, Postback.kind
    rows = select(*columns, func.count()).where(Postback.id.in_(ids)).group_by(*columns)
    return Counter({(dest, kind): count for dest, kind, count in db.session.execute(rows)})


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


def reported_campaigns(account_id: int) -> set[int]:
    """Return the campaigns that the account has, or once had, and has reported from."""
    mine = select(PostbackTally.campaign_id).where(PostbackTally.account_id == account_id)
    # Spans stand in the text as in the partial indexes, or SQLite does not use them.
    totals = mine.where(text(f"span > {Span.DELTA:d}"), PostbackTally.span == Span.TOTAL)
    fresh = mine.where(text(f"span = {Span.DELTA:d}"))
    return {*db.session.scalars(totals), *db.session.scalars(fresh)}
