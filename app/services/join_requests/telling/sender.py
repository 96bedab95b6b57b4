"""Tells Telegram what was decided: claim, call, settle, in rounds of a few calls.

The clock runs it beside its ticks, since it waits for Telegram. No database connection is held
meanwhile. A process that dies between a call and its note leaves a lease that runs out; the
call that is then repeated finds the request settled, and Telegram approves nobody twice.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from app.config import current_settings
from app.extensions import db
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Transport
from app.services.join_requests.telling import settle
from app.services.join_requests.telling.claim import ClaimedRequest, claim

if TYPE_CHECKING:
    from plugins.contract import Request

#: Calls of one round, so that a round is short.
MOST_CALLS: Final = 60
CALL_SECONDS: Final = 5.0


def tell(now: float, transport: Transport | None = None) -> int:
    """Do one round at `now`, Unix seconds. Commits. Returns how many calls it made."""
    settings = current_settings()
    with db.engine.begin() as connection:
        claimed = claim(connection, now=now, lease_seconds=settings.lease_seconds, most=MOST_CALLS)
    if not claimed:
        return 0
    requests: list[Request] = [
        telegram.build(each.method, each.params, each.token, settings.telegram_api_url)
        for each in claimed
    ]
    db.session.rollback()
    own = transport or Transport(
        trusted=True, total_seconds=CALL_SECONDS, max_body=telegram.MAX_BODY
    )
    with closing(own):
        for answer in own.exchange(requests):
            index: Any = answer.tag
            settle.record(claimed[index], _reply(answer, claimed[index]), now)
    return len(claimed)


def _reply(answer: Any, claimed: ClaimedRequest) -> Exception | None:
    """What went wrong with a call, None if it succeeded."""
    try:
        telegram.read(answer, claimed.token)
    except (TelegramRefused, TelegramUnreachable) as error:
        return error
    return None
