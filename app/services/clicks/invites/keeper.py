"""Keeps invite links: makes those that are missing, revokes those that are used, forgets old ones.

The clock runs it beside its ticks, since it waits for Telegram. No database
connection is held meanwhile. Several installations' clocks may run it at once:
the pace is shared, what is revoked is leased, and a link too many does no harm.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from app.config import current_settings
from app.extensions import db
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Transport
from app.services.clicks.invites import leftovers, minting, pace, pool, revoking
from app.services.clicks.invites.demand import Demand, Missing
from app.services.clicks.invites.minting import Maker, Order
from plugins.contract import Request

#: Calls of one round, so that a round is short.
MOST_CALLS: Final = 40
CALL_SECONDS: Final = 5.0
SWEEP_EVERY: Final = 60.0

#: Set when there may be links to make or revoke, from any thread of the process that keeps them.
has_work: Final = threading.Event()

_demand: Final = Demand()
_last = {"sweep": 0.0}


def keep(now: float) -> int:
    """Do one round at `now`, Unix seconds. Commits. Returns how many calls it made."""
    has_work.clear()
    calls = revoke(now) + make(now)
    if not 0 <= now - _last["sweep"] < SWEEP_EVERY:  # or the clock was set back
        _last["sweep"] = now
        leftovers.sweep(now)
    return calls


def make(now: float) -> int:
    """Make what is missing, as far as the pace allows. Commits. Returns how many calls it made."""
    orders = _orders(_demand.look(now), now)
    requests = [(made.maker.token, minting.METHOD, made.params) for made in orders]
    for index, reply in _exchange(requests):
        minting.record(orders[index], reply, now)
    return len(orders)


def revoke(now: float) -> int:
    """Revoke what is due, as far as the pace allows. Commits. Returns how many calls it made."""
    due = revoking.claim(now, MOST_CALLS)
    requests = [(link.maker.token, revoking.METHOD, link.params) for link in due]
    for index, reply in _exchange(requests):
        revoking.record(due[index], reply, now)
    return len(due)


def _orders(missing: Sequence[Missing], now: float) -> list[Order]:
    makers: dict[int, Maker | None] = {}
    refused: set[tuple[int, int]] = set()
    orders: list[Order] = []
    for lacking in missing:
        chat = lacking.bot_id, lacking.chat_id
        if lacking.bot_id not in makers:
            makers[lacking.bot_id] = pool.find_maker(lacking.bot_id)
        maker = makers[lacking.bot_id]
        if maker is None or chat in refused:
            continue
        if not pace.allows_call(*chat, maker.slow_until, now):
            refused.add(chat)
            continue
        orders.append(_order(lacking, maker, now))
        if len(orders) == MOST_CALLS:
            break
    return orders


def _order(lacking: Missing, maker: Maker, now: float) -> Order:
    chat, kind = lacking.chat_id, lacking.kind
    if lacking.source_id is not None:
        return Order(maker, chat, kind, None, lacking.name, lacking.source_id)
    return minting.order(maker, chat, kind, lacking.link_ttl, now)


def _exchange(calls: Sequence[tuple[str, str, dict[str, Any]]]) -> Iterator[tuple[int, Any]]:
    """Make calls, each (token, method, parameters). Yields index and reply, as they come."""
    if not calls:
        return
    base_url = current_settings().telegram_api_url
    requests: list[Request] = [
        telegram.build(method, params, token, base_url) for token, method, params in calls
    ]
    db.session.rollback()
    transport = Transport(trusted=True, total_seconds=CALL_SECONDS, max_body=telegram.MAX_BODY)
    with closing(transport):
        for answer in transport.exchange(requests):
            index: Any = answer.tag
            reply: Any
            try:
                reply = telegram.read(answer, calls[index][0])
            except (TelegramRefused, TelegramUnreachable) as error:
                reply = error
            yield index, reply
