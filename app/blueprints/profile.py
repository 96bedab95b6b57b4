"""profile/*: what an account sees and sets of itself."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.schemas import load
from app.schemas.profile import (
    Language,
    LoginOut,
    Notifications,
    ProfileOut,
    Templates,
    TrackerConnect,
    TrackerOut,
)
from app.services import profile
from app.services.accounts import accounts
from app.services.trackers.url_templates import warnings, with_warnings
from app.web.auth import api_key, api_key_even_unpaid, session
from app.web.responses import success

blueprint = Blueprint("profile", __name__, url_prefix="/api/profile")


@blueprint.get("/info.json")
@api_key_even_unpaid
def info() -> Response:
    """The account, its plan, its templates."""
    return success(ProfileOut().dump(accounts.profile(g.account.id)))


@blueprint.get("/login.json")
@session
def login() -> Response:
    """Whose session this is."""
    return success(LoginOut().dump(accounts.profile(g.account.id)))


@blueprint.post("/apikey.json")
@api_key
def apikey() -> Response:
    """A new key; the old one is dead at once."""
    return success({"key": accounts.rotate_key(g.account.id)})


@blueprint.post("/postbacks.json")
@api_key
def postbacks() -> Response:
    """Change some of the account's templates."""
    wanted = load(Templates())
    accounts.edit_templates(g.account.id, wanted)
    return success(**with_warnings(warnings(wanted)))


@blueprint.post("/notify.json")
@api_key
def notify() -> Response:
    """Switch notifications."""
    accounts.choose_notifications(g.account.id, **load(Notifications()))
    return success()


@blueprint.post("/lang.json")
@api_key
def lang() -> Response:
    """Set the language."""
    accounts.choose_language(g.account.id, **load(Language()))
    return success()


@blueprint.get("/tracker.json")
@api_key
def tracker() -> Response:
    """Which tracker is connected."""
    return success(TrackerOut().dump(profile.read(g.account.id)))


@blueprint.post("/tracker.json")
@api_key
def connect() -> Response:
    """Connect an AlterCPA tracker, or disconnect it."""
    profile.choose(g.account.id, **load(TrackerConnect()))
    return success()
