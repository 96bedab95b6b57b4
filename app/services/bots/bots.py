"""Connects, lists, removes and restores bots.

No database connection is held while Telegram is asked. A bot is stored first
and its webhook registered second: the unique index decides between two who add
a bot at once before either touches its webhook, the first update finds its
path, and a crash in between leaves a row that `webhooks.reconcile` completes.
"""

import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import and_, delete, exists, or_, select, update
from sqlalchemy.exc import IntegrityError

from app.crypto import new_secret
from app.domain.storable_text import UNSTORABLE
from app.domain.telegram.api_errors import Meaning
from app.errors import (
    BotTaken,
    TokenRefused,
    TooManyRequests,
    WebhookRefused,
    translatable,
)
from app.extensions import db
from app.models import Bot, BotChat, BotFault, BotFaultKind, BotStatus, Campaign
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.services.accounts import accounts, quotas
from app.services.accounts.quotas import Quota
from app.services.bots import faults, rights
from app.services.bots.webhooks import api_of, describe_failure, drop_webhook, register
from app.services.lists import ownership

log = structlog.get_logger()

TOKEN: Final = re.compile(r"[0-9]{1,19}:[A-Za-z0-9_-]{1,100}")
#: Two who add one bot at once: the slower one looks again this often.
TRIES: Final = 3


class ShownFault(NamedTuple):
    """What is wrong with a bot since when (Unix seconds), and a sentence what to do."""

    kind: str
    chat_id: int
    since: float
    message: str


class ListedBot(NamedTuple):
    """A bot and what is wrong with it."""

    bot: Bot
    faults: list[ShownFault]


def add(account_id: int, token: str) -> Bot:
    """Connect the bot of `token`, or restore or refresh it if it is the account's already.

    Raises TokenRefused, BotTaken, PlanLimit, WebhookRefused, or TooManyRequests.
    """
    token = token.strip()
    db.session.commit()  # the guard's transaction must not last as long as Telegram does
    me = _identify(token)
    bot_id, was_living = _store(account_id, token, me)
    try:
        register(bot_id)
    except (TelegramRefused, TelegramUnreachable) as error:
        if not was_living:
            _undo(bot_id, token)
        raise WebhookRefused.wrapping(describe_failure(error)) from None
    faults.end(bot_id, BotFaultKind.WEBHOOK, time.time())
    db.session.commit()
    log.info("bot.connected", bot=bot_id, account=account_id)
    return find(account_id, bot_id)


def listed(account_id: int, *, limit: int | None = None, offset: int = 0) -> Sequence[Bot]:
    """Return the bots of the account, deleted ones too, oldest first; all without `limit`."""
    mine = select(Bot).where(Bot.account_id == account_id).order_by(Bot.id)
    return db.session.scalars(mine.limit(limit).offset(offset)).all()


def list_with_faults(
    account_id: int, *, limit: int | None = None, offset: int = 0
) -> list[ListedBot]:
    """Return what `listed` returns, each bot with its faults in the language in use."""
    rows = listed(account_id, limit=limit, offset=offset)
    shown = shown_faults({bot.id: bot.username for bot in rows})
    return [ListedBot(bot, shown[bot.id]) for bot in rows]


def shown_faults(usernames: Mapping[int, str]) -> dict[int, list[ShownFault]]:
    """Return the faults of each bot, in the language in use; `usernames` by the bots' ids."""
    shown: dict[int, list[ShownFault]] = {bot_id: [] for bot_id in usernames}
    for fault in faults.of_bots(list(usernames)):
        shown[fault.bot_id].append(_shown(fault, usernames[fault.bot_id]))
    return shown


def _shown(fault: BotFault, username: str) -> ShownFault:
    return ShownFault(fault.kind, fault.chat_id, fault.since, faults.message_of(fault, username))


def faults_of(account_id: int) -> list[tuple[int, ShownFault]]:
    """Return what is wrong with the account's bots, each fault with the id of its bot."""
    mine = select(BotFault, Bot.username).join(Bot, Bot.id == BotFault.bot_id)
    rows = db.session.execute(mine.where(Bot.account_id == account_id, Bot.living))
    return [(fault.bot_id, _shown(fault, username)) for fault, username in rows]


def find(account_id: int, bot_id: int) -> Bot:
    """Find the account's bot, deleted or not. Raises NotFound."""
    return ownership.find(Bot, account_id, bot_id)


def chats(
    account_id: int, bot_id: int, *, limit: int | None = None, offset: int = 0
) -> Sequence[BotChat]:
    """Return the chats in which the bot is an administrator and that no campaign tracks.

    Raises NotFound.
    """
    find(account_id, bot_id)
    tracked = exists().where(Campaign.chat_id == BotChat.chat_id, Campaign.living)
    return db.session.scalars(
        select(BotChat)
        .where(BotChat.bot_id == bot_id, BotChat.is_admin, ~tracked)
        .order_by(BotChat.title, BotChat.id)
        .limit(limit)
        .offset(offset)
    ).all()


