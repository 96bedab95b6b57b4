"""Send: a flow of claims, calls and settlements, as delivery is for postbacks."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

import structlog

from app.config import current_settings
from app.domain.media import PHOTO, VIDEO
from app.extensions import db
from app.models import MessageState
from app.outbound import telegram
from app.outbound.object_store import StoreUnreachable
from app.outbound.transport import Answer, Failure, Transport
from app.services.bots import webhooks
from app.services.campaigns import media
from app.services.messages.claim import STEP, ClaimedMessage, claim
from app.services.messages.settle import MessageResult, judge, settle

if TYPE_CHECKING:
    from app.config import Settings
    from plugins.contract import Request

log = structlog.get_logger()

IN_FLIGHT: Final = 256
GRACE_SECONDS: Final = 3.0  # for what is in the air when we are asked to stop
NOTHING_SECONDS: Final = 0.2
UPLOAD_TURN: Final = 0.5  # until a message looks again whether its media is uploaded
FETCH_SECONDS: Final = 10.0  # for the store of media
LEASE_RESERVE: Final = 5  # seconds of a lease that an upload leaves for writing down its end

_METHODS: Final = {PHOTO: ("sendPhoto", "photo"), VIDEO: ("sendVideo", "video")}


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
    settings = current_settings()
    own = transport or Transport(trusted=True, max_body=telegram.MAX_BODY)
    reserve = LEASE_RESERVE + (_fetch_seconds(settings) if settings.media_store else 0)
    uploads = transport or Transport(
        trusted=True,
        max_body=telegram.MAX_BODY,
        total_seconds=max(settings.lease_seconds - reserve, settings.lease_seconds / 3),
    )
    drain = _Drain(settings, own, uploads, chance)
    try:
        return drain.run(seconds, stop)
    finally:
        if transport is None:
            own.close()
            uploads.close()


def _fetch_seconds(settings: Settings) -> float:
    """For the store; as much is left of any lease for the upload, and for its end."""
    return min(FETCH_SECONDS, settings.lease_seconds / 3)


class _Drain:
    """The messages one worker has in the air."""

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        uploads: Transport,
        chance: Callable[[], float],
    ) -> None:
        self._base_url = settings.telegram_api_url
        self._lease_seconds = settings.lease_seconds
        self._fetch_seconds = _fetch_seconds(settings)
        self._transport = transport
        self._uploads = uploads
        self._chance = chance
        self._held: dict[int, ClaimedMessage] = {}
        self._next_claim = 0.0
        self._upload: int | None = None  # the message whose media is on its way
        self._fetched: Future[media.MediaContent | None] | None = (
            None  # its content, from the store
        )
        self._fetch_end = 0.0
        self._turn = 0.0  # when those who wait for it look again

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
            self._start(message)
        return len(catch.skipped), catch.more or time.monotonic() < self._turn

    def _start(self, message: ClaimedMessage) -> None:
        """Send it. Media that the bot has not sent before is uploaded, one at a time.

        Who waits for the same upload goes by its `file_id` then, and memory
        holds one file.
        """
        kept = None
        if message.media and not message.file_id:
            if self._upload is not None:
                self._turn = time.monotonic() + 2 * UPLOAD_TURN
                self._write_down([_later(message, time.time() + UPLOAD_TURN)])
                return
            with db.engine.connect() as connection:
                kept = media.find(connection, message.media)
        self._held[message.id] = message
        if kept is None:
            self._transport.start(_request(message, None, self._base_url), message.id)
        else:  # in a thread: a store that hangs must not silence the others
            self._upload, self._fetched = message.id, _in_thread(kept.content)
            self._fetch_end = time.monotonic() + self._fetch_seconds

    def _poll(self, seconds: float) -> int:
        if not self._held:
            time.sleep(seconds)
            return 0
        if self._fetched:
            return self._poll_store(self._fetched) + self._settle(self._transport.poll(0.0))
        if not self._transport.in_flight:
            return self._settle(self._uploads.poll(seconds))
        return self._settle(self._transport.poll(seconds) + self._uploads.poll(0.0))

    def _poll_store(self, fetched: Future[media.MediaContent | None]) -> int:
        """Go on with the message whose content has come; put it back if it cannot come."""
        message = self._held[self._upload or 0]
        try:
            stored = fetched.result(STEP)
        except (TimeoutError, StoreUnreachable) as error:
            if isinstance(error, TimeoutError) and time.monotonic() < self._fetch_end:
                return 0
            self._fetched, reason = None, str(error) or "it takes too long"
            log.warning("media.not_fetched", message=message.id, reason=reason)
            return self._settle([_unsent(message.id, Failure.UNREACHABLE, reason)])
        self._fetched, self._upload = None, message.id if stored else None
        request = _request(message, stored, self._base_url)
        (self._uploads if stored else self._transport).start(request, message.id)
        return 0

    def _settle(self, answers: list[Answer]) -> int:
        endings: list[MessageResult] = []
        for answer in answers:
            message = self._held.pop(int(str(answer.tag)))
            if message.id == self._upload:
                self._upload = None
            endings.append(judge(message, answer, now=time.time(), chance=self._chance()))
        self._write_down(endings)
        for dead in [ending.message for ending in endings if ending.bot_dead]:
            webhooks.pause(dead.bot_id, "Telegram refused the token", dead.token)
        return sum(ending.is_final for ending in endings)

    def _write_down(self, endings: list[MessageResult]) -> None:
        if endings:
            with db.engine.begin() as connection:
                settle(connection, endings, now=time.time())

    def _give_up(self) -> int:
        """Nobody knows what became of those still in the air."""
        if not self._held:
            return 0
        self._transport.abort()
        self._uploads.abort()
        waits = self._upload if self._fetched else None
        self._fetched = None
        return self._settle(
            [
                _unsent(
                    id_,
                    Failure.UNREACHABLE if id_ == waits else Failure.ABORTED,
                    "the worker stopped",
                )
                for id_ in list(self._held)
            ]
        )


def _in_thread(
    question: Callable[[], media.MediaContent | None],
) -> Future[media.MediaContent | None]:
    """Ask in a thread nobody waits for, not even the end of the process."""
    future: Future[media.MediaContent | None] = Future()

    def ask() -> None:
        try:
            future.set_result(question())
        except BaseException as error:  # noqa: BLE001 - raised where the result is wanted
            future.set_exception(error)

    threading.Thread(target=ask, name="media", daemon=True).start()
    return future


def _unsent(id_: int, failure: Failure, reason: str) -> Answer:
    return Answer(id_, None, failure, reason, 0, time.time())


def _later(message: ClaimedMessage, due: float) -> MessageResult:
    """Put it back untried."""
    return MessageResult(message, MessageState.WAITING, message.reason, due, message.tries - 1)


def _request(message: ClaimedMessage, stored: media.MediaContent | None, base_url: str) -> Request:
    """A text; or media by its file_id, or with its content. Media that is gone is left out."""
    params: dict[str, Any] = {
        "chat_id": message.chat_id,
        "parse_mode": message.parse_mode or None,
        "reply_markup": json.loads(message.markup) if message.markup else None,
    }
    if not message.media or not (stored or message.file_id):
        return telegram.build(
            "sendMessage", params | {"text": message.text}, message.token, base_url
        )
    params["caption"] = message.text or None
    method, kind = _METHODS[message.media[:4]]
    if stored is None:
        return telegram.build(method, params | {kind: message.file_id}, message.token, base_url)
    file = (kind, stored.type, stored.data)
    return telegram.build_upload(method, params, file, message.token, base_url)
