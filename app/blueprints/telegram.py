"""Where Telegram delivers updates. Its answers never have a body.

Telegram runs a body with a `method` field as a command, so there is nothing to gain from a
body and a command channel to lose.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from sqlalchemy.exc import SQLAlchemyError

from app.database.faults import describe_fault
from app.domain.telegram.updates import MAX_BODY
from app.health_watch import HealthWatch
from app.services.bots import webhook_paths
from app.services.updates import inbox
from app.web.auth import telegram_secret

blueprint = Blueprint("telegram", __name__)

BEGINNING: Final = 4096  # bytes of an oversized body that are read
_inbox: Final = HealthWatch("inbox")


@blueprint.post("/telegram/<path>")
@telegram_secret
def receive(path: str) -> Response:
    """Store one update; 200 once it is committed."""
    bot_id = webhook_paths.bot_behind(path)
    if bot_id is None:
        return Response(status=404)
    if (request.content_length or 0) > MAX_BODY:
        request.max_content_length = request.content_length  # or Flask would not let us read it
        inbox.quarantine_oversized(bot_id, request.stream.read(BEGINNING))
    else:
        inbox.store_update(bot_id, request.get_data(cache=False))
    _inbox.update(well=True)
    return Response(status=200)


@blueprint.errorhandler(SQLAlchemyError)
def refuse(error: SQLAlchemyError) -> Response:
    """Answer 503: the update is not stored, and Telegram will bring it again."""
    _inbox.update(well=False, error=describe_fault(error))
    return Response(status=503)
