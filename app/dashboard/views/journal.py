"""The journal: everything that happened in one tracked chat or in all, organic people too."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers, names
from app.dashboard.access import forms
from app.dashboard.access.guards import signed_in
from app.dashboard.periods import CampaignForm
from app.dashboard.views.leads import actions
from app.schemas.journal import JournalFilter, JournalList, LeadJournalOut
from app.services.campaigns import campaigns
from app.services.leads import journal

blueprint = Blueprint("journal", __name__, url_prefix="/journal")

FILTERS = ("campaign", "action")


@blueprint.get("")
@signed_in
def page() -> str:
    """The entries of one campaign's chat, or of all chats of the account, newest first."""
    query = _query(request.args)
    params = {**_filters(query), **answers.page_params()}
    part = journal.listed(g.account.id, **forms.checked(JournalList(), params))
    return render_template(
        "journal/journal.html",
        **answers.rows_of(part, "/journal", query),
        campaign=query.get("campaign", ""),
        campaigns=names.campaigns(g.account.id),
        action=query.get("action", ""),
        actions=actions(),
        query=query,
    )


@blueprint.get("/journal.csv")
@signed_in
def export() -> Response:
    """All entries that match the filter."""
    parts = journal.read_all(g.account.id, **chosen(request.args))
    return answers.rows_as_file("journal.csv", LeadJournalOut(many=True), parts)


def chosen(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the filters of a query as `journal.read_all` takes them.

    Raises NotFound or BadParameter.
    """
    return forms.checked(JournalFilter(), _filters(_query(values)))


def _query(values: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of a query that are set."""
    return forms.non_empty(values, FILTERS)


def _filters(query: dict[str, str]) -> dict[str, Any]:
    """Return the filters as journal/list takes them. Raises NotFound."""
    filters: dict[str, Any] = {"action": query["action"]} if "action" in query else {}
    if "campaign" not in query:
        return filters
    number = forms.checked(CampaignForm(), {"campaign": query["campaign"]})["campaign"]
    campaign: Any = campaigns.find(g.account.id, number)
    return {"bot": campaign["bot"], "chat": campaign["chat"], **filters}
