"""sources/*: links for ads."""

from flask import Blueprint, g

from app.schemas import ById, Pause
from app.schemas.sources import (
    SourceAdd,
    SourceAdded,
    SourceEdit,
    SourceLinkOut,
    SourceLinks,
    SourceOut,
    SourcesList,
)
from app.services.clicks import sources
from app.services.clicks.owner import link_list
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes, with_warnings

blueprint = Blueprint("sources", __name__, url_prefix="/api/sources")


@blueprint.get("/list.json")
@api_key
@takes(SourcesList)
@answers(SourceOut, many=True)
def listed(params: Params) -> object:
    """All sources that are not deleted, with what their links have counted."""
    return sources.listed(g.account.id, **params)


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(SourceOut)
def get(params: Params) -> object:
    """One source."""
    return sources.find(g.account.id, params["id"])


@blueprint.post("/add.json")
@api_key
@takes(SourceAdd)
@answers(SourceAdded, warnings=True)
def add(params: Params) -> object:
    """Make a link for ads that lead to a campaign."""
    source = sources.add(g.account.id, **params)
    return with_warnings(sources.warnings(source), source)


@blueprint.post("/edit.json")
@api_key
@takes(SourceEdit)
@answers(warnings=True)
def edit(params: Params) -> object:
    """Change a source."""
    source = sources.edit(g.account.id, params.pop("id"), **params)
    return with_warnings(sources.warnings(source))


@blueprint.post("/pause.json")
@api_key
@takes(Pause)
@answers()
def pause(params: Params) -> None:
    """Pause or resume a source; a paused link leads on and records nothing."""
    sources.pause(g.account.id, params["id"], paused=params["pause"])


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Delete a source softly: its link leads nowhere any more."""
    sources.remove(g.account.id, params["id"])


@blueprint.get("/link.json")
@api_key
@takes(SourceLinks)
@answers(SourceLinkOut, many=True)
def link(params: Params) -> object:
    """The links to put into ads: plain, and for each connected tracker with its macro.

    Behind them those that lead to Telegram at once: to the bot, and the one that all share.
    """
    return link_list.listed(g.account.id, params["id"], qr=params["qr"])
