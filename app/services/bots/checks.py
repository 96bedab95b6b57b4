"""The slow check: asks Telegram for each bot whether its token, webhook and rights still stand.

What Telegram tells of by itself is known at once; this finds what it does not tell: a token
that was revoked, a webhook that another program took, and rights that changed while
updates went elsewhere. A lost webhook is set again, but no more than `faults.MAX_REPAIRS`
times for one fault: two programs must not fight for ever.

Calls are bounded for the whole installation and spread over all bots. No database
connection is held while Telegram is asked.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import func, select, text, type_coerce, update
from sqlalchemy.types import Text

from app.config import current_settings
from app.crypto import CannotDecrypt
from app.database.advisory_locks import AdvisoryLock, lock
from app.domain.telegram.api_errors import Meaning
from app.domain.telegram.fields import get_text
from app.domain.telegram.updates import read_rights
from app.extensions import cipher, db
from app.models import Bot, BotChat, BotFaultKind, Campaign
from app.models.account import IS_SUSPENDED_SQL
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Transport
from app.services.accounts import notifications
from app.services.bots import faults, rights, webhooks
from app.services.bots.faults import MAX_REPAIRS
from app.token_buckets import Rate, TokenBuckets

log = structlog.get_logger()

#: A bot is checked again after this, if the rate allows it: up to 3,000 bots.
CHECK_SECONDS: Final = 600.0
#: Bots of the whole installation; each costs at most 2 + CHATS calls.
RATE: Final = Rate(per_minute=300, burst=25)
#: Tracked chats of a bot whose rights one check asks for, those first that waited longest.
CHATS: Final = 4
#: A chat can become public at any time, of which Telegram says nothing by itself.
NAME_SECONDS: Final = 86_400.0
#: Among the replies: that about the bot itself, and that about a chat's name. No group or
#: channel has such an id.
ITSELF: Final = 0
NAME: Final = 1
#: A webhook that has stayed ours for so long is no longer fought for.
QUIET_SECONDS: Final = 3600.0

#: Characters of what Telegram says of a delivery that failed.
MAX_ERROR: Final = 200

BUCKETS: Final = TokenBuckets("gatepost:bot-checks")
_SUSPENDED: Final = text(IS_SUSPENDED_SQL.format(owner="bot.account_id"))

#: What Telegram answered to one call: a result, a refusal, or nothing usable.
Reply = Any


class Target(NamedTuple):
    """A bot that is checked now, as it was when the check began.

    `unnamed` is a chat whose name is to be asked for, 0 for none.
    """

    bot_id: int
    tg_id: int
    token: str
    path: str
    paused: bool
    chats: Sequence[int]
    unnamed: int = 0


def check(now: float) -> int:
    """Check the bots that are due at `now`, Unix seconds. Commits. Returns how many."""
    targets = _claim(now)
    if targets:
        replies = _ask(targets)
        for target in targets:
            _record(target, replies[target.bot_id], now)
    return len(targets)


def _claim(now: float) -> list[Target]:
    """Take bots that are due, so that no other process checks them. Commits."""
    due = db.session.execute(
        select(
            Bot.id,
            Bot.tg_id,
            type_coerce(Bot.token, Text),
            Bot.webhook_path,
            Bot.paused,
            Bot.checked,
            _SUSPENDED,
        )
        .where(Bot.living, Bot.checked <= now - CHECK_SECONDS)
        .order_by(Bot.checked, Bot.id)
        .limit(RATE.burst),
        {"now": now},
    ).all()
    targets = []
    for bot_id, tg_id, encrypted, path, paused, checked, suspended in due:
        if BUCKETS.take("bots", RATE, now):
            break
        mine = update(Bot).where(Bot.id == bot_id, Bot.checked == checked)
        taken = db.session.scalar(mine.values(checked=now).returning(Bot.id))
        if taken is not None and not suspended and (token := _decrypted(bot_id, encrypted)):
            chats = () if paused else _chats(bot_id)
            unnamed = 0 if paused else _unnamed(bot_id, now)
            targets.append(Target(bot_id, tg_id, token, path, bool(paused), chats, unnamed))
    db.session.commit()
    return targets


def _decrypted(bot_id: int, encrypted: str) -> str:
    try:
        return cipher.decrypt(encrypted)
    except CannotDecrypt as error:
        log.warning("bot.not_checked", bot=bot_id, reason=str(error))
        return ""


def _chats(bot_id: int) -> Sequence[int]:
    row_of_chat = (BotChat.bot_id == Campaign.bot_id) & (BotChat.chat_id == Campaign.chat_id)
    return db.session.scalars(
        select(Campaign.chat_id)
        .outerjoin(BotChat, row_of_chat)
        .where(Campaign.bot_id == bot_id, Campaign.living)
        .order_by(func.coalesce(BotChat.checked, -1.0), Campaign.id)
        .limit(CHATS)
    ).all()


def _unnamed(bot_id: int, now: float) -> int:
    """A tracked chat of which it was not asked for a day whether it is public."""
    tracked = select(Campaign.chat_id).where(Campaign.bot_id == bot_id, Campaign.living)
    oldest = (
        select(BotChat.chat_id)
        .where(BotChat.bot_id == bot_id, BotChat.named <= now - NAME_SECONDS)
        .where(BotChat.chat_id.in_(tracked), BotChat.is_admin)
        .order_by(BotChat.named, BotChat.id)
        .limit(1)
    )
    return db.session.scalar(oldest) or 0


def _ask(targets: Sequence[Target]) -> Mapping[int, Mapping[int, Reply]]:
    """Return the replies by bot and chat; see ITSELF and NAME."""
    settings = current_settings()
    itself = "getWebhookInfo" if settings.public_url else "getMe"
    calls: list[tuple[Target, int, str, dict[str, int]]] = [
        (target, ITSELF, "getMe" if target.paused else itself, {})
        for target in targets
        if settings.public_url or target.paused  # else the poller asks all the time
    ]
    calls += [
        (target, chat, "getChatMember", {"chat_id": chat, "user_id": target.tg_id})
        for target in targets
        for chat in target.chats
    ]
    calls += [
        (target, NAME, "getChat", {"chat_id": target.unnamed})
        for target in targets
        if target.unnamed
    ]
    requests = [
        telegram.build(method, params, target.token, settings.telegram_api_url)
        for target, _chat, method, params in calls
    ]
    replies: dict[int, dict[int, Reply]] = {target.bot_id: {} for target in targets}
    with closing(Transport(trusted=True, max_body=telegram.MAX_BODY)) as transport:
        for answer in transport.exchange(requests):
            index: Any = answer.tag
            target, chat, _method, _params = calls[index]
            try:
                reply = telegram.read(answer, target.token)
            except (TelegramRefused, TelegramUnreachable) as error:
                reply = error
            replies[target.bot_id][chat] = reply
    return replies


def _record(target: Target, replies: Mapping[int, Reply], now: float) -> None:
    """Compare what Telegram said with what is known, unless the bot was changed. Commits."""
    if any(_means(reply, Meaning.BOT_DEAD) for reply in replies.values()):
        webhooks.pause(target.bot_id, "Telegram refused the token", target.token)
        return
    lock(db.session.connection(), AdvisoryLock.BOTS, target.bot_id)
    bot = db.session.get(Bot, target.bot_id, with_for_update=True, populate_existing=True)
    if bot and bot.living and (bot.token, bot.webhook_path) == (target.token, target.path):
        _judge_itself(bot, replies.get(ITSELF), now)
        if target.unnamed:
            rights.named(bot.id, target.unnamed, _username(replies.get(NAME)), now)
        answered = [_record_chat(bot, chat, replies.get(chat), now) for chat in target.chats]
        db.session.flush()
        rights.review(bot.id, now)
        if any(answered) and rights.has_unknown(bot.id):
            bot.checked = now - CHECK_SECONDS  # it goes on with the next chats soon
    db.session.commit()


def _judge_itself(bot: Bot, reply: Reply, now: float) -> None:
    is_hooked = bool(current_settings().public_url)
    other = BotFaultKind.POLLING if is_hooked else BotFaultKind.WEBHOOK
    faults.end(bot.id, other, now, tell=False)  # it was of another setting
    if not is_hooked or bot.paused:
        _keep_health(bot, {})
    elif isinstance(reply, dict):
        _keep_health(bot, reply)
    if not isinstance(reply, dict):
        return
    if bot.paused:
        bot.paused = ""
        faults.end(bot.id, BotFaultKind.TOKEN, now)
    elif is_hooked and webhooks.is_registered(bot):  # else `reconcile` is at it
        _judge_webhook(bot, reply, now)


def _keep_health(bot: Bot, info: Mapping[str, Any]) -> None:
    """Keep what a WebhookInfo tells of deliveries; {} for a bot that has no webhook of ours."""
    bot.webhook_pending = _number(info, "pending_update_count")
    bot.webhook_error_time = _number(info, "last_error_date")
    error = get_text(info, "last_error_message", MAX_ERROR) if bot.webhook_error_time else ""
    bot.webhook_error = error.replace(bot.webhook_path, "…")  # the path is a secret


def _number(info: Mapping[str, Any], name: str) -> int:
    value = info.get(name)
    return value if type(value) is int and 0 < value < 1 << 31 else 0


def _judge_webhook(bot: Bot, reply: Mapping[str, Any], now: float) -> None:
    """Have a webhook set again that is not ours: some times over another, always over none."""
    ours = webhooks.is_ours(reply, bot.webhook_path)
    fault = faults.find(bot.id, BotFaultKind.WEBHOOK)
    if ours:
        if fault and now - fault.seen >= QUIET_SECONDS:
            faults.end(bot.id, BotFaultKind.WEBHOOK, now)
        return
    if fault is None:
        faults.begin(bot.id, BotFaultKind.WEBHOOK, now, repairs=1)
        bot.webhook_url = ""  # `reconcile` sets it again
        return
    fault.seen = now
    if not get_text(reply, "url", 2048):
        bot.webhook_url = ""
        return
    if fault.repairs > MAX_REPAIRS:
        return
    fault.repairs += 1
    if fault.repairs <= MAX_REPAIRS:
        bot.webhook_url = ""
    else:
        log.warning("bot.webhook_given_up", bot=bot.id)
        notifications.bot_fault(bot.id, BotFaultKind.WEBHOOK, now, gave_up=True)


def _record_chat(bot: Bot, chat: int, reply: Reply, now: float) -> bool:
    """Record the rights in a chat. Returns whether Telegram told them."""
    if isinstance(reply, TelegramRefused):
        if reply.migrate_to is not None:
            rights.chat_moved(bot.id, chat, reply.migrate_to, now)
            return True
        if reply.code not in {400, 403}:
            return False
        rights.checked(bot.id, chat, (False, False), now)  # an administrator is told its rights
        return True
    if not isinstance(reply, dict):
        return False
    rights.checked(bot.id, chat, read_rights(reply), now)
    return True


def _username(reply: Reply) -> str | None:
    """The username of a chat that Telegram described, "" for a private one; None if it did not."""
    return get_text(reply, "username", 64) if isinstance(reply, dict) else None


def _means(reply: Reply, meaning: Meaning) -> bool:
    return isinstance(reply, TelegramRefused) and reply.meaning is meaning
