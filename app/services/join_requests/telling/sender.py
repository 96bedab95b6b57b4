"""Tells Telegram what was decided: claim, call, settle, in rounds of a few calls.

The clock runs it beside its ticks, since it waits for Telegram. No database connection is held
meanwhile. A bot whose calls are not answered yet gets no others, and keeps no other bot waiting.
A process that dies between a call and its note leaves a lease that runs out; the call that is
then repeated finds the request settled, and Telegram approves nobody twice.
"""

import threading
import time
from contextlib import closing
from typing import Any, Final

from app.config import current_settings
from app.extensions import db
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Answer, Transport
from app.services.join_requests.telling import settle
from app.services.join_requests.telling.claim import ClaimedRequest, claim

#: Calls that may be under way, so that a round is short.
MOST_CALLS: Final = 60
CALL_SECONDS: Final = 5.0
#: So long a round waits for answers; what takes longer is settled by a later one.
ROUND_SECONDS: Final = 0.25
#: After the last call it goes on for so long by itself; then it waits for the clock to find work.
LINGER_SECONDS: Final = 3.0

#: Set when there may be something to tell, from any thread of the process that tells.
has_work: Final = threading.Event()


class Teller:
    """The calls of one process that are under way. For one thread, after any fork."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport(
            trusted=True, total_seconds=CALL_SECONDS, max_body=telegram.MAX_BODY
        )
        self._in_flight: dict[int, ClaimedRequest] = {}
        self._last_call = 0.0

    @property
    def in_flight(self) -> int:
        """How many calls are not answered yet."""
        return len(self._in_flight)

    def work(self, now: float) -> bool:
        """Do a round at `now` if there may be something to tell; else ask the database nothing.

        Returns whether it did, so that the next may follow without being told.
        """
        if not (has_work.is_set() or self._in_flight or now - self._last_call < LINGER_SECONDS):
            return False
        has_work.clear()
        if self.round(now):
            self._last_call = now
        return True

    def round(self, now: float, seconds: float = ROUND_SECONDS) -> int:
        """Claim, call, and settle what is answered within `seconds`. Commits.

        `now` is in Unix seconds. Returns how many calls it made.
        """
        settings = current_settings()
        room = MOST_CALLS - len(self._in_flight)
        busy = {each.bot_id for each in self._in_flight.values()}
        with db.engine.begin() as connection:
            claimed = claim(
                connection, now=now, lease_seconds=settings.lease_seconds, most=room, busy=busy
            )
        for each in claimed:
            self._in_flight[each.id] = each
            url = settings.telegram_api_url
            self._transport.start(
                telegram.build(each.method, each.params, each.token, url), each.id
            )
        db.session.rollback()
        self._settle(now, seconds)
        return len(claimed)

    def close(self) -> None:
        """Give up the calls under way: their leases run out, and they are made again."""
        self._in_flight.clear()
        self._transport.close()

    def _settle(self, now: float, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._in_flight and (left := end - time.monotonic()) > 0:
            answers: Any = self._transport.poll(left)
            # All are off the list before one is stored: a database that goes away forgets none.
            for claimed, answer in [(self._in_flight.pop(each.tag), each) for each in answers]:
                settle.record(claimed, _reply(answer, claimed), now)


def tell(now: float, transport: Transport | None = None) -> int:
    """Do one round at `now`, and wait for all answers. Commits. Returns how many calls it made."""
    teller = Teller(transport)
    with closing(teller):
        return teller.round(now, 2 * CALL_SECONDS)


def _reply(answer: Answer, claimed: ClaimedRequest) -> Exception | None:
    """What went wrong with a call, None if it succeeded."""
    try:
        telegram.read(answer, claimed.token)
    except (TelegramRefused, TelegramUnreachable) as error:
        return error
    return None
