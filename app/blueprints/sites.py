"""sites/*: pages that may report visits."""

from flask import Blueprint, g

from app.schemas import ById
from app.schemas.pagination import OptionalPage
from app.schemas.sites import SiteAdd, SiteCheck, SiteChecked, SiteEdit, SiteOut
from app.services.clicks import sites
from app.services.clicks.owner import site_check
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("sites", __name__, url_prefix="/api/sites")


@blueprint.get("/list.json")
@api_key
@takes(OptionalPage)
@answers(SiteOut, many=True)
def listed(params: Params) -> object:
    """All sites, with the tag that goes into their pages."""
    return sites.listed(g.account.id, **params)


@blueprint.post("/add.json")
@api_key
@takes(SiteAdd)
@answers(SiteOut)
def add(params: Params) -> object:
    """Let the pages of some hosts report visits."""
    return sites.add(g.account.id, **params)


@blueprint.post("/edit.json")
@api_key
@takes(SiteEdit)
@answers()
def edit(params: Params) -> None:
    """Change a site."""
    sites.edit(g.account.id, params.pop("id"), **params)


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Delete a site: its pages report nothing any more."""
    sites.remove(g.account.id, params["id"])


@blueprint.post("/check.json")
@api_key
@takes(SiteCheck)
@answers(SiteChecked)
def check(params: Params) -> object:
    """Fetch a page of the site, its start page without `url`, and say what is seen of the tag."""
    return site_check.check(g.account.id, params.pop("id"), **params)
