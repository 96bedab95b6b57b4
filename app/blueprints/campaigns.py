"""camp/*: tracked chats."""

from flask import Blueprint, g

from app.schemas import ById, Pause
from app.schemas.campaigns import (
    CampaignAdd,
    CampaignAdded,
    CampaignDetail,
    CampaignEdit,
    CampaignLink,
    CampaignOut,
    LinkOut,
)
from app.schemas.pagination import OptionalPage
from app.services.bots import campaign_faults
from app.services.campaigns import campaigns, links, texts
from app.web.auth import api_key
from app.web.decorators import Params, WithWarnings, answers, takes, with_warnings

blueprint = Blueprint("campaigns", __name__, url_prefix="/api/camp")


@blueprint.get("/list.json")
@api_key
@takes(OptionalPage)
@answers(CampaignOut, many=True)
def listed(params: Params) -> object:
    """All campaigns that are not deleted, and what is wrong with the bot of each."""
    rows = campaigns.listed(g.account.id, **params)
    return campaign_faults.with_faults([{**row._mapping} for row in rows])  # noqa: SLF001 - public in SQLAlchemy


@blueprint.get("/get.json")
@api_key
@takes(ById)
@answers(CampaignDetail)
def get(params: Params) -> object:
    """One campaign in full."""
    (campaign,) = campaign_faults.with_faults([campaigns.find(g.account.id, params["id"])])
    return campaign


@blueprint.post("/add.json")
@api_key
@takes(CampaignAdd)
@answers(CampaignAdded, warnings=True)
def add(params: Params) -> WithWarnings:
    """Track a chat."""
    campaign = campaigns.add(g.account.id, **params)
    return with_warnings(texts.warnings(params), campaign)


@blueprint.post("/edit.json")
@api_key
@takes(CampaignEdit)
@answers(warnings=True)
def edit(params: Params) -> WithWarnings:
    """Change a campaign."""
    emptied = campaigns.edit(g.account.id, params.pop("id"), **params)
    return with_warnings([*texts.emptied_warnings(emptied), *texts.warnings(params)])


@blueprint.get("/link.json")
@api_key
@takes(CampaignLink)
@answers(LinkOut, warnings=True)
def link(params: Params) -> WithWarnings:
    """The deep link for advertising."""
    deep_link = links.make(g.account.id, params["id"], params["click"])
    return with_warnings(deep_link.warnings, deep_link)


@blueprint.post("/pause.json")
@api_key
@takes(Pause)
@answers()
def pause(params: Params) -> None:
    """Pause or resume a campaign."""
    campaigns.pause(g.account.id, params["id"], paused=params["pause"])


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Delete a campaign softly."""
    campaigns.remove(g.account.id, params["id"])
