"""Checks of the doctor about what there is: rows, work that waits, and bots that need mending."""

import time
from typing import Final

from sqlalchemy import or_, select

from app.cli.check import Check, asks_database
from app.extensions import db
from app.models import WEBHOOK_ERROR_FRESH, Bot, BotFault
from app.queues import FAULTS
from app.services import growth, lease_reclaims, metrics

#: Tables that are named, the largest first.
LARGEST: Final = 8
#: Bots that are named, those first whose fault began first.
NAMED: Final = 5
#: Updates that wait at Telegram, from which number on their bot is named.
MANY: Final = 100
#: Seconds for which an update may wait before the check fails.
PATIENCE: Final = 60.0
STUCK: Final = "updates are not processed: is a worker running, and what does its log say?"


@asks_database("growth")
def growth_by_table() -> Check:
    """Tell the size of the largest tables, and how many rows came within a day. Never fails."""
    sizes = [size for size in growth.sizes() if size.rows][:LARGEST]
    came = growth.came_since(time.time())
    total = growth.database_bytes()
    largest = ", ".join(_in_words(size) for size in sizes) or "no rows"
    daily = ", ".join(f"{name} {count:,}" for name, count in came if count) or "none"
    finding = f"{_bytes(total)}: {largest}; rows of the last day: {daily}"
    return Check("growth", finding=finding)


def _in_words(size: growth.TableSize) -> str:
    room = "" if size.bytes is None else f" ({_bytes(size.bytes)})"
    return f"{size.name} {size.rows:,}{room}"


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


@asks_database("work")
def waiting() -> Check:
    """Tell how long what is due has waited, and how often work was taken over from dead workers."""
    seconds = metrics.oldest_seconds(time.time())
    finding = "oldest due: " + ", ".join(f"{noun} {age:.0f} s" for noun, age in seconds.items())
    try:
        reclaims = lease_reclaims.totals()
        counts = ", ".join(f"{kind} {number}" for kind, number in reclaims.items() if number)
        finding += f"; taken over from dead workers: {counts or 'none'}"
    except FAULTS:
        finding += "; Redis does not tell what was taken over"
    return Check(
        "work",
        finding=finding,
        advice="" if seconds["updates"] <= PATIENCE else STUCK,
    )


@asks_database("bots")
def bots() -> Check:
    """Name the bots of which Telegram told that something is wrong: getWebhookInfo, and rights."""
    rows = db.session.execute(
        select(BotFault.bot_id, Bot.username, BotFault.kind, BotFault.repairs)
        .join(Bot, Bot.id == BotFault.bot_id)
        .where(Bot.living)
        .order_by(BotFault.since, BotFault.id)
        .limit(NAMED + 1)
    ).all()
    undelivered = _undelivered(time.time())
    if not rows:
        return Check("bots", finding=f"none has a fault{undelivered}")
    named = ", ".join(
        f"{row.bot_id} @{row.username} {row.kind}"
        + (f" (set again {row.repairs} times)" if row.repairs else "")
        for row in rows[:NAMED]
    )
    # No advice: their owners are told, and mend it.
    return Check(
        "bots",
        finding=f"with faults: {named}{' and more' if len(rows) > NAMED else ''}{undelivered}",
    )


def _undelivered(now: float) -> str:
    """Name the bots whose updates wait at Telegram, those first of which the most wait.

    It said so when it was asked last, ten minutes ago or so.
    """
    is_failing = Bot.webhook_error_time > now - WEBHOOK_ERROR_FRESH
    rows = db.session.execute(
        select(Bot.id, Bot.username, Bot.webhook_pending, Bot.webhook_error, is_failing)
        .where(Bot.living, or_(Bot.webhook_pending >= MANY, is_failing))
        .order_by(Bot.webhook_pending.desc(), Bot.id)
        .limit(NAMED)
    )
    named = [
        f"{number} @{username} {pending}" + (f" ({error})" if error and fails else "")
        for number, username, pending, error, fails in rows
    ]
    return f"; updates that waited at Telegram: {', '.join(named)}" if named else ""
