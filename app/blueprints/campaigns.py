"""camp/*: tracked chats."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.campaigns import (
    CampaignAdd,
    CampaignDetail,
    CampaignEdit,
    CampaignId,
    CampaignLink,
    CampaignOut,
    CampaignPause,
    CampaignsList,
    LinkOut,
)
from app.services.campaigns import campaigns, links
from app.services.trackers.url_templates import warnings, with_warnings
from app.web.auth import api_key
from app.web.responses import success

blueprint = Blueprint("campaigns", __name__, url_prefix="/api/camp")


@blueprint.get("/list.json")
@api_key
def listed() -> Response:
    """All campaigns that are not deleted."""
    found = campaigns.listed(g.account.id, **load(CampaignsList()))
    return success(CampaignOut(many=True).dump(found))


@blueprint.get("/get.json")
@api_key
def get() -> Response:
    """One campaign in full."""
    wanted = load(CampaignId())
    return success(CampaignDetail().dump(campaigns.find(g.account.id, wanted["id"])))


@blueprint.post("/add.json")
@api_key
def add() -> Response:
    """Track a chat."""
    wanted = load(CampaignAdd())
    campaign = campaigns.add(g.account.id, **wanted)
    return success(
        {"id": campaign.id, "code": campaign.code},
        **with_warnings(warnings(wanted.get("urls", {}))),
    )


@blueprint.post("/edit.json")
@api_key
def edit() -> Response:
    """Change a campaign."""
    wanted = load(CampaignEdit())
    campaigns.edit(g.account.id, wanted.pop("id"), **wanted)
    return success(**with_warnings(warnings(wanted.get("urls", {}))))


@blueprint.get("/link.json")
@api_key
def link() -> Response:
    """The deep link for advertising."""
    wanted = load(CampaignLink())
    made = links.make(g.account.id, wanted["id"], wanted["click"])
    return success(LinkOut().dump(made), **with_warnings(made.warnings))


@blueprint.post("/pause.json")
@api_key
def pause() -> Response:
    """Pause or resume a campaign."""
    wanted = load(CampaignPause())
    campaigns.pause(g.account.id, wanted["id"], paused=wanted["pause"])
    return success()


@blueprint.post("/del.json")
@api_key
def remove() -> Response:
    """Delete a campaign softly."""
    campaigns.remove(g.account.id, load(CampaignId())["id"])
    return success()
