"""Checks of the doctor about what there is: rows, work that waits, and bots that need mending."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import select

from app.cli.check import Check
from app.database.faults import DATABASE_FAULTS
from app.extensions import db
from app.models import Bot, BotFault
from app.queues import FAULTS
from app.services import growth, lease_reclaims, metrics

#: Tables that are named, the largest first.
LARGEST: Final = 8
#: Bots that are named, those first whose fault began first.
NAMED: Final = 5
#: Seconds for which an update may wait before something is wrong.
PATIENCE: Final = 60.0


def growth_by_table() -> Check:
    """Tell how much there is, and what came; how long it is kept are settings."""
    try:
        sizes = [size for size in growth.sizes() if size.rows][:LARGEST]
        came = growth.came_since(time.time())
        total = growth.database_bytes()
        db.session.rollback()
    except DATABASE_FAULTS:
        return Check("growth", ok=False, finding="unknown", advice="mend the database first")
    largest = ", ".join(_in_words(size) for size in sizes) or "no rows"
    daily = ", ".join(f"{name} {count:,}" for name, count in came if count) or "none"
    finding = f"{_bytes(total)}: {largest}; rows of the last day: {daily}"
    return Check("growth", ok=True, finding=finding)


def _in_words(size: growth.TableSize) -> str:
    room = "" if size.bytes is None else f" ({_bytes(size.bytes)})"
    return f"{size.name} {size.rows:,}{room}"


def _bytes(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def waiting() -> Check:
    """Tell how long what is due has waited, and how often work was taken over from dead workers."""
    try:
        seconds = metrics.oldest_seconds(time.time())
    except DATABASE_FAULTS:
        return Check("work", ok=False, finding="unknown", advice="mend the database first")
    finding = "oldest due: " + ", ".join(f"{noun} {age:.0f} s" for noun, age in seconds.items())
    try:
        reclaims = lease_reclaims.totals()
        counts = ", ".join(f"{kind} {number}" for kind, number in reclaims.items() if number)
        finding += f"; taken over from dead workers: {counts or 'none'}"
    except FAULTS:
        finding += "; Redis does not tell what was taken over"
    return Check(
        "work",
        ok=seconds["updates"] <= PATIENCE,
        finding=finding,
        advice="updates are not processed: is a worker running, and what does its log say?",
    )


def bots() -> Check:
    """Name the bots of which Telegram told that something is wrong: getWebhookInfo, and rights."""
    try:
        rows = db.session.execute(
            select(BotFault.bot_id, Bot.username, BotFault.kind, BotFault.repairs)
            .join(Bot, Bot.id == BotFault.bot_id)
            .where(Bot.living)
            .order_by(BotFault.since, BotFault.id)
            .limit(NAMED + 1)
        ).all()
        db.session.rollback()
    except DATABASE_FAULTS:
        return Check("bots", ok=False, finding="unknown", advice="mend the database first")
    if not rows:
        return Check("bots", ok=True, finding="none has a fault")
    named = ", ".join(
        f"{row.bot_id} @{row.username} {row.kind}"
        + (f" (set again {row.repairs} times)" if row.repairs else "")
        for row in rows[:NAMED]
    )
    return Check(
        "bots",
        ok=True,  # their owners are told, and mend it
        finding=f"with faults: {named}{' and more' if len(rows) > NAMED else ''}",
    )
