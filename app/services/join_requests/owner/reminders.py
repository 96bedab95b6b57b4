"""Tells owners how many people wait for them to decide, at most once in ten minutes."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select, update

from app.extensions import db
from app.models import Account, Campaign, DeskMode, JoinRequest, RequestState
from app.services.accounts import notifications

EVERY_SECONDS: Final = 600.0
#: Campaigns of one call; the others come with the next.
MOST: Final = 200


def remind(now: float) -> int:
    """Record a notice for each campaign in which people wait who came since the last. No commit.

    Returns how many. Campaigns that are muted are left out, and those without a desk: there
    their administrators decide in Telegram.
    """
    if not notifications.notifications_enabled():
        return 0
    newest = func.max(JoinRequest.asked)
    waiting = (
        select(Campaign.id, Campaign.account_id, Campaign.chat_title, func.count())
        .join(JoinRequest, JoinRequest.campaign_id == Campaign.id)
        .join(Account, Account.id == Campaign.account_id)
        .where(JoinRequest.state == RequestState.WAITING, Campaign.living)
        .where(Campaign.desk != DeskMode.OFF, Campaign.notify_level > 0)
        .where(Campaign.desk_told <= now - EVERY_SECONDS, Account.tg_id.is_not(None))
        .where(Account.notify_leads)
        .group_by(Campaign.id, Campaign.account_id, Campaign.chat_title, Campaign.desk_told)
        .having(newest > Campaign.desk_told)
        .order_by(Campaign.id)
        .limit(MOST)
    )
    rows = db.session.execute(waiting).all()
    claimed = _claim([row.id for row in rows], now)
    for campaign, account, title, count in rows:
        if campaign in claimed:
            notifications.requests_waiting(account, campaign, title, count, now)
    return len(claimed)


def _claim(campaigns: Sequence[int], now: float) -> set[int]:
    """Note that owners are told of campaigns now. Returns those of which no other clock tells."""
    if not campaigns:  # nobody is kept from writing
        return set()
    still = (Campaign.id.in_(campaigns), Campaign.desk_told <= now - EVERY_SECONDS)
    noted = update(Campaign).where(*still).values(desk_told=now).returning(Campaign.id)
    return set(db.session.scalars(noted.execution_options(synchronize_session=False)))
