"""Bots: added by their token, checked, removed."""

import time

from flask import Blueprint, Response, g

from app.dashboard import answers
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, signed_in
from app.errors import ApiError, BadParameter, translatable
from app.models import WEBHOOK_ERROR_FRESH
from app.schemas.bots import BotAdd
from app.services.bots import bots, standing

blueprint = Blueprint("bots", __name__, url_prefix="/bots")


@blueprint.get("")
@signed_in
def listed() -> Response:
    """The bots that are connected, their chats, and what is wrong with them."""
    return _page()


@blueprint.post("")
@changes("bots.add")
def add() -> Response:
    """Connect a bot."""
    try:
        bots.add(g.account.id, **forms.checked(BotAdd(), g.form))
    except ApiError as error:
        return _page(error)
    return _back("added")


@blueprint.post("/<id:number>/check")
@changes("bots.add")
def check(number: int) -> Response:
    """Ask Telegram anew how a bot stands."""
    standing.check_soon(g.account.id, number)
    return _back("checked")


@blueprint.get("/<id:number>/delete")
@signed_in
def confirm(number: int) -> Response:
    """Ask for the bot's name before it is removed."""
    return _confirm(number)


@blueprint.post("/<id:number>/delete")
@changes("bots.remove")
def remove(number: int) -> Response:
    """Remove a bot whose name was typed."""
    bot = bots.find(g.account.id, number)
    if g.form.get("name", "").strip().removeprefix("@").lower() != bot.username.lower():
        return _confirm(number, BadParameter("name", translatable("is not the name of this bot")))
    bots.remove(g.account.id, number)
    return _back("removed")


def _confirm(number: int, error: ApiError | None = None) -> Response:
    return answers.page("bots/delete.html", error, bot=bots.find(g.account.id, number))


def _page(error: ApiError | None = None) -> Response:
    rows = [row for row in bots.list_with_faults(g.account.id) if row.bot.living]
    chats = standing.chats_of([row.bot.id for row in rows])
    since = time.time() - WEBHOOK_ERROR_FRESH
    return answers.page("bots/list.html", error, rows=rows, chats=chats, errors_since=since)


def _back(done: str) -> Response:
    return answers.redirect_to(f"/bots?done={done}")
