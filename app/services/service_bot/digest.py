"""Bundles: what an account is to be told, gathered into one message a minute.

The first notice is told at once; those that come within the next minute, or
while Telegram has not taken the last message, are told together after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, Row, delete, select, text

from app.database import try_lock
from app.extensions import db
from app.models import Campaign, Message, Notice, NoticeKind, table_of
from app.services.service_bot import bot as service_bot
from app.services.service_bot.digest_text import Topic, keyboard, render
from app.translations import speaking

PACE_SECONDS: Final = 60.0
#: What nobody could be told for a day is no news any more.
STALE_SECONDS: Final = 86_400.0
PEOPLE: Final = 200  # of one call; the others a second later
_LOCK: Final = 0x676103

_NOTICES: Final = table_of(Notice)

# The last message to a person tells when the next one may be.
_RECIPIENTS = text("""
    SELECT a.id, a.tg_id, a.lang FROM account a
    WHERE a.id IN (SELECT account_id FROM notice) AND a.tg_id IS NOT NULL
    AND COALESCE((
        SELECT m.state > 1 AND COALESCE(m.sent, m.created) <= :then
        FROM message m WHERE m.bot_id = :bot AND m.chat_id = a.tg_id ORDER BY m.id DESC LIMIT 1
    ), :yes)
    ORDER BY a.id LIMIT :many
""")
# They blocked the bot, or will never hear: nothing piles up for them.
_UNDELIVERABLE = text("""
    DELETE FROM notice WHERE created < :old OR account_id IN (
        SELECT a.id FROM account a JOIN unreachable u ON u.subscriber = a.tg_id
        WHERE u.bot_id = :bot AND a.id IN (SELECT account_id FROM notice)
    )
""")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told, and in which language."""

    account_id: int
    chat_id: int
    lang: str


def flush(now: float) -> int:
    """Turn notices into messages, for whoever may be told now. Commits.

    Returns how many messages were staged.
    """
    connection = db.session.connection()
    if connection.scalar(select(_NOTICES.c.id).limit(1)) is None:
        db.session.rollback()
        return 0
    bot = service_bot.find()
    # Whoever is at it already tells them all; a clock must not wait for another.
    if bot is None or not try_lock(connection, _LOCK):
        db.session.rollback()
        return 0
    connection.execute(_UNDELIVERABLE, {"old": now - STALE_SECONDS, "bot": bot.id})
    terms = {"bot": bot.id, "then": now - PACE_SECONDS, "yes": True, "many": PEOPLE}
    recipients = [Recipient(*row) for row in connection.execute(_RECIPIENTS, terms)]
    staged = sum(_tell(connection, bot.id, recipient, now) for recipient in recipients)
    db.session.commit()
    return staged


def _tell(connection: Connection, bot_id: int, recipient: Recipient, now: float) -> bool:
    notices = connection.execute(
        delete(_NOTICES).where(_NOTICES.c.account_id == recipient.account_id).returning(*_NOTICES.c)
    ).all()
    topics = _topics(connection, notices)
    if not topics:
        return False
    with speaking(recipient.lang):
        said, buttons = render(topics), keyboard(topics)
    db.session.add(
        Message(
            account_id=recipient.account_id,
            bot_id=bot_id,
            chat_id=recipient.chat_id,
            campaign_id=0,
            lead_id=0,
            text=said,
            parse_mode="",
            markup=orjson.dumps({"inline_keyboard": buttons}).decode() if buttons else "",
            due=now,
            created=now,
        )
    )
    return True


def _topics(connection: Connection, notices: Sequence[Row[tuple[object, ...]]]) -> list[Topic]:
    """What to speak of: each campaign once, unless it was muted meanwhile."""
    campaigns = {row.campaign_id for row in notices if row.campaign_id}
    heard = {
        row.id: row.chat_title
        for row in connection.execute(
            select(Campaign.id, Campaign.chat_title).where(
                Campaign.id.in_(campaigns), Campaign.notify_level > 0
            )
        )
    }
    by_campaign: dict[int, Topic] = {}
    others: list[Topic] = []
    for row in sorted(notices, key=lambda one: one.id):
        kind = NoticeKind(row.kind)
        if not kind.is_of_a_lead:
            others.append(Topic(kind=kind, about=orjson.loads(row.about)))
        elif row.campaign_id in heard:
            topic = by_campaign.setdefault(
                row.campaign_id, Topic(row.campaign_id, heard[row.campaign_id])
            )
            topic.counts[kind] += row.times
    return others + sorted(by_campaign.values(), key=lambda topic: -topic.counts.total())
