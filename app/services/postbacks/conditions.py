"""SQL conditions on postbacks and destinations that several statements have in common."""

from typing import Final

from app.models import DestinationStatus, PostbackState
from app.models.account import IS_SUSPENDED_SQL

WAITING: Final = f"state = {PostbackState.WAITING:d}"

#: Whether a destination `d` may be sent to at `:now`.
MAY_BE_SENT_TO: Final = f"""
    d.status = {DestinationStatus.ACTIVE:d} AND d.blocked_until <= :now
    AND NOT {IS_SUSPENDED_SQL.format(owner="d.account_id")}
"""

#: Whether a destination `d` may be sent to at `:now` and has postbacks that are due.
HAS_DUE_POSTBACKS: Final = f"""
    {MAY_BE_SENT_TO} AND EXISTS (SELECT 1 FROM postback p
        WHERE p.destination_id = d.id AND p.{WAITING} AND p.due <= :now)
"""
