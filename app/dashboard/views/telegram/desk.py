"""The desk of a campaign: whom it lets in by itself, when, and what it says to who asks."""

from typing import Any, Final

from flask import Blueprint, Response, g

from app.dashboard import answers
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.errors import ApiError
from app.models import DeskMode, GreetOn
from app.schemas.campaigns import CampaignEdit
from app.services.campaigns import campaigns, media_list
from app.services.join_requests.owner import rule_list

blueprint = Blueprint("desk", __name__, url_prefix="/campaigns")

FIELDS: Final = ("desk", "desk_cap", "greet", "greet_button", "greet_media", "greet_on")


@blueprint.get("/<id:number>/desk")
@signed_in
def show(number: int) -> Response:
    """What is set, and the rules in force."""
    return _page(campaigns.find(g.account.id, number))


@blueprint.post("/<id:number>/desk")
@changes("campaigns.edit")
def change(number: int) -> Response:
    """Save what was typed."""
    campaign = campaigns.find(g.account.id, number)
    typed = {name: g.form.get(name, "").replace("\r\n", "\n") for name in FIELDS}
    hours = {name: g.form.get(name, "") for name in ("quiet_from", "quiet_to")}
    try:
        quiet = {f"desk_{name}": str(_minutes(text)) for name, text in hours.items()}
        values = forms.checked(CampaignEdit(), {"id": str(number), **typed, **quiet})
        del values["id"]
        campaigns.edit(g.account.id, number, **values)
    except ApiError as error:
        return _page(campaign, typed | hours, error)
    return answers.redirect_to(f"/campaigns/{number}/desk?done=saved")


def _page(
    campaign: Any, typed: dict[str, str] | None = None, error: ApiError | None = None
) -> Response:
    return answers.page(
        "campaigns/desk.html",
        error,
        campaign=campaign,
        tab="desk",
        typed=typed or _shown(campaign),
        media=media_list.listed(g.account.id, limit=100).rows,
        rules=rule_list.listed(g.account.id, campaign["id"]),
    )


def _shown(campaign: Any) -> dict[str, str]:
    return {
        "desk": DeskMode(campaign["desk"]).name.lower(),
        "desk_cap": str(campaign["desk_cap"]),
        "greet": campaign["greet"],
        "greet_button": campaign["greet_button"],
        "greet_media": campaign["greet_media"],
        "greet_on": GreetOn(campaign["greet_on"]).name.lower(),
        "quiet_from": _clock(campaign["desk_quiet_from"]),
        "quiet_to": _clock(campaign["desk_quiet_to"]),
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _minutes(text: str) -> int:
    """Minutes of the day of `22:30`; -1, which the schema refuses, for anything else."""
    hours, _, minutes = text.partition(":")
    if not (hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        return -1
    return int(hours[:2]) * 60 + int(minutes[:2])
