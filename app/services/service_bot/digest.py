"""Sends each account its notices, gathered into at most one message a minute.

The first notice is sent at once. Those that come within the next minute, or
before Telegram has accepted the last message, are sent together after it. What is
urgent is not held back, and takes along what waits. It is shown whole, before all others, if it
takes several messages: so nobody hides a transfer behind many new keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Connection, Row, bindparam, delete, select, text

from app.database.advisory_locks import AdvisoryLock, try_lock
from app.extensions import db
from app.models import Campaign, Message, Notice, NoticeKind, table_of
from app.services.service_bot import bot as service_bot
from app.services.service_bot.digest_text import LINES, Topic, keyboard, render
from app.translations import use_language

PACE_SECONDS: Final = 60.0
#: A notice that could not be sent for a day is dropped.
STALE_SECONDS: Final = 86_400.0
PEOPLE: Final = 200  # of one call; the others a second later

_URGENT: Final = [kind.value for kind in NoticeKind if kind.is_urgent]
_NOTICES: Final = table_of(Notice)

# The last message to a person decides when the next one may be sent.
_RECIPIENTS = text("""
    SELECT a.id, a.tg_id, a.lang FROM account a
    WHERE a.id IN (SELECT account_id FROM notice) AND a.tg_id IS NOT NULL
    AND (EXISTS (SELECT 1 FROM notice n WHERE n.account_id = a.id AND n.kind IN :urgent)
        OR COALESCE((
            SELECT m.state > 1 AND COALESCE(m.sent, m.created) <= :then
            FROM message m WHERE m.bot_id = :bot AND m.chat_id = a.tg_id ORDER BY m.id DESC LIMIT 1
        ), :yes))
    ORDER BY a.id LIMIT :many
""").bindparams(bindparam("urgent", expanding=True))
# Too old, or for people who blocked the bot: nothing piles up for them.
_UNDELIVERABLE = text("""
    DELETE FROM notice WHERE created < :old OR account_id IN (
        SELECT a.id FROM account a JOIN unreachable u ON u.subscriber = a.tg_id
        WHERE u.bot_id = :bot AND a.id IN (SELECT account_id FROM notice)
    )
""")


@dataclass(frozen=True, slots=True)
class Recipient:
    """The person behind an account, and the language of the account."""

    account_id: int
    chat_id: int
    lang: str


def flush(now: float) -> int:
    """Queue one message for each account that may receive one now. Commits.

    Returns how many messages were queued.
    """
    connection = db.session.connection()
    if connection.scalar(select(_NOTICES.c.id).limit(1)) is None:
        db.session.rollback()
        return 0
    bot = service_bot.find()
    # Whoever is at it already tells them all; a clock must not wait for another.
    if bot is None or not try_lock(connection, AdvisoryLock.SEND_DIGESTS):
        db.session.rollback()
        return 0
    connection.execute(_UNDELIVERABLE, {"old": now - STALE_SECONDS, "bot": bot.id})
    terms = {"bot": bot.id, "then": now - PACE_SECONDS, "yes": True, "urgent": _URGENT}
    terms["many"] = PEOPLE
    recipients = [Recipient(*row) for row in connection.execute(_RECIPIENTS, terms)]
    staged = sum(_send(connection, bot.id, recipient, now) for recipient in recipients)
    db.session.commit()
    return staged


def _send(connection: Connection, bot_id: int, recipient: Recipient, now: float) -> bool:
    mine = _NOTICES.c.account_id == recipient.account_id
    urgent = select(_NOTICES.c.id).where(mine, _NOTICES.c.kind.in_(_URGENT)).order_by(_NOTICES.c.id)
    first = connection.scalars(urgent.limit(LINES + 1)).all()
    # More than one message shows: the others, urgent or not, are told a second later.
    chosen = _NOTICES.c.id.in_(first[:LINES]) if len(first) > LINES else mine
    notices = connection.execute(delete(_NOTICES).where(chosen).returning(*_NOTICES.c)).all()
    topics = _topics(connection, notices)
    if not topics:
        return False
    with use_language(recipient.lang):
        content, buttons = render(topics), keyboard(topics)
    db.session.add(
        Message(
            account_id=recipient.account_id,
            bot_id=bot_id,
            chat_id=recipient.chat_id,
            campaign_id=0,
            lead_id=0,
            text=content,
            parse_mode="",
            markup=orjson.dumps({"inline_keyboard": buttons}).decode() if buttons else "",
            due=now,
            created=now,
        )
    )
    return True


def _topics(connection: Connection, notices: Sequence[Row[tuple[object, ...]]]) -> list[Topic]:
    """Return the topics: each campaign once, unless it was muted meanwhile."""
    campaigns = {row.campaign_id for row in notices if row.campaign_id}
    titles = {
        row.id: row.chat_title
        for row in connection.execute(
            select(Campaign.id, Campaign.chat_title).where(
                Campaign.id.in_(campaigns), Campaign.notify_level > 0
            )
        )
    }
    by_campaign: dict[int, Topic] = {}
    others: list[Topic] = []
    for row in sorted(notices, key=lambda row: row.id):
        kind = NoticeKind(row.kind)
        if not kind.is_of_a_lead:
            others.append(Topic(kind=kind, about=orjson.loads(row.about)))
        elif row.campaign_id in titles:
            topic = by_campaign.setdefault(
                row.campaign_id, Topic(row.campaign_id, titles[row.campaign_id])
            )
            topic.counts[kind] += row.times
    others.sort(key=lambda topic: topic.kind is None or not topic.kind.is_urgent)
    return others + sorted(by_campaign.values(), key=lambda topic: -topic.counts.total())