def free_chats(account_id: int) -> dict[str, list[BotChat]]:
    """Return the chats of `chats` for each connected bot, by its username, oldest bot first."""
    tracked = exists().where(Campaign.chat_id == BotChat.chat_id, Campaign.living)
    is_free = and_(BotChat.bot_id == Bot.id, BotChat.is_admin, ~tracked)
    rows = db.session.execute(
        select(Bot.username, BotChat)
        .outerjoin(BotChat, is_free)
        .where(Bot.account_id == account_id, Bot.living)
        .order_by(Bot.id, BotChat.title, BotChat.id)
    )
    free: dict[str, list[BotChat]] = {}
    for username, chat in rows:
        free.setdefault(username, []).extend([chat] if chat else [])
    return free


def remove(account_id: int, bot_id: int) -> None:
    """Disconnect the bot. Its history stays, and its old webhook path is refused.

    The webhook goes first: once the row is free another account may connect
    the bot, and a late deleteWebhook would take theirs away.
    """
    bot = find(account_id, bot_id)
    if not bot.living:
        return
    token = bot.token
    db.session.commit()
    drop_webhook(token, bot_id)
    # It may have been given away meanwhile: what is another's now stays.
    ownership.find(Bot, account_id, bot_id, locked=True)
    _mark_deleted(bot_id)
    log.info("bot.removed", bot=bot_id, account=account_id)


def _identify(token: str) -> dict[str, Any]:
    """Return what getMe says of the bot. Raises TokenRefused, TooManyRequests or WebhookRefused."""
    if not TOKEN.fullmatch(token):
        raise TokenRefused
    try:
        me = api_of(token).call("getMe")
    except TelegramRefused as error:
        if error.meaning is Meaning.FLOOD:
            raise TooManyRequests(error.retry_after or 1) from None
        raise TokenRefused from None
    except TelegramUnreachable:
        raise WebhookRefused(
            translatable("Telegram does not answer; try again in a minute")
        ) from None
    if not isinstance(me, dict) or not isinstance(me.get("id"), int) or not me.get("username"):
        raise TokenRefused(translatable("Telegram does not know this token as a bot's"))
    return me


def _store(account_id: int, token: str, me: dict[str, Any]) -> tuple[int, bool]:
    """Return the id of the row to be registered, and whether it was living before."""
    for _ in range(TRIES):
        try:
            return _revive_or_insert(account_id, token, me)
        except IntegrityError:  # someone else was a moment faster: look again
            db.session.rollback()
    raise BotTaken


def _revive_or_insert(account_id: int, token: str, me: dict[str, Any]) -> tuple[int, bool]:
    accounts.lock(account_id)  # two at once must not both be the last one allowed
    mine = and_(Bot.account_id == account_id, Bot.tg_id == me["id"])
    living = and_(Bot.tg_id == me["id"], Bot.living)
    bot = db.session.scalar(
        select(Bot)
        .where(or_(living, mine))
        .order_by(Bot.living.desc(), Bot.id.desc())
        .limit(1)
        .with_for_update()
    )
    if bot and bot.account_id != account_id:
        db.session.rollback()
        raise BotTaken
    was_living = bot is not None and bot.living
    if not was_living:
        quotas.check(account_id, Quota.BOTS)
    if bot is None:
        bot = Bot(account_id=account_id, tg_id=me["id"], created=int(time.time()))
        db.session.add(bot)
    if not was_living:
        bot.webhook_path, bot.webhook_url, bot.poll_offset = new_secret(), "", 0
        bot.status, bot.quiet_until = BotStatus.ACTIVE, 0.0
    bot.token, bot.paused = token, ""
    bot.username, bot.name = _clean(me["username"], 64), _clean(me.get("first_name"), 128)
    bot.checked = 0.0  # rights may have changed meanwhile: `checks` asks soon
    db.session.flush()
    bot_id = bot.id
    faults.end(bot_id, BotFaultKind.TOKEN, time.time())
    rights.review(bot_id, time.time())
    faults.refresh_status(bot_id)
    db.session.commit()
    return bot_id, was_living


def _undo(bot_id: int, token: str) -> None:
    """Remove a bot whose webhook could not be registered."""
    drop_webhook(token, bot_id)
    try:
        faults.lock_bot(bot_id)
        db.session.execute(delete(BotChat).where(BotChat.bot_id == bot_id))
        faults.forget(bot_id)
        db.session.execute(delete(Bot).where(Bot.id == bot_id))
        db.session.commit()
    except IntegrityError:  # it was restored, and its campaigns refer to it
        db.session.rollback()
        _mark_deleted(bot_id)


def _mark_deleted(bot_id: int) -> None:
    db.session.execute(
        update(Bot)
        .where(Bot.id == bot_id)
        .values(
            status=BotStatus.DELETED,
            paused="",
            webhook_path=new_secret(),
            webhook_url="",
            poll_token="",
            poll_until=0.0,
        )
    )
    faults.forget(bot_id)
    db.session.execute(delete(BotChat).where(BotChat.bot_id == bot_id))
    db.session.commit()


def _clean(text: object, size: int) -> str:
    """What Telegram tells of a bot, as a column of `size` characters stores it."""
    return UNSTORABLE.sub("", str(text or ""))[:size]
