"""track/*: visits that a customer's own server reports for its visitors."""

import ipaddress
from typing import Any

from flask import Blueprint, g, request

from app.blueprints.track import invite_answer, visit_answer
from app.domain.clicks.page_visit import MAX_AGENT
from app.domain.storable_text import sanitize
from app.errors import NotFound
from app.schemas.visits import FbpAdd, FbpOut, InviteOut, InviteTake, VisitAdd, VisitOut
from app.services.clicks import lookup, page_link, visits
from app.services.clicks.lookup import KnownSite
from app.services.clicks.visits import Reporter
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("visits", __name__, url_prefix="/api/track")


@blueprint.post("/visit.json")
@api_key
@takes(VisitAdd)
@answers(VisitOut)
def visit(params: Params) -> object:
    """Report a visitor of a page. Address and browser are only kept where the site captures them.

    The headers `X-Gatepost-Client-IP` and `X-Gatepost-Client-User-Agent` win over the body.
    """
    site = _site(params)
    return visit_answer(visits.report(g.account.id, site, named(params), reporter(params)))


@blueprint.post("/fbp.json")
@api_key
@takes(FbpAdd)
@answers(FbpOut)
def fbp(params: Params) -> object:
    """Add the fbp that a pixel set late to the newest visit of a browser within a day."""
    site = _site(params)
    return {"success": visits.add_fbp(site, g.account.id, params["temp_id"], params["fbp"])}


@blueprint.post("/invite.json")
@api_key
@takes(InviteTake)
@answers(InviteOut)
def invite(params: Params) -> object:
    """Take the link of a visitor, which counts as a press."""
    site = _site(params)
    target = page_link.make(g.account.id, site, named(params), reporter(params))
    return invite_answer(target)


def _site(params: Params) -> KnownSite | None:
    """Return the site that the call names, if it names one. Raises NotFound."""
    public_id = params.get("site", "")
    if not public_id:
        return None
    site = lookup.find_site(public_id)
    if site is None or site.account_id != g.account.id:
        raise NotFound
    return site


def named(params: Params) -> dict[str, Any]:
    """Return the parameters under the names of the public doors."""
    names = {name: field.data_key or name for name, field in VisitAdd().fields.items()}
    return {
        names[name]: value
        for name, value in params.items()
        if name in names and name not in ("client_ip", "user_agent")
    }


def reporter(params: Params) -> Reporter:
    """Return the visitor: whom the headers name, as AdTarget's do, or else the body."""
    address = _header("Client-IP") or params.get("client_ip", "")
    try:
        address = str(ipaddress.ip_address(address.strip()))
    except ValueError:
        address = ""  # half an address is no address
    agent = _header("Client-User-Agent") or params.get("user_agent", "")
    return Reporter(address, sanitize(agent, MAX_AGENT))


def _header(name: str) -> str:
    headers = request.headers
    return headers.get(f"X-Gatepost-{name}", "") or headers.get(f"X-Adtarget-{name}", "")
