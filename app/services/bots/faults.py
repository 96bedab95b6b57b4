"""What is wrong with a bot: recorded and told once, and told again when it is over.

Nothing here commits. `checks`, `rights` and the poller notice; `fault_texts` has the words.
"""

from collections.abc import Sequence
from typing import Final

import structlog
from sqlalchemy import ColumnElement, and_, delete, exists, select

from app.database.rows import insert_rows
from app.extensions import db
from app.models import Bot, BotFault, BotFaultKind, BotStatus, table_of
from app.services.accounts import notifications
from app.services.bots import fault_texts

log = structlog.get_logger()

#: A webhook that another program takes is set again so often, and then left alone.
MAX_REPAIRS: Final = 3

_FAULTS: Final = table_of(BotFault)
_COLUMNS: Final = tuple("bot_id kind chat_id title since seen repairs".split())


def begin(
    bot_id: int,
    kind: BotFaultKind,
    now: float,
    *,
    chat_id: int = 0,
    title: str = "",
    repairs: int = 0,
) -> bool:
    """Record a fault and a notice of it, unless it is known. Returns whether it is new."""
    lock_bot(bot_id)
    row = (bot_id, kind.value, chat_id, title, now, now, repairs)
    inserted = insert_rows(
        db.session.connection(), _FAULTS, _COLUMNS, [row], returning=["id"], ignore_conflicts=True
    )
    if not inserted:
        return False
    notifications.bot_fault(bot_id, kind, now, title=title)
    log.warning("bot.fault_began", bot=bot_id, fault=kind.value, chat=chat_id)
    refresh_status(bot_id)
    return True


def end(
    bot_id: int, kind: BotFaultKind, now: float, *, chat_id: int = 0, tell: bool = True
) -> bool:
    """Remove a fault, and record a notice of it with `tell`. Returns whether there was one."""
    lock_bot(bot_id)
    ended = db.session.scalars(
        delete(_FAULTS).where(_is(bot_id, kind, chat_id)).returning(_FAULTS.c.title)
    ).all()
    if not ended:
        return False
    if tell:
        notifications.bot_fault_over(bot_id, kind, now, title=ended[0])
    log.info("bot.fault_ended", bot=bot_id, fault=kind.value, chat=chat_id)
    refresh_status(bot_id)
    return True


def forget(bot_id: int) -> None:
    """Remove all faults of a bot without a word: it is disconnected."""
    db.session.execute(delete(_FAULTS).where(_FAULTS.c.bot_id == bot_id))


def find(bot_id: int, kind: BotFaultKind) -> BotFault | None:
    """Return a fault of the bot itself that lasts, or None."""
    return db.session.scalar(
        select(BotFault)
        .where(BotFault.bot_id == bot_id, BotFault.kind == kind, BotFault.chat_id == 0)
        .execution_options(populate_existing=True)
    )


def message_of(fault: BotFault, username: str) -> str:
    """Say in the language in use what is wrong with the bot of that username, and what to do."""
    gave_up = fault.repairs > MAX_REPAIRS
    kind = BotFaultKind(fault.kind)
    return fault_texts.describe(kind, bot=username, title=fault.title, gave_up=gave_up)


def of_bots(bot_ids: Sequence[int]) -> Sequence[BotFault]:
    """Return the faults of some bots, the oldest first."""
    chosen = select(BotFault).where(BotFault.bot_id.in_(bot_ids))
    return db.session.scalars(chosen.order_by(BotFault.id)).all()


def refresh_status(bot_id: int) -> None:
    """Set a living bot to WARNING while it has a fault, else to ACTIVE."""
    bot = db.session.get(Bot, bot_id)
    if bot is None or not bot.living:
        return
    db.session.flush()
    has_fault = db.session.scalar(select(exists().where(BotFault.bot_id == bot_id)))
    bot.status = BotStatus.WARNING if has_fault else BotStatus.ACTIVE


def lock_bot(bot_id: int) -> None:
    """Lock the bot before its faults, as all do who change both: or two could wait in a circle."""
    db.session.execute(select(Bot.id).where(Bot.id == bot_id).with_for_update())


def _is(bot_id: int, kind: BotFaultKind, chat_id: int) -> ColumnElement[bool]:
    row = _FAULTS.c
    return and_(row.bot_id == bot_id, row.kind == kind.value, row.chat_id == chat_id)
