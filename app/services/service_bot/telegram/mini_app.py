"""Logging in where Telegram shows the dashboard as a Mini App of the service bot."""

import time

from sqlalchemy import select

from app.config import current_settings
from app.domain.telegram.init_data import InitData, InitDataRefused, read_init_data
from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import Account
from app.services.service_bot import signup
from app.services.service_bot.logins import Browser
from app.services.service_bot.telegram import proved


def owner_of(text: str) -> str:
    """Return whose dashboard the app's init data `text` opens, in words. Raises BadParameter."""
    person = _read(text, time.time()).person
    name = db.session.scalar(select(Account.name).where(Account.tg_id == person.id))
    db.session.commit()
    name = name or signup.name_of(person)
    return f"{name} (@{person.username})" if person.username else name


def log_in(text: str, browser: Browser) -> str:
    """Return the token of a new session, once for each opening of the app. Commits.

    Raises BadParameter, or TooManyRequests by address.
    """
    now = time.time()
    data = _read(text, now)
    return proved.open_session(data.person, f"app:{data.signature}", browser, now)


def _read(text: str, now: float) -> InitData:
    try:
        return read_init_data(text, current_settings().service_bot_token, now)
    except InitDataRefused as error:
        reason = translatable("Telegram does not confirm this login, or it is too old; try again")
        raise BadParameter("login", reason) from error
