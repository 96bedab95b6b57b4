"""Send messages: claim, call the Bot API and settle, many messages in flight at once."""

import json
import random
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import structlog

from app.config import Settings, current_settings
from app.domain.media.limits import PHOTO, VIDEO
from app.extensions import db
from app.outbound import telegram
from app.outbound.object_store import StoreUnreachable
from app.outbound.transport import Answer, Failure, Transport
from app.services.bots import webhooks
from app.services.campaigns import media
from app.services.messages.claim import STEP, ClaimedMessage, claim
from app.services.messages.media_fetch import MediaFetch, NotYet
from app.services.messages.settle import MessageResult, judge, settle, uncharged
from app.services.messages.upload_turns import UploadTurns
from plugins.contract import Request

log = structlog.get_logger()

IN_FLIGHT: Final = 256
GRACE_SECONDS: Final = 3.0  # for calls in flight when we are asked to stop
IDLE_SECONDS: Final = 0.2
UPLOAD_WAIT: Final = 0.5  # until a message checks again whether its media is uploaded
FETCH_SECONDS: Final = 10.0  # at most, to read a file from the media store
LEASE_RESERVE: Final = 5  # seconds of a lease that an upload leaves for settling

#: Of this process, from one drain to the next.
_TURNS: Final = UploadTurns()
_METHODS: Final = {PHOTO: ("sendPhoto", "photo"), VIDEO: ("sendVideo", "video")}


def send(
    *,
    seconds: float,
    stop: Callable[[], bool] = lambda: False,
    transport: Transport | None = None,
    chance: Callable[[], float] = random.random,
) -> int:
    """Send due messages until there are none, `seconds` are over or `stop()` is true.

    `chance` returns a number in [0, 1) for jitter. Returns how many messages
    came to their end.
    """
    settings = current_settings()
    own = transport or Transport(trusted=True, max_body=telegram.MAX_BODY)
    reserve = LEASE_RESERVE + (_fetch_seconds(settings) if settings.media_store else 0)
    uploads = transport or Transport(
        trusted=True,
        max_body=telegram.MAX_BODY,
        total_seconds=max(settings.lease_seconds - reserve, settings.lease_seconds / 3),
    )
    sender = _Sender(settings, own, uploads, chance)
    try:
        return sender.run(seconds, stop)
    finally:
        if transport is None:
            own.close()
            uploads.close()


def _fetch_seconds(settings: Settings) -> float:
    """How long the media store may take, so that most of the lease is left for the upload."""
    return min(FETCH_SECONDS, settings.lease_seconds / 3)


class _Upload(NamedTuple):
    """The one message whose media is read from the store, or on its way to Telegram."""

    message_id: int
    fetch: MediaFetch | None = None  # while the media is read


