"""Send: a flow of claims, calls and settlements, as delivery is for postbacks."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flask import current_app

from app.extensions import db
from app.outbound import telegram
from app.outbound.transport import Answer, Failure, Transport
from app.services import webhooks
from app.services.messages.claim import STEP, Claimed, claim
from app.services.messages.settle import Ending, judge, settle

if TYPE_CHECKING:
    from app.config import Settings
    from plugins.contract import Request

IN_FLIGHT: Final = 256
GRACE_SECONDS: Final = 3.0  # for what is in the air when we are asked to stop
NOTHING_SECONDS: Final = 0.2


def send(
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    transport: Transport | None = None,
    chance: Callable[[], float] = random.random,
) -> int:
    """Send what is due until nothing is, `seconds` are over, or `stop` says so.

    Returns how many messages came to their end.
    """
    settings: Settings = current_app.config["SETTINGS"]
    own = transport or Transport(trusted=True, max_body=telegram.MAX_BODY)
    drain = _Drain(settings, own, chance)
    try:
        return drain.run(seconds, stop)
    finally:
        if transport is None:
            own.close()


class _Drain:
    """The messages one worker has in the air."""

    def __init__(
        self, settings: Settings, transport: Transport, chance: Callable[[], float]
    ) -> None:
        self._base_url = settings.telegram_api_url
        self._lease_seconds = settings.lease_seconds
        self._transport = transport
        self._chance = chance
        self._held: dict[int, Claimed] = {}
        self._next_claim = 0.0

    def run(self, seconds: float, stop: Callable[[], bool]) -> int:
        """Go on as `send` says."""
        end, done, more = time.monotonic() + seconds, 0, True
        while more and not stop() and time.monotonic() < end:
            skipped, more = self._claim()
            done += skipped + self._poll(STEP)
            more = more or bool(self._held)
        return done + self._finish(stop)

    def _finish(self, stop: Callable[[], bool]) -> int:
        """Wait for what is in the air; not for long if we are asked to stop."""
        done, last = 0, float("inf")
        while self._held and time.monotonic() < last:
            if stop():
                last = min(last, time.monotonic() + GRACE_SECONDS)
            done += self._poll(NOTHING_SECONDS)
        return done + self._give_up()

    def _claim(self) -> tuple[int, bool]:
        """Take and start what may be sent. How many ended unsent, and whether more wait."""
        room = IN_FLIGHT - len(self._held)
        if room <= 0 or time.monotonic() < self._next_claim:
            return 0, True
        with db.engine.begin() as connection:
            catch = claim(connection, now=time.time(), lease_seconds=self._lease_seconds, most=room)
        self._next_claim = time.monotonic() + (STEP if catch.messages else NOTHING_SECONDS)
        for message in catch.messages:
            self._held[message.id] = message
            self._transport.start(_request(message, self._base_url), message.id)
        return len(catch.skipped), catch.more

    def _poll(self, seconds: float) -> int:
        if not self._held:
            time.sleep(seconds)
            return 0
        return self._settle(self._transport.poll(seconds))

    def _settle(self, answers: list[Answer]) -> int:
        endings: list[Ending] = []
        for answer in answers:
            message = self._held.pop(int(str(answer.tag)))
            endings.append(judge(message, answer, now=time.time(), chance=self._chance()))
        if endings:
            with db.engine.begin() as connection:
                settle(connection, endings, now=time.time())
        for dead in [ending.message for ending in endings if ending.bot_dead]:
            webhooks.pause(dead.bot_id, "Telegram refused the token", dead.token)
        return sum(ending.is_final for ending in endings)

    def _give_up(self) -> int:
        """Nobody knows what became of those still in the air."""
        if not self._held:
            return 0
        self._transport.abort()
        lost = [
            Answer(id_, None, Failure.ABORTED, "the worker stopped", 0, time.time())
            for id_ in list(self._held)
        ]
        return self._settle(lost)


def _request(message: Claimed, base_url: str) -> Request:
    params = {
        "chat_id": message.chat_id,
        "text": message.text,
        "parse_mode": message.parse_mode or None,
        "reply_markup": json.loads(message.markup) if message.markup else None,
    }
    return telegram.build("sendMessage", params, message.token, base_url)
