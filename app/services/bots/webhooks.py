"""Registers webhooks at Telegram and corrects those that differ from the settings."""

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
from app.models import Bot, BotFaultKind
from app.outbound.telegram import BotApi, TelegramRefused, TelegramUnreachable
from app.services.bots import faults

log = structlog.get_logger()

#: A list replaces Telegram's default, which lacks chat_member; so all are named.
#: Only the service bot sells, so only it receives pre_checkout_query.
ALLOWED_UPDATES: Final = (
    "message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "pre_checkout_query",
)
#: Stored behind the address: a version that needs other kinds of updates registers anew,
#: whichever version registered last.
_KINDS: Final = "#" + hashlib.sha256(" ".join(ALLOWED_UPDATES).encode()).hexdigest()[:8]
#: Pauses in seconds. Telegram accepts about one setWebhook a second for a bot, and answers
#: 409 to the second of two at once.
RETRY_PAUSES: Final = (0.3, 1.1, 2.1)
RECONCILE_SECONDS: Final = 10.0
CLAIM_SECONDS: Final = 40.0


def webhook_url(bot: Bot) -> str:
    """Return where Telegram should send the bot's updates; "" if the bot is polled."""
    return _url(bot.webhook_path)


def registered(path: str) -> str:
    """Return what `Bot.webhook_url` says once the webhook of `path` is registered."""
    return _url(path) + _KINDS


def register(bot_id: int) -> None:
    """Register the webhook that the settings ask for, and store that it is registered.

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


def reconcile() -> int:
    """Register the bots whose webhook differs from the settings, for up to RECONCILE_SECONDS.

    The order is random, so that bots which fail do not keep the others
    waiting, and one process at a time handles a bot. Returns how many were
    corrected.
    """
    end, done = time.monotonic() + RECONCILE_SECONDS, 0
    differing = list(db.session.scalars(select(Bot.id).where(_differs())))
    db.session.commit()
    random.shuffle(differing)
    for bot_id in differing:
        if time.monotonic() >= end:
            break
        if _claim(bot_id):
            done += _correct(bot_id)
    return done


def record_deletion(bot_id: int) -> None:
    """Store that the bot has no webhook any more. Commits."""
    db.session.execute(
        update(Bot).where(Bot.id == bot_id).values(webhook_url=""),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()


def pause(bot_id: int, reason: str, token: str = "") -> None:
    """Stop calling Telegram for this bot, because its token was refused. Commits.

    With `token` only if the bot still has that token: a newer one may be good.
    """
    bot = db.session.get(Bot, bot_id, with_for_update=True, populate_existing=True)
    if bot and bot.living and not bot.paused and token in ("", bot.token):
        bot.paused = reason[:200] or "paused"
        faults.begin(bot_id, BotFaultKind.TOKEN, time.time())
        log.warning("bot.paused", bot=bot_id, reason=bot.paused)
    db.session.commit()


def _set_webhook(api: BotApi, path: str) -> None:
    """Register, and read back: Telegram silently drops kinds of updates it does not know."""
    url = _url(path)
    if not url:
        _call_with_retries(api, "deleteWebhook")
        return
    _call_with_retries(
        api,
        "setWebhook",
        url=url,
        secret_token=cipher.webhook_secret(path),
        allowed_updates=ALLOWED_UPDATES,
    )
    info = _call_with_retries(api, "getWebhookInfo")
    if not is_ours(info, path):
        raise TelegramRefused(409, "another webhook, or one for other kinds of updates, is there")


def is_ours(info: Any, path: str) -> bool:
    """Whether a WebhookInfo is of the webhook that the settings ask for, with all our kinds."""
    if not isinstance(info, dict) or info.get("url") != _url(path):
        return False
    return set(info.get("allowed_updates") or ()) == set(ALLOWED_UPDATES)


def is_registered(bot: Bot) -> bool:
    """Whether the webhook that the settings ask for was registered, as far as we know."""
    return bot.webhook_url == registered(bot.webhook_path)


def drop_webhook(token: str, bot_id: int) -> None:
    """Delete the webhook at Telegram; a failure is only logged."""
    try:
        api_of(token).call("deleteWebhook")
    except (TelegramRefused, TelegramUnreachable) as error:
        log.info("bot.webhook_left", bot=bot_id, reason=describe_failure(error))


def api_of(token: str) -> BotApi:
    """Return the Bot API as the bot with this token calls it."""
    return BotApi(current_settings().telegram_api_url, token)


def describe_failure(error: TelegramRefused | TelegramUnreachable) -> str:
    """Describe what went wrong in words that carry no token."""
    return error.description if isinstance(error, TelegramRefused) else str(error)


def _call_with_retries(api: BotApi, method: str, **params: Any) -> Any:
    """Call, and call again after "another call is under way" or a short flood wait."""
    for pause_seconds in RETRY_PAUSES:
        try:
            return api.call(method, **params)
        except TelegramRefused as error:
            passing = error.meaning in (Meaning.CONFLICT, Meaning.FLOOD)
            if not passing or (error.retry_after or 0) > RETRY_PAUSES[-1]:
                raise
            time.sleep(max(pause_seconds, error.retry_after or 0))
    return api.call(method, **params)


def _differs() -> ColumnElement[bool]:
    base = current_settings().public_url
    expected = (
        literal(f"{base}/telegram/").concat(Bot.webhook_path).concat(_KINDS)
        if base
        else literal("")
    )
    return and_(Bot.living, Bot.paused == "", Bot.webhook_url != expected)


def _claim(bot_id: int) -> bool:
    now = time.time()
    claimed = db.session.execute(
        update(Bot)
        .where(Bot.id == bot_id, Bot.poll_until < now, _differs())
        .values(poll_token="", poll_until=now + CLAIM_SECONDS)
        .returning(Bot.id)
    ).all()
    db.session.commit()
    return bool(claimed)


def _correct(bot_id: int) -> int:
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
