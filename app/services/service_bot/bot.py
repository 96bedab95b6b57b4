"""The operator's own bot: it confirms logins and answers the buttons of digests.

It is stored like any other bot and read by the same webhook or poll. It belongs
to the account SYSTEM unless somebody connected it before.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import orjson
import structlog
from sqlalchemy import select

from app.config import current_settings
from app.errors import ApiError, BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Account, Bot, Campaign, Message
from app.services.accounts import accounts
from app.services.bots import bots
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.services.service_bot import MUTE, UNDO, sessions, signup
from app.translations import gettext, use_language

if TYPE_CHECKING:
    from app.domain.telegram.updates import ButtonPressed, LeadEvent

log = structlog.get_logger()

#: No Telegram username holds a hyphen, so no visitor can be given this login.
SYSTEM: Final = "service-bot"
#: `?start=login-<nonce>`; no campaign has this code.
LOGIN: Final = "login"


def find() -> Bot | None:
    """Return the service bot; None without SERVICE_BOT_TOKEN or before `ensure_connected`."""
    token = current_settings().service_bot_token
    if not token:
        return None
    living = select(Bot).where(Bot.tg_id == _tg_id(token), Bot.living)
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


def on_start(starts: Sequence[tuple[int, LeadEvent]], now: float) -> list[bool]:
    """Answer people who opened bots, by id, without naming a campaign. No commit.

    Returns for each whether it was the service bot; only then it was answered.
    """
    bot = find() if starts else None
    is_ours = [bot is not None and bot.id == bot_id for bot_id, _ in starts]
    if bot is not None:
        for ours, (_, happening) in zip(is_ours, starts, strict=True):
            if ours:
                _answer(bot, happening, now)
    return is_ours


def on_callback(bot_id: int, press: ButtonPressed, now: float) -> None:
    """Do what a button says. `CALLBACK_ANSWERS` sends the answer after the commit."""
    bot = find()
    if bot is None or bot.id != bot_id:
        return
    account = db.session.scalar(select(Account).where(Account.tg_id == press.person.id))
    with use_language(account.lang if account else signup.language_of(press.person)):
        text = _do(press, account, now) or gettext("This button no longer works.")
    CALLBACK_ANSWERS.answer_button(
        current_settings().telegram_api_url, bot.token, press.query, text
    )


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


def _answer(bot: Bot, happening: LeadEvent, now: float) -> None:
    if happening.code == LOGIN:
        _log_in(bot, happening, now)
        return
    with use_language(signup.language_of(happening.person)):
        hello = gettext(
            "I open the dashboard for you and tell you about your campaigns. "
            "To log in, follow the link that the dashboard shows."
        )
    say(bot, happening.person.id, hello, now)


def _do(press: ButtonPressed, account: Account | None, now: float) -> str:
    verb, _, digits = press.data.partition(":")
    if account is None or not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        return ""
    if verb == MUTE:
        return _mute(account, int(digits))
    if verb == UNDO and sessions.take_back(int(digits), account.id, now):
        return gettext("That login is undone.")
    return ""


def _mute(account: Account, campaign_id: int) -> str:
    campaign = db.session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id, Campaign.account_id == account.id)
        .where(Campaign.living)
    )
    if campaign is None:
        return ""
    campaign.notify_level = 0
    return gettext("No more messages about %(title)s.", title=campaign.chat_title[:100])


def _log_in(bot: Bot, happening: LeadEvent, now: float) -> None:
    account = signup.account_for(happening.person, int(now))
    login_id = sessions.grant(happening.click, account.id, now)
    with use_language(account.lang):
        if login_id is None:
            text = gettext("This login link was used before or is broken. Ask for a new one.")
            say(bot, happening.person.id, text, now, account_id=account.id)
            return
        text = gettext(
            "You are logging in as %(name)s. Go back to the page that sent you here. "
            "If it was not you who asked for this, undo it.",
            name=account.name,
        )
        button = {"text": gettext("It was not me"), "callback_data": f"{UNDO}:{login_id}"}
    say(bot, happening.person.id, text, now, account_id=account.id, button=button)


def say(
    bot: Bot,
    person: int,
    text: str,
    now: float,
    *,
    account_id: int = 0,
    button: dict[str, str] | None = None,
) -> None:
    """Queue a message to a person, with one button at most. No commit."""
    markup = orjson.dumps({"inline_keyboard": [[button]]}).decode() if button else ""
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


def _tg_id(token: str) -> int:
    return int(token.partition(":")[0])
