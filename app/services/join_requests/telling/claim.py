"""Claim: take decisions that are due, as fast as their bots may call Telegram.

Decisions, messages and invite links of a bot are paced together by its `next_send`. Messages
get as far ahead as `messages.claim.BURST` lets them; a decision gets one step further, so
neither waits for all of the other. One process at a time may claim. A chat whose rights are
lost is left out as a whole until they are back (`bot_chat`).
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Row, text

from app.crypto import CannotDecrypt
from app.database.advisory_locks import AdvisoryLock, lock_queue
from app.database.rows import loose_index_scan, update_rows
from app.domain.join_requests import conditions, rules
from app.domain.join_requests.rules import Verdict
from app.extensions import cipher
from app.models import (
    BotStatus,
    CampaignStatus,
    DecidedBy,
    DeskMode,
    JoinRequest,
    MessageState,
    RequestState,
    table_of,
)
from app.models.account import IS_SUSPENDED_SQL
from app.services import lease_reclaims
from app.services.join_requests.knowledge import zone
from app.services.join_requests.telling import notes
from app.services.messages.claim import BOTS, BURST, STEP

log = structlog.get_logger()

_REQUESTS: Final = table_of(JoinRequest)
#: So far may a bot be ahead of its pace.
AHEAD: Final = (BURST + 1) * STEP
#: Decisions of one bot in one claim.
MOST_OF_BOT: Final = 6
HOUR: Final = 3600.0

# States are written into the text: a partial index is used only where the planner sees the value.
_SCHEDULED: Final = f"state = {RequestState.SCHEDULED:d}"
_SENDING: Final = f"state = {RequestState.SENDING:d}"
# Of whom is SENDING and has an end, the join was seen before the answer (`statements.joining`).
_RECLAIM: Final = text(f"""
    UPDATE join_request SET lease = NULL,
        state = CASE WHEN decided IS NULL THEN {RequestState.SCHEDULED:d}
            ELSE {RequestState.JOINED:d} END,
        due = CASE WHEN decided IS NULL THEN CAST(:now AS DOUBLE PRECISION) END
    WHERE {_SENDING} AND due < :now RETURNING id, state
""")  # noqa: S608 - of our own constants
_DESKS_WITH_DUE: Final = f"""
    WITH RECURSIVE {loose_index_scan("join_request", "campaign_id", _SCHEDULED)}
    SELECT c.id, c.bot_id, c.chat_id, c.chat_title, c.desk, c.desk_cap, c.desk_quiet_from,
        c.desk_quiet_to, c.status, a.zone, b.token, b.next_send, b.invites_slow_until
    FROM next JOIN campaign c ON c.id = next.id JOIN bot b ON b.id = c.bot_id
        JOIN account a ON a.id = c.account_id
    WHERE c.status <> {CampaignStatus.DELETED:d} AND b.status <> {BotStatus.DELETED:d}
    AND b.paused = '' AND b.quiet_until <= :now
    AND NOT {IS_SUSPENDED_SQL.format(owner="c.account_id")}
    AND NOT EXISTS (
        SELECT 1 FROM bot_chat h WHERE h.bot_id = c.bot_id AND h.chat_id = c.chat_id
        AND NOT (h.is_admin AND h.can_invite)
    )
    AND EXISTS (
        SELECT 1 FROM join_request r
        WHERE r.{_SCHEDULED} AND r.campaign_id = c.id AND r.due <= :now
    )
"""  # noqa: S608 - of our own constants
# Desks of one bot share its pace: whoever comes first takes all of a round's room.
_DESKS: Final = text(f"{_DESKS_WITH_DUE} ORDER BY b.next_send, random()")
#: SQL that finds what there is to tell at `now`: desks, and leases that ran out.
DUE: Final = (
    _DESKS_WITH_DUE,
    f"SELECT id FROM join_request WHERE {_SENDING} AND due < :now",  # noqa: S608
)
# While its greeting is on the way, a request waits: Telegram lets the bot write until then.
_DUE: Final = text(f"""
    SELECT r.id, r.chat_id, r.subscriber, r.action, r.decided_by, r.tries, r.rule_id, r.asked
    FROM join_request r
    WHERE r.{_SCHEDULED} AND r.campaign_id = :campaign AND r.due <= :now
    AND (r.decided_by = {DecidedBy.PERSON:d} OR :by_rules = 1)
    AND (r.decided_by = {DecidedBy.PERSON:d} OR r.action <> {Verdict.APPROVE:d} OR :capped = 0)
    AND NOT EXISTS (
        SELECT 1 FROM message m WHERE m.id = r.message_id
        AND m.state IN ({MessageState.WAITING:d}, {MessageState.SENDING:d})
    )
    ORDER BY r.due, r.id LIMIT :limit
""")  # noqa: S608 - of our own constants
_APPROVED: Final = text(f"""
    SELECT count(*) FROM join_request
    WHERE campaign_id = :campaign AND action = {Verdict.APPROVE:d} AND tries > 0
    AND decided_by <> {DecidedBy.PERSON:d}
    AND (decided > :since OR {_SENDING})
