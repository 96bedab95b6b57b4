"""journal/*: every happening in a chat."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.journal import JournalList, JournalOut
from app.services.leads import journal
from app.web.auth import api_key
from app.web.responses import page

blueprint = Blueprint("journal", __name__, url_prefix="/api/journal")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """Happenings in one chat, newest first."""
    found = journal.listed(g.account.id, **load(JournalList()))
    return page(JournalOut(many=True).dump(found.rows), found.total)
