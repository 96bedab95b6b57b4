"""Where Telegram delivers updates. Its answers have no body, ever.

Telegram runs an answer with a `method` field as a command, so there is
nothing to gain from a body and a command channel to lose.
"""

from __future__ import annotations

import time
from typing import Final

import structlog
from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from app.services.updates import inbox
from app.web.auth import telegram_secret

log = structlog.get_logger()
blueprint = Blueprint("telegram", __name__)

MAX_BODY: Final = 1024 * 1024
KEPT_SECONDS: Final = 5.0  # how long a process remembers which bot is behind a path
KEPT_PATHS: Final = 10_000

_bots: dict[str, tuple[int, float]] = {}


@blueprint.post("/telegram/<path>")
@telegram_secret
def receive(path: str) -> Response:
    """Store one update; 200 once it is committed."""
    bot_id = _bot_behind(path)
    if bot_id is None:
        return Response(status=404)
    if (request.content_length or 0) > MAX_BODY:
        request.max_content_length = request.content_length  # to keep its beginning
        inbox.quarantine_oversized(bot_id, request.stream.read(4096))
    else:
        inbox.store_update(bot_id, request.get_data(cache=False))
    return Response(status=200)


@blueprint.errorhandler(SQLAlchemyError)
def refuse(error: SQLAlchemyError) -> Response:
    """Not stored, so not accepted: Telegram will bring it again."""
    log.error("update.refused", fault=type(error).__name__)
    return Response(status=503)


def _bot_behind(path: str) -> int | None:
    now = time.monotonic()
    bot_id, until = _bots.get(path, (None, 0.0))
    if bot_id is not None and now < until:
        return bot_id
    bot_id = inbox.bot_behind(path)
    if bot_id is not None:
        if len(_bots) >= KEPT_PATHS:
            _bots.clear()
        _bots[path] = (bot_id, now + KEPT_SECONDS)
    return bot_id
