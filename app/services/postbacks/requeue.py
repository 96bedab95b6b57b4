"""Upkeep of the outbox: what the clock sweeps, and what a person re-sends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, exists, text, update

from app.extensions import db
from app.models import Lead, Postback, PostbackState, table_of

_POSTBACKS = table_of(Postback)
_LEADS: Final = table_of(Lead)
_BATCH: Final = 1000  # rows one sweep moves at most
_WAITS_FOR: Final = 7 * 86400  # seconds a postback waits for a switched-off destination

# Whoever held it died, or froze for longer than its lease: it is tried again,
# under the same idempotency key. It may have been sent, so the time in which
# the tracker knows that key begins now at the latest.
_RECLAIM = text("""
    UPDATE postback SET state = 0, lease = NULL, lease_until = NULL,
                        first_try = coalesce(first_try, lease_until)
    WHERE id IN (SELECT id FROM postback WHERE state = 1 AND lease_until < :now LIMIT :batch)
    AND state = 1 AND lease_until < :now
""")

_DISCARD = text("""
    UPDATE postback SET state = 6, settled = :now, reason = 'its destination is gone'
    WHERE id IN (
        SELECT p.id FROM destination d JOIN postback p ON p.destination_id = d.id
        WHERE p.state = 0 AND (d.status = 2 OR (d.status IN (1, 3) AND p.created < :old))
        LIMIT :batch
    )
""")

# From one destination with waiting rows to the next, as in `claim`.
_DUE = text("""
    WITH RECURSIVE next (id) AS (
        SELECT min(destination_id) FROM postback WHERE state = 0
        UNION ALL
        SELECT (SELECT min(destination_id) FROM postback
                WHERE state = 0 AND destination_id > next.id)
        FROM next WHERE next.id IS NOT NULL
    )
    SELECT 1 FROM next JOIN destination d ON d.id = next.id
    WHERE d.status = 0 AND d.blocked_until <= :now AND EXISTS (
        SELECT 1 FROM postback p
        WHERE p.destination_id = d.id AND p.state = 0 AND p.due <= :now
    ) LIMIT 1
""")


def sweep(connection: Connection, now: float) -> int:
    """Return expired leases to the queue; end what can never be sent. No commit."""
    terms = {"now": now, "old": now - _WAITS_FOR, "batch": _BATCH}
    reclaimed = connection.execute(_RECLAIM, terms).rowcount
    return reclaimed + connection.execute(_DISCARD, terms).rowcount


def due(now: float) -> bool:
    """Whether any postback could be claimed now."""
    return db.session.scalar(_DUE, {"now": now}) is not None


def resend(account_id: int, ids: Sequence[int], now: float) -> int:
    """Send finished postbacks of this account again, as a new occurrence.

    The occurrence is part of the idempotency key: the tracker must not take
    the repetition for a retry. Returns how many were accepted; commits.
    """
    done = db.session.execute(
        update(_POSTBACKS)
        .where(
            _POSTBACKS.c.account_id == account_id,
            _POSTBACKS.c.id.in_(ids),
            _POSTBACKS.c.state > PostbackState.SENDING,
            # Of an erased person nothing is left that a tracker could match.
            ~exists().where(_LEADS.c.id == _POSTBACKS.c.lead_id, _LEADS.c.subscriber < 0),
        )
        .values(
            state=PostbackState.WAITING,
            occurrence=_POSTBACKS.c.occurrence + 1,
            reason="re-sent by hand",
            tries=0,
            steps=0,
            due=now,
            first_try=None,
            carried="",
            settled=None,
        )
        .returning(_POSTBACKS.c.id)
    )
    count = len(done.all())
    db.session.commit()
    return count
