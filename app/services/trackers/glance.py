"""What lists and warnings show of destinations, without their settings and counts."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, bindparam, func, literal, select, text

from app.database.direct import fetch
from app.extensions import db
from app.models import Campaign, Destination, DestinationStatus

#: An account has at most some hundred trackers.
MOST: Final = 500


def titles(account_id: int) -> Sequence[Any]:
    """What campaigns and destinations that are not deleted are called, newest first.

    A row has `is_tracker`, `id` and `title`; of a destination, templates too, also `tracker` and
    the title of its `campaign`. Nothing is None.
    """
    return fetch(db.session.connection(), _TITLES, {"account": account_id})


def in_trouble(account_id: int, now: float) -> Sequence[Destination]:
    """Those that were switched off, or fail so often that they rest at `now`; newest first."""
    is_off = Destination.status == DestinationStatus.OFF
    return db.session.scalars(
        select(Destination)
        .where(Destination.account_id == account_id, is_off | (Destination.blocked_until > now))
        .where(Destination.status != DestinationStatus.DELETED)
        .order_by(Destination.id.desc())
        .limit(MOST)
    ).all()


def _flag(is_tracker: bool) -> Any:
    return literal(is_tracker, Boolean).label("is_tracker")


def _titles() -> Any:
    """Select what `titles` returns, with the parameter `account`."""
    account = bindparam("account", type_=BigInteger())
    name: Any = Campaign.chat_title
    columns: list[Any] = [Destination.id, Destination.title, Destination.tracker]
    nothing = literal("")
    campaigns: Any = select(
        _flag(False), Campaign.id, name.label("title"), nothing.label("tracker"), nothing
    ).where(Campaign.account_id == account, Campaign.living)
    trackers: Any = (
        select(_flag(True), *columns, func.coalesce(name, "").label("campaign"))
        .outerjoin(Campaign, (Campaign.id == Destination.campaign_id) & Campaign.living)
        .where(Destination.account_id == account)
        .where(Destination.status != DestinationStatus.DELETED)
    )
    return trackers.union_all(campaigns).order_by(text("id DESC"))


_TITLES: Final = _titles()
