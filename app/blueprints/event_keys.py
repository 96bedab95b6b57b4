"""eventkeys/*: keys by which other servers tell us of conversions."""

from flask import Blueprint, g

from app.config import current_settings
from app.schemas import ById
from app.schemas.event_keys import (
    EventKeyAdd,
    EventKeyAdded,
    EventKeyEdit,
    EventKeyOut,
    EventKeyRotate,
    EventKeysList,
)
from app.services.conversions import keys
from app.services.conversions.keys import NewKey
from app.web.auth import api_key
from app.web.decorators import Params, answers, takes

blueprint = Blueprint("event_keys", __name__, url_prefix="/api/eventkeys")


@blueprint.get("/list.json")
@api_key
@takes(EventKeysList)
@answers(EventKeyOut, many=True)
def listed(params: Params) -> object:
    """The keys for `/in/<key>`; the keys themselves cannot be read again."""
    return keys.listed(g.account.id, **params)


@blueprint.post("/add.json")
@api_key
@takes(EventKeyAdd)
@answers(EventKeyAdded)
def add(params: Params) -> object:
    """Make a key. It is shown this once, with the address to call."""
    return _shown(keys.add(g.account.id, login_id=g.account.login_id, **params))


@blueprint.post("/edit.json")
@api_key
@takes(EventKeyEdit)
@answers()
def edit(params: Params) -> None:
    """Change a key's title, currency or addresses."""
    keys.edit(g.account.id, params.pop("id"), **params)


@blueprint.post("/rotate.json")
@api_key
@takes(EventKeyRotate)
@answers(EventKeyAdded)
def rotate(params: Params) -> object:
    """Replace a key, and its secret if it has one. The old one stops at once."""
    return _shown(
        keys.rotate(g.account.id, params.pop("id"), login_id=g.account.login_id, **params)
    )


@blueprint.post("/del.json")
@api_key
@takes(ById)
@answers()
def remove(params: Params) -> None:
    """Delete a key. The events that came by it stay."""
    keys.remove(g.account.id, params["id"])


def _shown(made: NewKey) -> dict[str, object]:
    base = current_settings().public_url.rstrip("/")  # the Host header is its sender's word
    return {**made._asdict(), "url": f"{base}/in/{made.key}" if base else ""}
