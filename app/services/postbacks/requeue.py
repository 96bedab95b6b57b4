"""Postbacks that wait again: after an expired lease, or because a person re-sends them."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, exists, text, update

from app.database.rows import loose_index_scan
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import DestinationStatus, Lead, Postback, PostbackState, table_of
from app.services import lease_reclaims
from app.services.postbacks.conditions import HAS_DUE_POSTBACKS, WAITING

_POSTBACKS = table_of(Postback)
_LEADS: Final = table_of(Lead)
_BATCH: Final = 1000  # rows one sweep moves at most
_KEPT_SECONDS: Final = 7 * DAY  # for which a postback waits for a switched-off destination

_EXPIRED: Final = f"""
    SELECT id FROM postback WHERE state = {PostbackState.SENDING:d} AND lease_until < :now
"""
_HOMELESS: Final = f"""
    SELECT p.id FROM destination d JOIN postback p ON p.destination_id = d.id
    WHERE p.state = {PostbackState.WAITING:d} AND (
        d.status = {DestinationStatus.DELETED:d}
        OR (d.status IN ({DestinationStatus.PAUSED:d}, {DestinationStatus.OFF:d})
            AND p.created < :old)
    )
"""

# The worker that held it died, or stopped for longer than its lease: it is tried
# again, under the same idempotency key. It may have been sent, so the time in
# which the tracker knows that key begins with the end of the lease at the latest.
_RECLAIM = text(f"""
    UPDATE postback SET state = {PostbackState.WAITING:d}, lease = NULL, lease_until = NULL,
                        first_try = coalesce(first_try, lease_until)
    WHERE id IN ({_EXPIRED} LIMIT :batch)
        AND state = {PostbackState.SENDING:d} AND lease_until < :now
""")

_DISCARD = text(f"""
    UPDATE postback SET state = {PostbackState.DISCARDED:d}, settled = :now,
                        reason = 'its destination is gone'
    WHERE id IN ({_HOMELESS} LIMIT :batch)
""")

#: SQL that finds a postback that could be claimed at `:now`.
DUE: Final = f"""
    WITH RECURSIVE {loose_index_scan("postback", "destination_id", WAITING)}
    SELECT 1 FROM next JOIN destination d ON d.id = next.id WHERE {HAS_DUE_POSTBACKS}
"""
#: SQL that finds what `sweep` would change at `:now`, which must be `kept_since(now)` for `:old`.
TO_SWEEP: Final = (_EXPIRED, _HOMELESS)


def sweep(connection: Connection, now: float) -> int:
    """Let postbacks with an expired lease wait again; discard what can never be sent.

    Returns how many rows changed. No commit.
    """
    params = {"now": now, "old": kept_since(now), "batch": _BATCH}
    reclaimed = connection.execute(_RECLAIM, params).rowcount
    lease_reclaims.record(lease_reclaims.POSTBACKS, reclaimed)
    return reclaimed + connection.execute(_DISCARD, params).rowcount


def kept_since(now: float) -> float:
    """Since when a postback for a switched-off destination must wait to be kept at `now`."""
    return now - _KEPT_SECONDS


def resend(account_id: int, ids: Sequence[int], now: float) -> int:
    """Send finished postbacks of this account again, as a new occurrence.

    The occurrence is part of the idempotency key: the tracker must not take
    the repetition for a retry. Returns how many were accepted. Commits.
    """
    resent = db.session.execute(
        update(_POSTBACKS)
        .where(
            _POSTBACKS.c.account_id == account_id,
            _POSTBACKS.c.id.in_(ids),
            _POSTBACKS.c.state > PostbackState.SENDING,
            # Nothing is left of an erased person that a tracker could match.
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
            adapter_state="",
            settled=None,
        )
        .returning(_POSTBACKS.c.id)
    )
    count = len(resent.all())
    db.session.commit()
    return count
