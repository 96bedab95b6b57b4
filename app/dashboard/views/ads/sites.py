"""Sites: pages that may report visits, with the tag that goes into them."""

from typing import Any

from flask import Blueprint, Response, g

from app.dashboard import answers
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.domain.clicks.privacy import Capture, Consent
from app.errors import ApiError, NotFound
from app.schemas.sites import SiteAdd, SiteEdit
from app.services.clicks import sites, sources
from app.translations import gettext

blueprint = Blueprint("sites", __name__, url_prefix="/sources/sites")


@blueprint.get("")
@signed_in
def listed() -> Response:
    """All sites, and the form of a new one."""
    return _page()


@blueprint.post("")
@changes("sites.add")
def add() -> Response:
    """Let the pages of some hosts report visits."""
    try:
        site = sites.add(g.account.id, **forms.checked(SiteAdd(), _typed()))
    except ApiError as error:
        return _page(error)
    return answers.redirect_to(f"/sources/sites?done=saved#site-{site.id}")


@blueprint.post("/<id:number>")
@changes()
def change(number: int) -> Response:
    """Save or delete a site."""
    try:
        if g.form.get("do") == "delete":
            sites.remove(g.account.id, number)
            return answers.redirect_to("/sources/sites?done=removed")
        typed = forms.checked(SiteEdit(), {"id": number, **_typed()})
        sites.edit(g.account.id, typed.pop("id"), **typed)
    except NotFound:
        raise
    except ApiError as error:
        return _page(error, number)
    return answers.redirect_to(f"/sources/sites?done=saved#site-{number}")


def _typed() -> dict[str, Any]:
    """Return what was typed: hosts one a line, and a bit for each thing that may be kept."""
    return {
        "domains": g.form.get("domains", "").replace(",", " ").split(),
        "source": g.form.get("source", "0") or "0",
        "capture": sum(int(bit) for bit, _ in captures() if f"capture.{bit}" in g.form),
        "consent": "required" if "consent" in g.form else "none",
    }


def captures() -> list[tuple[int, str]]:
    """Return what a site may keep of a visitor: the bit, and what it is called."""
    return [
        (int(Capture.IP), gettext("the address of the visitor")),
        (int(Capture.USER_AGENT), gettext("the browser's name for itself")),
        (int(Capture.META_IDS), gettext("ids of Meta: fbc, fbp, fbclid")),
        (int(Capture.OTHER_IDS), gettext("ids of other networks: gclid, ttclid, yclid")),
    ]


def _page(error: ApiError | None = None, number: int = 0) -> Response:
    return answers.page(
        "sources/sites.html",
        error,
        tab="sites",
        rows=sites.listed(g.account.id),
        sources={row.id: row.title for row in sources.listed(g.account.id)},
        captures=captures(),
        usual=int(sites.DEFAULT_CAPTURE),
        asks=int(Consent.REQUIRED),
        typed=_typed() if error else {},
        typed_for=number,
    )
