"""The operator's own bot: its connection, and the messages it sends.

It is stored like any other bot and read by the same webhook or poll. It belongs
to the account SYSTEM unless somebody connected it before.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

import orjson
import structlog
from sqlalchemy import select

from app.config import current_settings
from app.errors import ApiError, BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Account, Bot, Message
from app.services.accounts import accounts
from app.services.bots import bots
from app.services.service_bot import sessions

log = structlog.get_logger()

#: No Telegram username holds a hyphen, so no visitor can be given this login.
SYSTEM: Final = "service-bot"

#: What a person who opens the bot again and again is answered.
ANSWERS_A_MINUTE: Final = 20

Button = dict[str, Any]


def find() -> Bot | None:
    """Return the service bot; None without SERVICE_BOT_TOKEN or before `ensure_connected`."""
    tg_id = current_settings().service_bot_id
    if not tg_id:
        return None
    living = select(Bot).where(Bot.tg_id == tg_id, Bot.living)
    return db.session.scalar(living)


def ensure_connected() -> bool:
    """Connect the bot that the settings name, and remove any other. Commits.

    Returns False when Telegram refuses or does not answer; try again later.
    """
    token = current_settings().service_bot_token
    owned = select(Bot).join(Account).where(Account.login == SYSTEM)
    mine = db.session.scalars(owned.where(Bot.living)).all()
    bot = find()
    is_right = bot is None or bot not in mine or bot.token == token
    stale = [(old.account_id, old.id) for old in mine if old is not bot]
    missing = bool(token) and (bot is None or not is_right)
    db.session.commit()
    try:
        for account_id, bot_id in stale:
            bots.remove(account_id, bot_id)
        if missing:
            bots.add(_system(), token)
    except ApiError as error:
        log.warning("service_bot.refused", reason=error.message)
        return False
    return True


def link_telegram_user(login: str, person: int, *, move: bool = False) -> None:
    """Link the Telegram user `person` to an account; 0 unlinks it. Commits.

    A linked user may log in to the account, receives its digests and may pay for
    it; the user linked before is logged out. A user who has another account is
    moved with `move`. Raises NotFound, or BadParameter without `move`.
    """
    account = accounts.by_login(login)
    other = db.session.scalar(select(Account).where(Account.tg_id == person))
    if account.tg_id == (person or None):
        return
    if other is not None:
        if not move:
            raise BadParameter(
                "id",
                translatable("this person has the account %(login)s already", login=other.login),
            )
        sessions.end_all(other.id)
        other.tg_id = None
        db.session.flush()
    sessions.end_all(account.id)
    account.tg_id = person or None
    db.session.commit()


def say(
    bot: Bot,
    person: int,
    text: str,
    now: float,
    *,
    account_id: int = 0,
    buttons: Sequence[Button] = (),
) -> None:
    """Queue a message to a person, with buttons in one row. No commit."""
    markup = orjson.dumps({"inline_keyboard": [list(buttons)]}).decode() if buttons else ""
    db.session.add(
        Message(
            account_id=account_id or bot.account_id,
            bot_id=bot.id,
            chat_id=person,
            campaign_id=0,
            lead_id=0,
            text=text,
            parse_mode="",
            markup=markup,
            due=now,
            created=now,
        )
    )


def has_said_much(bot: Bot, person: int, now: float) -> bool:
    """Whether a person has had `ANSWERS_A_MINUTE` messages within the last minute."""
    newest = (
        select(Message.created)
        .where(Message.bot_id == bot.id, Message.chat_id == person)
        .order_by(Message.id.desc())
        .offset(ANSWERS_A_MINUTE - 1)
        .limit(1)
    )
    return (db.session.scalar(newest) or 0.0) > now - 60.0


def _system() -> int:
    """Return the id of the account that owns the service bot. Nobody has its key."""
    try:
        return accounts.by_login(SYSTEM).id
    except NotFound:
        pass
    try:
        return accounts.create(SYSTEM, "Service bot", now=int(time.time())).id
    except BadParameter:  # another process was a moment faster
        return accounts.by_login(SYSTEM).id
