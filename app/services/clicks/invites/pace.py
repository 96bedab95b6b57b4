"""How fast a bot makes and revokes invite links: slower than its messages, which go first.

Telegram publishes no limit. These are far below those of messages; after a
flood wait they are halved, and recover by a tenth of the whole each minute.
"""

import random
from typing import Final

from sqlalchemy import text

from app.extensions import db
from app.token_buckets import Rate, TokenBuckets, tokens

#: No minute has more than 240 calls of a bot, and 20 for one chat.
BOT: Final = Rate(per_minute=236, burst=4)
CHAT: Final = Rate(per_minute=15, burst=5)
#: A call counts as a message of the bot, which sends 25 a second.
STEP: Final = 1 / 25
#: So far may the bot be ahead of that: not as far as messages get it, so they go first.
AHEAD: Final = 3 * STEP
RECOVERY_SECONDS: Final = 600.0
SLOWEST: Final = 1 / 16
BUCKETS: Final = TokenBuckets("gatepost:invites")

_CALL: Final = text("""
    UPDATE bot SET next_send = CASE WHEN next_send > :now THEN next_send ELSE :now END + :step
    WHERE id = :bot AND next_send <= :latest AND quiet_until <= :now AND paused = ''
""")
_SLOW_DOWN: Final = text("""
    UPDATE bot SET invites_slow_until = :slow_until WHERE id = :bot AND quiet_until <= :now
""")
_WAIT: Final = text("""
    UPDATE bot SET quiet_until = :until WHERE id = :bot AND quiet_until < :until
""")


def allows_call(bot_id: int, chat_id: int, slow_until: float, now: float) -> bool:
    """Whether the bot may call Telegram about links of this chat at `now`; then it is counted.

    `slow_until` is the bot's `invites_slow_until`. False while messages are ahead. Commits.
    """
    share = _share(slow_until, now)
    names = str(bot_id), f"{bot_id}:{chat_id}"
    rates = _slowed(BOT, share), _slowed(CHAT, share)
    for name, rate in zip(names, rates, strict=True):
        if not tokens(BUCKETS.full_at(name), rate, now):
            return False
    if any(BUCKETS.take(name, rate, now) for name, rate in zip(names, rates, strict=True)):
        return False
    call = {"bot": bot_id, "now": now, "step": STEP, "latest": now + AHEAD}
    is_free = db.session.connection().execute(_CALL, call).rowcount == 1
    db.session.commit()
    return is_free


def flood_wait(bot_id: int, retry_after: int, slow_until: float, now: float) -> None:
    """Let the bot wait for `retry_after` seconds, and be slower afterwards. Commits."""
    share = max(_share(slow_until, now) / 2, SLOWEST)
    connection = db.session.connection()
    # Answers of the same moment must not halve it again: the bot waits already then.
    slow = {"bot": bot_id, "now": now, "slow_until": now + (1 - share) * RECOVERY_SECONDS}
    connection.execute(_SLOW_DOWN, slow)
    wait = retry_after * (1 + 0.05 * random.random()) + random.random()
    connection.execute(_WAIT, {"bot": bot_id, "until": now + wait})
    db.session.commit()


def _share(slow_until: float, now: float) -> float:
    """Which part of the full rate holds at `now`."""
    return min(max(1 - (slow_until - now) / RECOVERY_SECONDS, SLOWEST), 1.0)


def _slowed(rate: Rate, share: float) -> Rate:
    return Rate(rate.per_minute * share, max(1, int(rate.burst * share)))
