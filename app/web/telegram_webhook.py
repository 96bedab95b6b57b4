"""Where Telegram delivers updates: a WSGI application in front of Flask, for `/telegram/` alone.

Each update is one request, so this path is as short as it can be, and it takes nothing that
other requests may use up: no request slot, no connection of their pool. Its answers never
have a body: Telegram runs a body with a `method` field as a command, so there is nothing to
gain from a body and a command channel to lose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from werkzeug.wsgi import get_content_length

from app.crypto import cipher
from app.database.faults import DATABASE_FAULTS, describe_fault
from app.domain.telegram import updates
from app.domain.telegram.updates import MAX_BODY
from app.health_watch import HealthWatch
from app.services.bots.webhook_paths import WebhookPaths
from app.services.updates.group_commit import NotCommitted
from app.services.updates.new_update import OVERSIZED_SAMPLE
from app.services.updates.update_store import UpdateStore
from app.web.request_slots import CLOSE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask import Flask

PREFIX: Final = "/telegram/"
TELEGRAM_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"
_SECRET: Final = "HTTP_" + TELEGRAM_HEADER.upper().replace("-", "_")
_HEADERS: Final = (
    ("Content-Length", "0"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)
#: Of an answer before which the body was not read to its end.
_CLOSING_HEADERS: Final = (*_HEADERS, CLOSE)
#: OSError: the client went away while its body was read.
_NOT_STORED: Final = (*DATABASE_FAULTS, NotCommitted, OSError)
_STATUS_LINES: Final = {status: f"{status:d} {status.phrase}" for status in HTTPStatus}


class TelegramWebhook:
    """Answers what is below `PREFIX`; `others` answers everything else."""

    def __init__(
        self,
        others: WSGIApplication,
        store: UpdateStore,
        bot_behind: Callable[[str], int | None],
    ) -> None:
        self.others = others
        self._store = store
        self._bot_behind = bot_behind
        self._health = HealthWatch("inbox")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PREFIX):
            return self.others(environ, start_response)
        status = self._receive(environ, path[len(PREFIX) :])
        is_read = status is HTTPStatus.OK and (get_content_length(environ) or 0) <= MAX_BODY
        start_response(_STATUS_LINES[status], list(_HEADERS if is_read else _CLOSING_HEADERS))
        return [b""]

    def close(self) -> None:
        """Close its connections to the database."""
        self._store.close()

    def _receive(self, environ: WSGIEnvironment, path: str) -> HTTPStatus:
        """Store one update; OK once it is committed.

        The expected secret is derived from the path, so an unknown path and a wrong secret
        take the same road: no look-up, same time, same empty answer.
        """
        if not path or "/" in path:
            return HTTPStatus.NOT_FOUND
        if environ["REQUEST_METHOD"] != "POST":
            return HTTPStatus.METHOD_NOT_ALLOWED
        presented = environ.get(_SECRET, "").encode("utf-8", "surrogateescape")
        if not cipher.is_webhook_secret(path, presented):
            return HTTPStatus.UNAUTHORIZED
        try:
            bot_id = self._bot_behind(path)
            if bot_id is None:
                return HTTPStatus.NOT_FOUND
            status = self._put(environ, bot_id)
        except _NOT_STORED as error:  # Telegram brings it again
            self._health.update(well=False, error=describe_fault(error))
            return HTTPStatus.SERVICE_UNAVAILABLE
        self._health.update(well=True)
        return status

    def _put(self, environ: WSGIEnvironment, bot_id: int) -> HTTPStatus:
        source, length = environ["wsgi.input"], get_content_length(environ)
        if length is None:
            return self._put_unmeasured(environ, bot_id)
        if length > MAX_BODY:
            self._store.put_oversized(bot_id, _read(source, OVERSIZED_SAMPLE))
            return HTTPStatus.OK
        body = _read(source, length)
        if len(body) < length:  # granian gives what there is as if it were all
            return HTTPStatus.BAD_REQUEST
        self._store.put(bot_id, body)
        return HTTPStatus.OK

    def _put_unmeasured(self, environ: WSGIEnvironment, bot_id: int) -> HTTPStatus:
        """Store a body without a length, as some proxies send it on, if it is whole.

        Half of it cannot be told from all, but half an object is no object.
        """
        terminated = environ.get("wsgi.input_terminated", False)
        body = _read(environ["wsgi.input"], MAX_BODY + 1) if terminated else b""
        if len(body) > MAX_BODY:
            self._store.put_oversized(bot_id, body)
            return HTTPStatus.OK
        try:
            updates.decode(body)
        except updates.Malformed:
            return HTTPStatus.BAD_REQUEST
        self._store.put(bot_id, body)
        return HTTPStatus.OK


def install(app: Flask) -> TelegramWebhook:
    """Put the webhook in front of `app`, with connections of its own."""
    store = UpdateStore(app.config["SETTINGS"].database_url)
    webhook = TelegramWebhook(app.wsgi_app, store, WebhookPaths(store.find_bots).bot_id)
    app.wsgi_app = webhook  # type: ignore[method-assign]
    app.extensions["telegram_webhook"] = webhook
    return webhook


def _read(source: Any, size: int) -> bytes:
    """Read `size` bytes; fewer only if the body ends before."""
    body: bytes = source.read(size)
    while body and len(body) < size:
        more = source.read(size - len(body))
        if not more:
            break
        body += more
    return body
