"""Long polling, for an installation that Telegram cannot reach by webhooks.

Each bot has one poller over all workers: the poller leases the bot in the
database and renews the lease. The updates of a poll are stored together with
the next offset, so Telegram deletes an update only after we have stored it.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
from sqlalchemy import and_, select, type_coerce, update
from sqlalchemy.types import Text

from app.config import current_settings
from app.crypto import CannotDecrypt
from app.database.faults import DATABASE_FAULTS, describe_fault
from app.domain.telegram.api_errors import Meaning
from app.extensions import cipher, db
from app.health_watch import HealthWatch
from app.models import Bot, BotFaultKind
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Answer, Transport
from app.services.bots import faults, webhooks
from app.services.updates import inbox
from app.services.updates.contention import Contention

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


log = structlog.get_logger()

LEASE_SECONDS: Final = 40.0
REFRESH_SECONDS: Final = 1.0  # between two looks for bots in the database
POLL_SECONDS: Final = 25
LIMIT: Final = 100  # updates in one answer; Telegram's maximum
MAX_BODY: Final = 8 * 1024 * 1024
MAX_PAUSE: Final = 60.0


@dataclass(slots=True)
class PolledBot:
    """One bot that this poller has leased, and how its polling goes."""

    bot_id: int
    offset: int
    encrypted: str = field(repr=False)
    contention: Contention
    limit: int = LIMIT
    failures: int = 0
    not_before: float = 0.0  # monotonic
    started: float = 0.0
    busy: bool = False  # a call is in flight
    has_webhook: bool = False  # delete the webhook before polling
    webhook_deleted: bool = False  # and no poll has succeeded since


class Poller:
    """Polls all bots that no other poller has leased."""

    def __init__(
        self,
        transport: Transport | None = None,
        *,
        poll_seconds: int = POLL_SECONDS,
        refresh_seconds: float = REFRESH_SECONDS,
        contention: Callable[[float], Contention] = Contention,
    ) -> None:
        self._contention = contention
        self._transport = transport or Transport(
            trusted=True, total_seconds=poll_seconds + 10.0, max_body=MAX_BODY
        )
        self._poll_seconds = poll_seconds
        self._refresh_seconds = refresh_seconds
        self._name = secrets.token_hex(16)
        self._bots: dict[int, PolledBot] = {}
        self._renew_at = 0.0
        self._database = HealthWatch("database")
        self._met_fault = False  # since the last look for bots

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop` is set. Where webhooks are in use, only wait for it."""
        settings = current_settings()
        if settings.public_url:
            stop.wait()
            return
        try:
            self._run(stop, settings.telegram_api_url)
        finally:
            self._transport.abort()
            self._transport.close()
            self._release()

    def _run(self, stop: threading.Event, base_url: str) -> None:
        refresh_at = 0.0
        while not stop.is_set():
            try:
                if time.monotonic() >= refresh_at:
                    refresh_at = time.monotonic() + self._refresh_seconds
                    self._refresh()
                    if not self._met_fault:
                        self._database.update(well=True)
                    self._met_fault = False
                self._start_all(base_url)
                self._handle_answers(stop)
            except DATABASE_FAULTS as error:
                self._on_database_error(None, error)
                stop.wait(self._refresh_seconds)

    def _handle_answers(self, stop: threading.Event) -> None:
        if not self._transport.in_flight:
            stop.wait(min(0.2, self._refresh_seconds))
            return
        for answer in self._transport.poll(0.2):
            bot, method, token = _tag(answer)
            bot.busy = False
            if stop.is_set() or self._bots.get(bot.bot_id) is not bot:
                continue  # leased by another poller now, which gets the same updates again
            try:
                self._on_answer(answer, bot, method, token)
            except DATABASE_FAULTS as error:
                self._on_database_error(bot, error)

    def _refresh(self) -> None:
        """Lease free bots, renew the leases of ours, and drop the bots we have lost."""
        now = time.time()
        free = and_(_POLLED, Bot.poll_token != self._name, Bot.poll_until < now)
        if db.session.scalar(select(Bot.id).where(free).limit(1)) is not None:
            self._lease(free, now)
        if time.monotonic() >= self._renew_at:
            self._lease(and_(_POLLED, Bot.poll_token == self._name), now)
            self._renew_at = time.monotonic() + LEASE_SECONDS / 4
        encrypted = type_coerce(Bot.token, Text)
        rows = db.session.execute(
            select(Bot.id, Bot.poll_offset, encrypted, Bot.webhook_url).where(
                _POLLED, Bot.poll_token == self._name, Bot.poll_until >= now
            )
        ).all()
        db.session.commit()
        self._bots = {row[0]: self._polled_bot(*row) for row in rows}

    def _lease(self, where: Any, now: float) -> None:
        values = {"poll_token": self._name, "poll_until": now + LEASE_SECONDS}
        db.session.execute(
            update(Bot).where(where).values(values),
            execution_options={"synchronize_session": False},
        )

    def _polled_bot(self, bot_id: int, offset: int, encrypted: str, webhook_url: str) -> PolledBot:
        bot = self._bots.get(bot_id)
        if bot is None:
            contention = self._contention(time.monotonic())
            return PolledBot(bot_id, offset, encrypted, contention, has_webhook=bool(webhook_url))
        if bot.encrypted != encrypted:  # a new token may be good
            bot.encrypted, bot.failures, bot.not_before = encrypted, 0, 0.0
        return bot

    def _start_all(self, base_url: str) -> None:
        now = time.monotonic()
        for bot in self._bots.values():
            if not bot.busy and bot.not_before <= now:
                self._start(bot, base_url)

    def _start(self, bot: PolledBot, base_url: str) -> None:
        try:
            token = cipher.decrypt(bot.encrypted)
        except CannotDecrypt as error:
            self._back_off(bot, str(error))
            return
        method, params = "getUpdates", self._params(bot)
        if bot.has_webhook:
            method, params = "deleteWebhook", {}
        bot.busy, bot.started = True, time.monotonic()
        request = telegram.build(method, params, token, base_url)
        self._transport.start(request, (bot, method, token))

    def _params(self, bot: PolledBot) -> dict[str, Any]:
        return {
            "offset": bot.offset or None,
            "limit": bot.limit,
            "timeout": self._poll_seconds,
            "allowed_updates": webhooks.ALLOWED_UPDATES,
        }

    def _on_answer(self, answer: Answer, bot: PolledBot, method: str, token: str) -> None:
        try:
            result = telegram.read(answer, token)
        except TelegramRefused as refusal:
            self._on_refusal(bot, refusal, token)
        except TelegramUnreachable as failure:
            bot.limit = max(1, bot.limit // 4)  # perhaps the answer was too large
            self._back_off(bot, str(failure))
        else:
            self._on_result(bot, method, result)

    def _on_result(self, bot: PolledBot, method: str, result: Any) -> None:
        if method == "deleteWebhook":
            bot.has_webhook, bot.webhook_deleted = False, True
            webhooks.record_deletion(bot.bot_id)
            return
        updates = result if isinstance(result, list) else []
        if updates:
            offset = _next_offset(updates, bot.offset)
            inbox.store_updates(bot.bot_id, [_body(update) for update in updates], offset=offset)
            bot.offset = offset
        else:
            self._on_no_updates(bot)
        bot.failures, bot.limit, bot.webhook_deleted = 0, LIMIT, False
        if bot.contention.on_success(time.monotonic()):
            faults.end(bot.bot_id, BotFaultKind.POLLING, time.time())
            db.session.commit()

    def _on_no_updates(self, bot: PolledBot) -> None:
        """Poll without an offset from now on: all updates below it are confirmed.

        After a week without updates ids may restart lower; with the old offset
        Telegram would take those for confirmed.
        """
        if bot.offset:
            inbox.store_updates(bot.bot_id, [], offset=0)
            bot.offset = 0
        if time.monotonic() - bot.started < 1:  # a server that ignores the timeout
            bot.not_before = time.monotonic() + 1

    def _on_refusal(self, bot: PolledBot, refusal: TelegramRefused, token: str) -> None:
        if refusal.meaning is Meaning.BOT_DEAD:
            webhooks.pause(bot.bot_id, "Telegram refused the token", token)
            self._bots.pop(bot.bot_id, None)
            return
        if refusal.meaning is Meaning.CONFLICT:
            if bot.contention.on_conflict(time.monotonic()):
                faults.begin(bot.bot_id, BotFaultKind.POLLING, time.time())
                db.session.commit()
            if not bot.webhook_deleted and not bot.contention.is_contested:
                bot.has_webhook = True  # of a contested bot it is not ours to delete
                return
        self._back_off(bot, refusal.description, refusal.retry_after or 0)

    def _back_off(self, bot: PolledBot, reason: str, at_least: float = 0.0) -> None:
        bot.failures += 1
        pause = min(MAX_PAUSE, 2.0 ** min(bot.failures - 1, 6)) * random.uniform(0.8, 1.2)
        bot.not_before = time.monotonic() + max(pause, at_least)
        log.info("polling.failed", bot=bot.bot_id, reason=reason, failures=bot.failures)

    def _on_database_error(self, bot: PolledBot | None, error: Exception) -> None:
        """Wait a little. Updates that could not be stored are not confirmed and come again."""
        db.session.rollback()
        self._met_fault = True
        self._database.update(well=False, error=describe_fault(error))
        if bot:
            bot.not_before = time.monotonic() + self._refresh_seconds

    def _release(self) -> None:
        try:
            db.session.rollback()
            db.session.execute(
                update(Bot)
                .where(Bot.poll_token == self._name)
                .values(poll_token="", poll_until=0.0),
                execution_options={"synchronize_session": False},
            )
            db.session.commit()
        except DATABASE_FAULTS:  # the leases run out by themselves
            db.session.rollback()


_POLLED: Final = and_(Bot.living, Bot.paused == "")


def _tag(answer: Answer) -> tuple[PolledBot, str, str]:
    tag: Any = answer.tag
    bot, method, token = tag
    return bot, method, token


def _next_offset(updates: Sequence[Any], offset: int) -> int:
    """One above the id of the last update, not of the highest: ids may restart lower."""
    ids = [item["update_id"] for item in updates if isinstance(item, dict) and "update_id" in item]
    return int(ids[-1]) + 1 if ids and isinstance(ids[-1], int) else offset


def _body(update: Any) -> bytes:
    """One update as JSON, as a webhook would have received it."""
    try:
        return orjson.dumps(update)
    except (TypeError, ValueError):  # half a surrogate pair, or an integer beyond 64 bits
        return json.dumps(update).encode("ascii")
