"""journal/*: every happening in a chat."""

from __future__ import annotations

from flask import Blueprint, g

from app.schemas.journal import JournalList, JournalOut
from app.services.leads import journal
from app.web.auth import api_key
from app.web.decorators import Params, answers_page, takes

blueprint = Blueprint("journal", __name__, url_prefix="/api/journal")


@blueprint.get("/list.json")
@api_key
@takes(JournalList)
@answers_page(JournalOut)
def listed(params: Params) -> object:
    """Happenings in one chat, newest first."""
    return journal.listed(g.account.id, **params)
