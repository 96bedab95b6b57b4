"""What a person says with a decision: a message to those whom the bot may write to.

Telegram lets a bot write to who asks for five minutes, and to who has started it at any time.
Nobody else is written to: the call would only be refused. The decision waits for the message,
since after it the five minutes are over. No commit.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, or_, select

from app.database.rows import update_rows
from app.extensions import db
from app.models import Bot, Campaign, JoinRequest, Lead, Unreachable, table_of
from app.services.join_requests import greeting
from app.services.join_requests.greeting import Asker, Greeting, asker_of

#: A message to who has started the bot waits for so long at most.
KEPT_SECONDS: Final = 600.0


def say(ids: Sequence[int], batch: str, text: str, now: float) -> int:
    """Write `text` to the people of those requests that are in a batch. Returns to how many."""
    rows = _reachable(ids, batch, now)
    campaigns = {
        row.id: row
        for row in db.session.execute(
            select(table_of(Campaign)).where(Campaign.id.in_({row.campaign_id for row in rows}))
        )
    }
    bots = select(Bot.id, Bot.username).where(Bot.id.in_({row.bot_id for row in rows}))
    usernames = {bot.id: bot.username for bot in db.session.execute(bots)}
    messages = [
        Greeting(
            campaigns[row.campaign_id], usernames.get(row.bot_id, ""), _asker(row, now), False,
            _window(row) if _is_open(row, now) else now + KEPT_SECONDS, text,
        )
        for row in rows
    ]  # fmt: skip
    connection = db.session.connection()
    ids = greeting.write(connection, messages, now) if messages else []
    written = [(row.id, message) for row, message in zip(rows, ids, strict=True)]
    update_rows(connection, table_of(JoinRequest), ["message_id"], written)
    return len(written)


def _reachable(ids: Sequence[int], batch: str, now: float) -> list[Row[Any]]:
    """The requests of a batch whose people may be written to."""
    blocked = select(Unreachable.subscriber).where(
        Unreachable.bot_id == JoinRequest.bot_id, Unreachable.subscriber == JoinRequest.subscriber
    )
    is_open = (JoinRequest.asked > now - greeting.WINDOW_SECONDS) & (JoinRequest.user_chat != 0)
    has_started = Lead.last_start_at.is_not(None) & ~blocked.exists()
    query = (
        select(table_of(JoinRequest))
        .outerjoin(Lead, Lead.id == JoinRequest.lead_id)
        .where(JoinRequest.id.in_(ids), JoinRequest.batch == batch)
        .where(or_(is_open, has_started))
        .order_by(JoinRequest.id)
    )
    return list(db.session.execute(query).all())


def _window(row: Row[Any]) -> float:
    return float(row.asked + greeting.WINDOW_SECONDS)


def _is_open(row: Row[Any], now: float) -> bool:
    return bool(row.user_chat) and now < _window(row)


def _asker(row: Row[Any], now: float) -> Asker:
    return asker_of(row, row.user_chat if _is_open(row, now) else row.subscriber)