class _Sender:
    """The messages that one worker has in flight."""

    def __init__(
        self,
        settings: Settings,
        transport: Transport,
        uploads: Transport,
        chance: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._uploads = uploads
        self._chance = chance
        self._in_flight: dict[int, ClaimedMessage] = {}
        self._next_claim = 0.0
        self._upload: _Upload | None = None
        self._waiting_until = 0.0  # when messages that wait for the upload check again
        self._is_put_back = False  # since the last claim some message became due again at once

    def run(self, seconds: float, stop: Callable[[], bool]) -> int:
        """Send as `send` describes."""
        end, done, more = time.monotonic() + seconds, 0, True
        while more and not stop() and time.monotonic() < end:
            skipped, more = self._claim()
            done += skipped + self._poll(STEP)
            more = more or bool(self._in_flight) or self._is_put_back
        return done + self._finish(stop)

    def _finish(self, stop: Callable[[], bool]) -> int:
        """Wait for the calls in flight; only GRACE_SECONDS if we are asked to stop."""
        done, last = 0, float("inf")
        while self._in_flight and time.monotonic() < last:
            if stop():
                last = min(last, time.monotonic() + GRACE_SECONDS)
            done += self._poll(IDLE_SECONDS)
        return done + self._abort_in_flight()

    def _claim(self) -> tuple[int, bool]:
        """Claim messages and start calls. Returns how many were skipped, and if more are due."""
        room = IN_FLIGHT - len(self._in_flight)
        if room <= 0 or time.monotonic() < self._next_claim:
            return 0, True
        with db.engine.begin() as connection:
            result = claim(
                connection, now=time.time(), lease_seconds=self._settings.lease_seconds, most=room
            )
        self._is_put_back = False
        self._next_claim = time.monotonic() + (STEP if result.messages else IDLE_SECONDS)
        for message in result.messages:
            self._start(message)
        return len(result.skipped), result.more or time.monotonic() < self._waiting_until

    def _start(self, message: ClaimedMessage) -> None:
        """Start one call. Media that the bot has not sent before is uploaded, one at a time.

        So memory holds one file, and messages that wait for the upload can use
        its `file_id` afterwards. The accounts take turns.
        """
        stored_media = None
        if message.media and not message.file_id:
            now, account_id = time.monotonic(), message.account_id
            if self._upload is not None or not _TURNS.has_turn(account_id, now):
                _TURNS.postpone(account_id, now)
                self._waiting_until = now + 2 * UPLOAD_WAIT
                self._save([uncharged(message, time.time() + UPLOAD_WAIT)])
                return
            _TURNS.begin(account_id, now)
            with db.engine.connect() as connection:
                stored_media = media.find(connection, message.media)
        self._in_flight[message.id] = message
        if stored_media is None:
            self._call(message, None)
        else:  # in a thread: other messages must not wait for a slow store
            fetch = MediaFetch(stored_media.content, _fetch_seconds(self._settings))
            self._upload = _Upload(message.id, fetch)

    def _call(self, message: ClaimedMessage, content: media.MediaContent | None) -> None:
        transport = self._uploads if content else self._transport
        transport.start(_request(message, content, self._settings.telegram_api_url), message.id)

    def _poll(self, seconds: float) -> int:
        """Wait for answers, `seconds` at the most. Returns how many messages came to their end."""
        if not self._in_flight:
            time.sleep(seconds)
            return 0
        if self._upload and self._upload.fetch:
            polled = self._poll_store(self._upload.message_id, self._upload.fetch)
            return polled + self._settle(self._transport.poll(0.0))
        if not self._transport.in_flight:
            return self._settle(self._uploads.poll(seconds))
        return self._settle(self._transport.poll(seconds) + self._uploads.poll(0.0))

    def _poll_store(self, message_id: int, fetch: MediaFetch) -> int:
        """Start the upload once its content is read; settle the message if it cannot be."""
        message = self._in_flight[message_id]
        try:
            content = fetch.content(STEP)
        except NotYet:
            return 0
        except StoreUnreachable as error:
            log.warning("media.not_fetched", message=message_id, reason=str(error))
            return self._settle([_unsent(message_id, Failure.UNREACHABLE, str(error))])
        self._upload = _Upload(message_id) if content else None
        self._call(message, content)
        return 0

    def _settle(self, answers: list[Answer]) -> int:
        results: list[MessageResult] = []
        for answer in answers:
            message = self._in_flight.pop(int(str(answer.tag)))
            if self._upload and message.id == self._upload.message_id:
                self._upload = None
            results.append(judge(message, answer, now=time.time(), chance=self._chance()))
        self._save(results)
        now = time.time()
        self._is_put_back |= any(not each.is_final and each.due <= now for each in results)
        for dead in [result.message for result in results if result.bot_dead]:
            webhooks.pause(dead.bot_id, "Telegram refused the token", dead.token)
        return sum(result.is_final for result in results)

    def _save(self, results: list[MessageResult]) -> None:
        if results:
            with db.engine.begin() as connection:
                settle(connection, results, now=time.time())

    def _abort_in_flight(self) -> int:
        """Abort the calls in flight; nobody knows whether these messages arrived."""
        if not self._in_flight:
            return 0
        self._transport.abort()
        self._uploads.abort()
        upload = self._upload
        not_started = upload.message_id if upload and upload.fetch else None
        return self._settle(
            [
                _unsent(
                    id_,
                    Failure.UNREACHABLE if id_ == not_started else Failure.ABORTED,
                    "the worker stopped",
                )
                for id_ in list(self._in_flight)
            ]
        )


def _unsent(id_: int, failure: Failure, reason: str) -> Answer:
    return Answer(id_, None, failure, reason, 0, time.time())


def _request(message: ClaimedMessage, stored: media.MediaContent | None, base_url: str) -> Request:
    """The call: text alone, or media by its file_id or content. Deleted media is left out."""
    entities = json.loads(message.entities) if message.entities else None
    params: dict[str, Any] = {
        "chat_id": message.chat_id,
        "parse_mode": message.parse_mode or None,
        "reply_markup": json.loads(message.markup) if message.markup else None,
    }
    if not message.media or not (stored or message.file_id):
        params |= {"text": message.text, "entities": entities}
        return telegram.build("sendMessage", params, message.token, base_url)
    params["caption"] = message.text or None
    params["caption_entities"] = entities
    method, kind = _METHODS[message.media[:4]]
    if stored is None:
        return telegram.build(method, params | {kind: message.file_id}, message.token, base_url)
    file = (kind, stored.type, stored.data)
    return telegram.build_upload(method, params, file, message.token, base_url)
