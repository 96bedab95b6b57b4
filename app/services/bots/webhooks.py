"""What Telegram knows of our door, and keeping it true."""

from __future__ import annotations

import hashlib
import random
import time
from typing import Any, Final

import structlog
from sqlalchemy import ColumnElement, and_, literal, select, update

from app.config import current_settings
from app.crypto import CannotDecrypt
from app.domain.telegram.api_errors import Meaning
from app.extensions import cipher, db
from app.models import Bot, BotStatus
from app.outbound.telegram import BotApi, TelegramRefused, TelegramUnreachable
from app.services.accounts import notifications

log = structlog.get_logger()

#: A list replaces Telegram's default, which lacks chat_member; so all are named.
#: The checkouts are the service bot's; no other bot sells, so none come there.
ALLOWED_UPDATES: Final = (
    "message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "pre_checkout_query",
)
#: Noted with the address, so that a version that wants other kinds tells Telegram anew,
#: whichever version registered last.
_KINDS: Final = "#" + hashlib.sha256(" ".join(ALLOWED_UPDATES).encode()).hexdigest()[:8]
#: Telegram takes about one setWebhook a second for a bot, and 409s a twin.
PATIENCE: Final = (0.3, 1.1, 2.1)
CLAIM_SECONDS: Final = 40.0


def webhook_url(bot: Bot) -> str:
    """Where Telegram should send the bot's updates; empty if it is polled."""
    return _url(bot.webhook_path)


def register(bot_id: int) -> None:
    """Make Telegram's webhook what our settings say, and note that it is.

    Raises TelegramRefused or TelegramUnreachable. Commits.
    """
    bot = db.session.get_one(Bot, bot_id, populate_existing=True)
    token, path = bot.token, bot.webhook_path
    if _url(path):  # a setWebhook that fails leaves none: until it worked, assume so
        bot.webhook_url = ""
    db.session.commit()
    _set_webhook(api_of(token), path)
    db.session.execute(
        update(Bot)
        .where(Bot.id == bot_id, Bot.webhook_path == path, Bot.living)
        .values(webhook_url=url + _KINDS if (url := _url(path)) else "")
    )
    db.session.commit()


def reconcile(*, seconds: float = 10.0) -> int:
    """Register the bots whose webhook is not what the settings say.

    One at a time, in no order, so that those that fail keep no other waiting;
    by one process at a time per bot. Returns how many were put right.
    """
    end, done = time.monotonic() + seconds, 0
    drifted = list(db.session.scalars(select(Bot.id).where(_drifted())))
    db.session.commit()
    random.shuffle(drifted)
    for bot_id in drifted:
        if time.monotonic() >= end:
            break
        if _claim(bot_id):
            done += _put_right(bot_id)
    return done


def pause(bot_id: int, reason: str, token: str = "") -> None:
    """Stop calling Telegram for this bot, because its token was refused.

    With `token`: only if the bot still has it; a newer one may be good.
    """
    bot = db.session.get(Bot, bot_id, with_for_update=True, populate_existing=True)
    if bot and bot.living and not bot.paused and token in ("", bot.token):
        bot.paused = reason[:200] or "paused"
        bot.status = BotStatus.WARNING
        notifications.token_refused(bot_id, time.time())
        log.warning("bot.paused", bot=bot_id, reason=bot.paused)
    db.session.commit()


def _set_webhook(api: BotApi, path: str) -> None:
    """Register, and read back: Telegram skips what it does not know without a word."""
    url = _url(path)
    if not url:
        _patiently(api, "deleteWebhook")
        return
    _patiently(
        api,
        "setWebhook",
        url=url,
        secret_token=cipher.webhook_secret(path),
        allowed_updates=ALLOWED_UPDATES,
    )
    info = _patiently(api, "getWebhookInfo")
    if not isinstance(info, dict) or info.get("url") != url:
        raise TelegramRefused(409, "another webhook was registered meanwhile")
    if set(info.get("allowed_updates") or ()) != set(ALLOWED_UPDATES):
        raise TelegramRefused(409, "it does not deliver all the kinds of updates we need")


def drop_webhook(token: str, bot_id: int) -> None:
    """Take our door away from Telegram, if it listens."""
    try:
        api_of(token).call("deleteWebhook")
    except (TelegramRefused, TelegramUnreachable) as error:
        log.info("bot.webhook_left", bot=bot_id, reason=words_of(error))


def api_of(token: str) -> BotApi:
    """Return the bot's side of Telegram."""
    return BotApi(current_settings().telegram_api_url, token)


def words_of(error: TelegramRefused | TelegramUnreachable) -> str:
    """Say what went wrong, in words that carry no token."""
    return error.description if isinstance(error, TelegramRefused) else str(error)


def _patiently(api: BotApi, method: str, **params: Any) -> Any:
    """Call, and on "another call is under way" or a short flood wait, again."""
    for pause_seconds in PATIENCE:
        try:
            return api.call(method, **params)
        except TelegramRefused as error:
            passing = error.meaning in (Meaning.CONFLICT, Meaning.FLOOD)
            if not passing or (error.retry_after or 0) > PATIENCE[-1]:
                raise
            time.sleep(max(pause_seconds, error.retry_after or 0))
    return api.call(method, **params)


def _drifted() -> ColumnElement[bool]:
    base = current_settings().public_url
    wanted = (
        literal(f"{base}/telegram/").concat(Bot.webhook_path).concat(_KINDS)
        if base
        else literal("")
    )
    return and_(Bot.living, Bot.paused == "", Bot.webhook_url != wanted)


def _claim(bot_id: int) -> bool:
    now = time.time()
    claimed = db.session.execute(
        update(Bot)
        .where(Bot.id == bot_id, Bot.poll_until < now, _drifted())
        .values(poll_token="", poll_until=now + CLAIM_SECONDS)
        .returning(Bot.id)
    ).all()
    db.session.commit()
    return bool(claimed)


def _put_right(bot_id: int) -> int:
    token = ""
    try:
        token = db.session.get_one(Bot, bot_id, populate_existing=True).token
        register(bot_id)
    except (TelegramRefused, TelegramUnreachable, CannotDecrypt) as error:
        log.warning("bot.webhook_refused", bot=bot_id, reason=str(error))
        if isinstance(error, TelegramRefused) and error.meaning is Meaning.BOT_DEAD:
            pause(bot_id, "Telegram refused the token", token)
        return 0
    finally:
        db.session.execute(update(Bot).where(Bot.id == bot_id).values(poll_until=0.0))
        db.session.commit()
    return 1


def _url(path: str) -> str:
    base = current_settings().public_url
    return f"{base}/telegram/{path}" if base else ""