""")  # noqa: S608 - of our own constants


@dataclass(frozen=True, slots=True)
class ClaimedRequest:
    """One decision leased by a process, with all that telling it needs."""

    id: int
    lease: str
    bot_id: int
    token: str = field(repr=False)
    slow_until: float
    campaign_id: int
    chat_id: int
    subscriber: int
    action: Verdict
    decided_by: int
    tries: int  # this one included
    rule_id: int | None
    asked: int

    @property
    def method(self) -> str:
        """The method of the Bot API."""
        is_approval = self.action is Verdict.APPROVE
        return "approveChatJoinRequest" if is_approval else "declineChatJoinRequest"

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of the call."""
        return {"chat_id": self.chat_id, "user_id": self.subscriber}


def claim(
    connection: Connection,
    *,
    now: float,
    lease_seconds: float,
    most: int,
    busy: Collection[int] = (),
) -> list[ClaimedRequest]:
    """Lease at most `most` decisions that are due at `now`. The caller commits.

    Bots that are `busy` are left out.
    """
    lock_queue(connection, AdvisoryLock.CLAIM_REQUESTS)
    reclaimed = connection.execute(_RECLAIM, {"now": now}).all()
    lease_reclaims.record(lease_reclaims.REQUESTS, len(reclaimed))
    for row in reclaimed:
        if row.state == RequestState.JOINED:
            notes.write(connection, row.id, now)
    lease, claimed = secrets.token_hex(16), list[ClaimedRequest]()
    next_sends: dict[int, float] = {}
    for desk in connection.execute(_DESKS, {"now": now}).all():
        planned = max(next_sends.get(desk.bot_id, desk.next_send), now)
        room = min(allowance(planned, now), most - len(claimed))
        token = _decrypted(desk) if room > 0 and desk.bot_id not in busy else None
        if token is None:
            continue
        rows = _due(connection, desk, now, room)
        if rows:
            next_sends[desk.bot_id] = planned + STEP * len(rows)
        claimed += [_claimed(row, desk, lease, token) for row in rows]
    names = ["state", "lease", "due", "tries"]
    until, sending = now + lease_seconds, int(RequestState.SENDING)
    taken = [(each.id, sending, lease, until, each.tries) for each in claimed]
    update_rows(connection, _REQUESTS, names, taken)
    update_rows(connection, BOTS, ["next_send"], sorted(next_sends.items()))
    return claimed


def allowance(next_send: float, now: float) -> int:
    """How many decisions a bot may tell at `now`; its next call is planned for `next_send`."""
    return min(MOST_OF_BOT, max(0, int((now + AHEAD - next_send) / STEP + 0.001)))


def _due(connection: Connection, desk: Row[Any], now: float, room: int) -> Sequence[Row[Any]]:
    """The first decisions of a campaign.

    Rules rest in quiet hours, when their hour is full, and while the desk is off or the campaign
    is paused.
    """
    minute, _ = rules.minute_and_weekday(now, zone(desk.zone))
    is_quiet = conditions.is_within(desk.desk_quiet_from, desk.desk_quiet_to, minute)
    is_on = desk.desk != DeskMode.OFF and desk.status == CampaignStatus.ACTIVE
    by_rules = is_on and not is_quiet
    left = _left_of_hour(connection, desk, now)
    params = {"campaign": desk.id, "now": now, "limit": room, "by_rules": int(by_rules)}
    rows = connection.execute(_DUE, params | {"capped": int(left <= 0)}).all()
    taken = []
    for row in rows:
        is_counted = row.decided_by != DecidedBy.PERSON and row.action == Verdict.APPROVE
        if is_counted and left <= 0:
            continue
        left -= is_counted
        taken.append(row)
    return taken


def _left_of_hour(connection: Connection, desk: Row[Any], now: float) -> int:
    """How many more requests rules may approve within the hour that ends now."""
    if not desk.desk_cap:
        return MOST_OF_BOT
    params = {"campaign": desk.id, "since": now - HOUR}
    return int(desk.desk_cap - (connection.scalar(_APPROVED, params) or 0))


def _claimed(row: Row[Any], desk: Row[Any], lease: str, token: str) -> ClaimedRequest:
    return ClaimedRequest(
        id=row.id,
        lease=lease,
        bot_id=desk.bot_id,
        token=token,
        slow_until=desk.invites_slow_until,
        campaign_id=desk.id,
        chat_id=row.chat_id,
        subscriber=row.subscriber,
        action=Verdict(row.action),
        decided_by=row.decided_by,
        tries=row.tries + 1,
        rule_id=row.rule_id,
        asked=row.asked,
    )


def _decrypted(desk: Row[Any]) -> str | None:
    """The bot's token, or None if it cannot be read: other bots must not wait for this one."""
    try:
        return cipher.decrypt(desk.token)
    except CannotDecrypt as error:
        log.warning("request.token_unreadable", bot=desk.bot_id, reason=str(error))
        return None
