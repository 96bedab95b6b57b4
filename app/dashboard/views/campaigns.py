"""Campaigns: the tracked chats."""

from __future__ import annotations

from flask import Blueprint, g, render_template

from app.dashboard.guards import signed_in
from app.services.campaigns import campaigns

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns")


@blueprint.get("")
@signed_in
def listed() -> str:
    """All campaigns with what they have counted."""
    rows = campaigns.listed(g.account.id)
    return render_template("campaigns/list.html", rows=rows)
