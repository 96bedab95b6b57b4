"""New postbacks, written in the transaction that moved the lead."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from app.database.rows import insert_rows
from app.models import Postback, PostbackState, table_of
from app.models.postback import FIRST_CONVERSION
from app.services.postbacks import in_hand
from app.services.postbacks.claim import DueDestination
from app.services.postbacks.claimed import ClaimedPostback
from app.services.postbacks.in_hand import Lease
from app.services.postbacks.supersede import SUPERSEDED, supersede_older

_POSTBACKS = table_of(Postback)
_COLUMNS: Final = (
    "account_id campaign_id lead_id destination_id sequence kind event state reason occurrence"
    " tries steps due created settled"
).split()
_Key = tuple[int, int, int]  # what postbacks are unique by: lead, destination, sequence


@dataclass(frozen=True, slots=True)
class NewPostback:
    """One event for one destination; `event` is the Event as JSON.

    `superseded` says that a newer status of the lead was staged before.
    """

    account_id: int
    campaign_id: int
    lead_id: int
    destination_id: int
    sequence: int
    kind: str
    event: str
    superseded: bool = False


def stage(connection: Connection, postbacks: Sequence[NewPostback], now: float) -> None:
    """Insert postbacks that are due at `now`, Unix seconds. No commit: the lead's does it.

    Older statuses that failed before are superseded at once. Those never tried
    keep their turn, and `claim` looks after those in flight.
    """
    supersede_older(connection, _newer(postbacks), now)
    stage_rest(connection, postbacks, now)


def stage_rest(connection: Connection, postbacks: Sequence[NewPostback], now: float) -> None:
    """Insert what `stage_leased` has left; it has superseded what is older."""
    rows = [_row(postback, now) for postback in postbacks]
    insert_rows(connection, _POSTBACKS, _COLUMNS, rows)


def stage_leased(
    connection: Connection, postbacks: Sequence[NewPostback], now: float, lease: Lease
) -> tuple[list[ClaimedPostback], list[NewPostback]]:
    """Insert those of `postbacks` that may be sent at once, under `lease`. No commit.

    Returns them, to be sent by the lease's holder after the commit, and the others, for
    `stage_rest`.
    """
    first = _first_of_their_leads(connection, postbacks, now)
    new_rows = Counter(postback.destination_id for postback in first)
    allowed = in_hand.destinations_to_send_to(connection, new_rows, lease, now)
    taken = _take(first, {id_: quota for id_, (_, quota) in allowed.items()})
    rows = insert_rows(
        connection,
        _POSTBACKS,
        [*_COLUMNS, "lease", "lease_until"],
        [_row(postback, now, lease) for postback in taken.values()],
        returning=["id", "lead_id", "destination_id", "sequence"],
    )
    keys = {row.id: (row.lead_id, row.destination_id, row.sequence) for row in rows}
    claimed = [
        _claimed(id_, taken[key], allowed[taken[key].destination_id][0])
        for id_, key in keys.items()
    ]
    return claimed, [postback for postback in postbacks if _key(postback) not in taken]


def _newer(postbacks: Sequence[NewPostback]) -> list[tuple[int, int, str]]:
    """Lead, destination and kind of those that may make older ones superseded."""
    return [
        (postback.lead_id, postback.destination_id, postback.kind)
        for postback in postbacks
        if 1 < postback.sequence < FIRST_CONVERSION and not postback.superseded
    ]


def _first_of_their_leads(
    connection: Connection, postbacks: Sequence[NewPostback], now: float
) -> list[NewPostback]:
    """Those before which nothing of the same lead and destination is on its way.

    Supersedes older statuses that failed before, which needs no statement while there are none.
    """
    firsts: dict[in_hand.Pair, NewPostback] = {}
    for postback in postbacks:
        if not postback.superseded:
            firsts.setdefault((postback.lead_id, postback.destination_id), postback)
    have_older = [pair for pair, postback in firsts.items() if postback.sequence > 1]
    busy = in_hand.with_unfinished(connection, have_older)
    if busy:
        supersede_older(connection, _newer(postbacks), now)
        busy = in_hand.with_unfinished(connection, busy)
    return [postback for pair, postback in firsts.items() if pair not in busy]


def _take(postbacks: Sequence[NewPostback], quotas: Mapping[int, int]) -> dict[_Key, NewPostback]:
    """So many of `postbacks` as each destination's quota allows."""
    left = Counter(quotas)
    taken = {}
    for postback in postbacks:
        if left[postback.destination_id] > 0:
            left[postback.destination_id] -= 1
            taken[_key(postback)] = postback
    return taken


def _key(postback: NewPostback) -> _Key:
    return postback.lead_id, postback.destination_id, postback.sequence


def _row(postback: NewPostback, now: float, lease: Lease | None = None) -> tuple[object, ...]:
    state, reason, settled = PostbackState.WAITING, "", None
    if postback.superseded:
        state, reason, settled = PostbackState.SUPERSEDED, SUPERSEDED, now
    elif lease is not None:
        state = PostbackState.SENDING
    values = (
        postback.account_id,
        postback.campaign_id,
        postback.lead_id,
        postback.destination_id,
        postback.sequence,
        postback.kind,
        postback.event,
        int(state),
        reason,
        0,
        0,
        0,
        now,
        now,
        settled,
    )
    return values if lease is None else (*values, lease.token, lease.until)


def _claimed(id_: int, postback: NewPostback, destination: DueDestination) -> ClaimedPostback:
    return ClaimedPostback(
        id=id_,
        destination_id=destination.id,
        event=postback.event,
        occurrence=0,
        tries=0,
        steps=0,
        first_try=None,
        adapter_state="",
        tracker=destination.tracker,
        settings=destination.settings,
        failures=destination.failures,
        account_id=destination.account_id,
    )
