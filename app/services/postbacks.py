"""The delivery log: what was owed to trackers, what became of it, and again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, select

from app.errors import BadParameter, NotFound
from app.extensions import db, doorbell
from app.models import Attempt, Postback, PostbackState
from app.queues import Queue
from app.services import outbox
from app.services.paging import Page, fetch

#: How many one call re-sends at most.
RESEND_CAP: Final = 10_000
ATTEMPTS: Final = 500


class Explained(NamedTuple):
    """A postback and its attempts, oldest first."""

    postback: Postback
    attempts: Sequence[Attempt]


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **wanted: Any
) -> Page[Postback]:
    """Postbacks newest first; see `_conditions` for what may be `wanted`."""
    matching = select(Postback).where(*_conditions(account_id, **wanted))
    return fetch(matching, Postback.id, limit=limit, offset=offset, before=before)


def explained(account_id: int, postback_id: int) -> Explained:
    """One postback with its last 500 attempts. Raises NotFound."""
    postback = _find(account_id, postback_id)
    attempts = select(Attempt).where(Attempt.postback_id == postback_id)
    latest = db.session.scalars(attempts.order_by(Attempt.id.desc()).limit(ATTEMPTS)).all()
    return Explained(postback, latest[::-1])


def resend(account_id: int, postback_id: int | None = None, **wanted: Any) -> int:
    """Send one postback again, or those `wanted` that have ended; returns how many.

    At most RESEND_CAP at a call, oldest first. Raises NotFound for one that is
    not there, BadParameter when nothing says which.
    """
    if postback_id is not None:
        return _resend(account_id, [_find(account_id, postback_id).id])
    if not wanted:
        raise BadParameter("id", "id: give an id, or a filter such as state=failed")
    ended = Postback.state > PostbackState.SENDING
    matching = select(Postback.id).where(*_conditions(account_id, **wanted), ended)
    ids = db.session.scalars(matching.order_by(Postback.id).limit(RESEND_CAP)).all()
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
    count = outbox.resend(account_id, ids, time.time())
    doorbell.remind(Queue.POSTBACKS)
    return count


def _find(account_id: int, postback_id: int) -> Postback:
    postback = db.session.scalar(
        select(Postback).where(Postback.id == postback_id, Postback.account_id == account_id)
    )
    if postback is None:
        raise NotFound
    return postback


def _conditions(
    account_id: int,
    *,
    campaign: int | None = None,
    lead: int | None = None,
    dest: int | None = None,
    event: str | None = None,
    state: int | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[ColumnElement[bool]]:
    equal = {
        Postback.campaign_id: campaign,
        Postback.lead_id: lead,
        Postback.destination_id: dest,
        Postback.kind: event,
        Postback.state: state,
    }
    found: list[ColumnElement[bool]] = [Postback.account_id == account_id]
    found += [column == value for column, value in equal.items() if value is not None]
    if since is not None:
        found.append(Postback.created >= float(since))
    if until is not None:
        found.append(Postback.created < float(until + 1))  # `created` has fractions
    return found
