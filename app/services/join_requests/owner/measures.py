"""How the desk of an account does: how fast it lets people in, and whom it greets in time."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, func, select

from app.extensions import db
from app.models import Campaign, DecidedBy, JoinRequest, Lead, Message, MessageState, RequestState
from app.services.join_requests import greeting
from app.services.lists.ownership import check_owned

HOUR: Final = 3600
#: How many of the last requests are looked at.
SAMPLE: Final = 500
_LET_IN: Final = (RequestState.APPROVED, RequestState.JOINED)
_OURS: Final = (DecidedBy.RULE, DecidedBy.PERSON)


class Measures(NamedTuple):
    """`wait` is the median in seconds; the shares are percent. None without anybody to count."""

    approved: int
    wait: float | None
    greeted: float | None
    started: float | None


def measure(account_id: int, now: float, campaign: int | None = None) -> Measures:
    """Look at the last hour, and at the last requests, of a campaign or of all.

    Raises NotFound.
    """
    check_owned(account_id, campaign=campaign)
    own = [JoinRequest.account_id == account_id]
    if campaign is not None:
        own.append(JoinRequest.campaign_id == campaign)
    last = select(JoinRequest.id).where(*own).order_by(JoinRequest.id.desc()).limit(SAMPLE)
    rows = db.session.execute(
        select(
            JoinRequest.asked,
            JoinRequest.decided,
            JoinRequest.decided_by,
            JoinRequest.message_id,
            Message.state.label("message_state"),
            Message.expires,
            Lead.last_start_at,
        )
        .outerjoin(Message, Message.id == JoinRequest.message_id)
        .outerjoin(Lead, Lead.id == JoinRequest.lead_id)
        .where(JoinRequest.id.in_(last))
    ).all()
    waits = [row.decided - row.asked for row in rows if row.decided and row.decided_by in _OURS]
    # A message that a decision brought later is no greeting.
    greeted = [row for row in rows if row.message_id is not None and _is_greeting(row)]
    return Measures(
        db.session.scalar(_recent(account_id, campaign, now)) or 0,
        median(waits) if waits else None,
        _share([row.message_state == MessageState.SENT for row in greeted]),
        _share([(row.last_start_at or 0) >= row.asked for row in greeted]),
    )


def _is_greeting(row: Any) -> bool:
    return row.expires is None or row.expires <= row.asked + greeting.WINDOW_SECONDS


def _recent(account_id: int, campaign: int | None, now: float) -> Select[int]:
    """How many the desk has let in within the last hour.

    By campaigns, whose index goes by the time: of all that were ever let in none is read.
    """
    theirs = select(Campaign.id).where(Campaign.account_id == account_id)
    return select(func.count()).where(
        JoinRequest.campaign_id.in_(theirs if campaign is None else [campaign]),
        JoinRequest.decided > now - HOUR,
        JoinRequest.state.in_(_LET_IN),
        JoinRequest.decided_by.in_(_OURS),
    )


def _share(flags: Sequence[Any]) -> float | None:
    return 100 * sum(map(bool, flags)) / len(flags) if flags else None
