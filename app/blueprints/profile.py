"""profile/*: what an account sees and sets of itself."""

from flask import Blueprint, g

from app.schemas.profile import (
    ApiKey,
    KeyRotation,
    Language,
    LoginOut,
    Notifications,
    ProfileOut,
    Templates,
    TrackerConnect,
    TrackerOut,
    Zone,
)
from app.services import profile
from app.services.service_bot import sessions
from app.services.trackers.url_templates import warnings
from app.web.auth import api_key, api_key_even_unpaid, session
from app.web.decorators import Params, WithWarnings, answers, takes, with_warnings

blueprint = Blueprint("profile", __name__, url_prefix="/api/profile")


@blueprint.get("/info.json")
@api_key_even_unpaid
@answers(ProfileOut)
def info() -> object:
    """The account, its plan, its templates."""
    return profile.read(g.account.id)


@blueprint.get("/login.json")
@session
@answers(LoginOut)
def login() -> object:
    """Whose session this is."""
    return profile.read(g.account.id)


@blueprint.post("/apikey.json")
@api_key
@takes(KeyRotation)
@answers(ApiKey)
def apikey(params: Params) -> object:
    """A new key; the old one is dead at once."""
    return {"key": sessions.rotate_key(g.account, **params)}


@blueprint.post("/postbacks.json")
@api_key
@takes(Templates)
@answers(warnings=True)
def postbacks(params: Params) -> WithWarnings:
    """Change some of the account's templates."""
    profile.edit_templates(g.account.id, params)
    return with_warnings(warnings(params))


@blueprint.post("/notify.json")
@api_key
@takes(Notifications)
@answers()
def notify(params: Params) -> None:
    """Switch notifications."""
    profile.choose_notifications(g.account.id, **params)


@blueprint.post("/lang.json")
@api_key
@takes(Language)
@answers()
def lang(params: Params) -> None:
    """Set the language."""
    profile.choose_language(g.account.id, **params)


@blueprint.post("/zone.json")
@api_key
@takes(Zone)
@answers()
def zone(params: Params) -> None:
    """Set the time zone of the dashboard, such as Europe/Riga."""
    profile.choose_zone(g.account.id, **params)


@blueprint.get("/tracker.json")
@api_key
@answers(TrackerOut)
def tracker() -> object:
    """Which tracker is connected."""
    return profile.connection(g.account.id)


@blueprint.post("/tracker.json")
@api_key
@takes(TrackerConnect)
@answers(TrackerOut)
def connect(params: Params) -> object:
    """Connect an AlterCPA tracker, or disconnect it."""
    return profile.choose_connection(g.account.id, **params)
