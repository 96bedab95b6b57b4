"""Long polling, for an installation that Telegram cannot call.

One poller per bot over all workers: a bot is leased in the database and the
lease renewed. What a poll brings is stored together with the next offset, so
Telegram is told to forget an update only after we have it.
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
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.types import Text

from app.config import current_settings
from app.crypto import CannotDecrypt
from app.domain.telegram.api_errors import Meaning
from app.extensions import cipher, db
from app.models import Bot
from app.outbound import telegram
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.outbound.transport import Answer, Transport
from app.services.bots import webhooks
from app.services.updates import inbox

if TYPE_CHECKING:
    from collections.abc import Sequence


log = structlog.get_logger()

LEASE_SECONDS: Final = 40.0
LOOK_SECONDS: Final = 1.0
POLL_SECONDS: Final = 25
LIMIT: Final = 100  # updates a poll; Telegram's own ceiling
MAX_BODY: Final = 8 * 1024 * 1024
LONGEST_PAUSE: Final = 60.0


@dataclass(slots=True)
class Line:
    """One bot we poll, and what we know of its line to Telegram."""

    bot_id: int
    offset: int
    encrypted: str = field(repr=False)
    limit: int = LIMIT
    failures: int = 0
    not_before: float = 0.0  # monotonic
    started: float = 0.0
    busy: bool = False
    unhooked: bool = False  # we took a webhook away and have not heard since
    hooked: bool = False  # a webhook is noted or was met: take it away first


class Poller:
    """Polls all bots that nobody else polls, until told to stop."""

    def __init__(
        self,
        transport: Transport | None = None,
        *,
        poll_seconds: int = POLL_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._transport = transport or Transport(
            trusted=True, total_seconds=poll_seconds + 10.0, max_body=MAX_BODY
        )
        self._poll_seconds = poll_seconds
        self._look_seconds = look_seconds
        self._name = secrets.token_hex(16)
        self._lines: dict[int, Line] = {}
        self._renew_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Poll until `stop`. Does nothing but wait where webhooks are in use."""
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
        look_at = 0.0
        while not stop.is_set():
            try:
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + self._look_seconds
                    self._look()
                self._start_all(base_url)
                self._listen(stop)
            except SQLAlchemyError as error:
                self._fell(None, error)
                stop.wait(self._look_seconds)

    def _listen(self, stop: threading.Event) -> None:
        if not self._transport.in_flight:
            stop.wait(min(0.2, self._look_seconds))
            return
        for answer in self._transport.poll(0.2):
            line, method, token = _tag(answer)
            line.busy = False
            if stop.is_set() or self._lines.get(line.bot_id) is not line:
                continue  # not ours now: whoever has it gets the same updates again
            try:
                self._hear(answer, line, method, token)
            except SQLAlchemyError as error:
                self._fell(line, error)

    def _look(self) -> None:
        """Lease what is free, renew what is ours, and drop what no longer is."""
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
        self._lines = {row[0]: self._line(*row) for row in rows}

    def _lease(self, where: Any, now: float) -> None:
        values = {"poll_token": self._name, "poll_until": now + LEASE_SECONDS}
        db.session.execute(
            update(Bot).where(where).values(values),
            execution_options={"synchronize_session": False},
        )

    def _line(self, bot_id: int, offset: int, encrypted: str, webhook_url: str) -> Line:
        line = self._lines.get(bot_id)
        if line is None:
            return Line(bot_id, offset, encrypted, hooked=bool(webhook_url))
        if line.encrypted != encrypted:  # a new token may be good
            line.encrypted, line.failures, line.not_before = encrypted, 0, 0.0
        return line

    def _start_all(self, base_url: str) -> None:
        now = time.monotonic()
        for line in self._lines.values():
            if not line.busy and line.not_before <= now:
                self._start(line, base_url)

    def _start(self, line: Line, base_url: str) -> None:
        try:
            token = cipher.decrypt(line.encrypted)
        except CannotDecrypt as error:
            self._back_off(line, str(error))
            return
        method, params = "getUpdates", self._params(line)
        if line.hooked:
            method, params = "deleteWebhook", {}
        line.busy, line.started = True, time.monotonic()
        request = telegram.build(method, params, token, base_url)
        self._transport.start(request, (line, method, token))

    def _params(self, line: Line) -> dict[str, Any]:
        return {
            "offset": line.offset or None,
            "limit": line.limit,
            "timeout": self._poll_seconds,
            "allowed_updates": webhooks.ALLOWED_UPDATES,
        }

    def _hear(self, answer: Answer, line: Line, method: str, token: str) -> None:
        try:
            said = telegram.read(answer, token)
        except TelegramRefused as refusal:
            self._refused(line, refusal, token)
        except TelegramUnreachable as failure:
            line.limit = max(1, line.limit // 4)  # if the answer was too large to read
            self._back_off(line, str(failure))
        else:
            self._heard(line, method, said)

    def _heard(self, line: Line, method: str, said: Any) -> None:
        if method == "deleteWebhook":
            line.hooked, line.unhooked = False, True
            _note_unhooked(line.bot_id)
            return
        updates = said if isinstance(said, list) else []
        if updates:
            offset = _next_offset(updates, line.offset)
            inbox.store_updates(line.bot_id, [_body(one) for one in updates], offset=offset)
            line.offset = offset
        else:
            self._heard_nothing(line)
        line.failures, line.limit, line.unhooked = 0, LIMIT, False

    def _heard_nothing(self, line: Line) -> None:
        """Everything below the offset is confirmed: begin without one.

        After a quiet week ids may restart lower, and would be taken for confirmed.
        """
        if line.offset:
            inbox.store_updates(line.bot_id, [], offset=0)
            line.offset = 0
        if time.monotonic() - line.started < 1:  # a server that does not wait
            line.not_before = time.monotonic() + 1

    def _refused(self, line: Line, refusal: TelegramRefused, token: str) -> None:
        if refusal.meaning is Meaning.BOT_DEAD:
            webhooks.pause(line.bot_id, "Telegram refused the token", token)
            self._lines.pop(line.bot_id, None)
        elif refusal.meaning is Meaning.CONFLICT and not line.unhooked:
            line.hooked = True
        else:
            self._back_off(line, refusal.description, refusal.retry_after or 0)

    def _back_off(self, line: Line, reason: str, at_least: float = 0.0) -> None:
        line.failures += 1
        pause = min(LONGEST_PAUSE, 2.0 ** min(line.failures - 1, 6)) * random.uniform(0.8, 1.2)
        line.not_before = time.monotonic() + max(pause, at_least)
        log.info("polling.failed", bot=line.bot_id, reason=reason, failures=line.failures)

    def _fell(self, line: Line | None, error: SQLAlchemyError) -> None:
        """The database is away. What we could not store comes again."""
        db.session.rollback()
        log.warning("polling.database", error=type(error).__name__)
        if line:
            line.not_before = time.monotonic() + self._look_seconds

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
        except SQLAlchemyError:  # the leases run out by themselves
            db.session.rollback()


_POLLED: Final = and_(Bot.living, Bot.paused == "")


def _tag(answer: Answer) -> tuple[Line, str, str]:
    tag: Any = answer.tag
    line, method, token = tag
    return line, method, token


def _note_unhooked(bot_id: int) -> None:
    db.session.execute(
        update(Bot).where(Bot.id == bot_id).values(webhook_url=""),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()


def _next_offset(updates: Sequence[Any], offset: int) -> int:
    """Return one above the last; ids may restart lower, so not above the highest."""
    ids = [one["update_id"] for one in updates if isinstance(one, dict) and "update_id" in one]
    return int(ids[-1]) + 1 if ids and isinstance(ids[-1], int) else offset


def _body(one: Any) -> bytes:
    """One update as Telegram would have sent it to a webhook."""
    try:
        return orjson.dumps(one)
    except (TypeError, ValueError):  # half a surrogate pair, or an integer beyond 64 bits
        return json.dumps(one).encode("ascii")
