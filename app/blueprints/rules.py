"""rules/*: whom the desk of a campaign lets in by itself."""

from flask import Blueprint, g

from app.schemas.rules import OfCampaign, RuleOut, RulesSet, RulesTry, TrialOut
from app.services.join_requests.owner import rule_list
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("rules", __name__, url_prefix="/api/rules")


@blueprint.get("/list.json")
@api_key
@takes(OfCampaign)
@answers(RuleOut, many=True)
def listed(params: Params) -> object:
    """The rules of a campaign in their order."""
    return rule_list.listed(g.account.id, params["campaign"])


@blueprint.post("/set.json")
@api_key
@takes(RulesSet)
@answers(RuleOut, many=True)
def replace_all(params: Params) -> object:
    """Put these rules in place of all that were there."""
    return rule_list.replace_all(g.account.id, params["campaign"], params["rules"])


@blueprint.post("/try.json")
@api_key
@takes(RulesTry)
@answers(TrialOut, many=True)
def try_out(params: Params) -> object:
    """What each of the last 200 requests would get. Nothing is changed."""
    return rule_list.try_out(g.account.id, params["campaign"], params.get("rules"))
