"""Quotas: how much one account may store, whatever its plan. Checked under the account's lock."""

import enum
from typing import Any

from sqlalchemy import Select, func, select

from app.errors import PlanLimit, translatable
from app.extensions import db
from app.models import (
    Bot,
    Campaign,
    Destination,
    DestinationStatus,
    EventKey,
    Export,
    Media,
    Role,
    Site,
    Source,
)


@enum.unique  # two of one number would be one and the same
class Quota(enum.IntEnum):
    """What is counted, and how many of it an account may have. Deleted ones do not count."""

    BOTS = 200
    CAMPAIGNS = 5000
    DESTINATIONS = 2000
    MEDIA = 1000
    SOURCES = 2500
    SITES = 500
    EVENT_KEYS = 100
    EXPORTS = 3


def check(account_id: int, quota: Quota, more: int = 1) -> None:
    """Raise PlanLimit unless the account may have `more` of `quota`.

    What that says holds until the transaction ends, if the caller has called `accounts.lock`.
    """
    if _count(account_id, quota) + more <= quota:
        return
    most = int(quota)
    raise PlanLimit(
        {
            Quota.BOTS: translatable("an account has at most %(most)d bots", most=most),
            Quota.CAMPAIGNS: translatable("an account has at most %(most)d campaigns", most=most),
            Quota.DESTINATIONS: translatable(
                "an account has at most %(most)d connected trackers", most=most
            ),
            Quota.MEDIA: translatable(
                "an account has at most %(most)d pictures and films", most=most
            ),
            Quota.SOURCES: translatable("an account has at most %(most)d sources", most=most),
            Quota.SITES: translatable("an account has at most %(most)d sites", most=most),
            Quota.EVENT_KEYS: translatable(
                "an account has at most %(most)d keys for events", most=most
            ),
            Quota.EXPORTS: translatable(
                "an account has at most %(most)d prepared files at a time; delete one", most=most
            ),
        }[quota]
    )


def _count(account_id: int, quota: Quota) -> int:
    counts: dict[Quota, Select[Any]] = {
        Quota.BOTS: select(func.count(Bot.id)).where(Bot.account_id == account_id, Bot.living),
        Quota.CAMPAIGNS: select(func.count(Campaign.id)).where(
            Campaign.account_id == account_id, Campaign.living
        ),
        Quota.DESTINATIONS: select(func.count(Destination.id)).where(
            Destination.account_id == account_id,
            Destination.role == Role.CONNECTED,
            Destination.status != DestinationStatus.DELETED,
        ),
        Quota.MEDIA: select(func.count(Media.id)).where(Media.account_id == account_id),
        Quota.SOURCES: select(func.count(Source.id)).where(
            Source.account_id == account_id, Source.living
        ),
        Quota.SITES: select(func.count(Site.id)).where(Site.account_id == account_id),
        Quota.EVENT_KEYS: select(func.count(EventKey.id)).where(EventKey.account_id == account_id),
        Quota.EXPORTS: select(func.count(Export.id)).where(Export.account_id == account_id),
    }
    return db.session.scalar(counts[quota]) or 0
