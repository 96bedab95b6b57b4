"""Campaigns: the tracked chats, and the tabs of one."""

import time
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, render_template, request

from app.dashboard import answers
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, limited, signed_in
from app.dashboard.periods import chosen_period, scope_of
from app.dashboard.preview import preview
from app.domain.time_ranges import DAY
from app.errors import ApiError, BadParameter, translatable
from app.schemas import Input, fields
from app.schemas.campaigns import CampaignEdit
from app.services.bots import bots
from app.services.campaigns import campaigns, links, media_list, texts
from app.services.leads.stats import counts, retention
from app.services.trackers import catalogue, test_send, url_templates
from plugins.contract import EventKind
from plugins.kit.macros import MACROS
from plugins.kit.signs.notations import filled_in

blueprint = Blueprint("campaigns", __name__, url_prefix="/campaigns")


class AddForm(Input):
    """A chat of a bot, as one value: `12:-100123`."""

    chat = fields.Text(64, required=True, pattern=r"[0-9]{1,18}:-?[0-9]{1,18}")


@blueprint.get("")
@signed_in
def listed() -> Response:
    """All campaigns with what they have counted."""
    return _list()


@blueprint.post("")
@changes("campaigns.add")
def add() -> Response:
    """Track a chat."""
    try:
        bot, chat = forms.checked(AddForm(), g.form)["chat"].split(":")
        campaign = campaigns.add(g.account.id, bot=int(bot), chat=int(chat))
    except ApiError as error:
        return _list(error)
    return answers.redirect_to(f"/campaigns/{campaign.id}/welcome?done=tracked")


@blueprint.get("/<id:number>")
@signed_in
def numbers(number: int) -> str:
    """What one campaign has counted, and who stays."""
    campaign = campaigns.find(g.account.id, number)
    now = int(time.time())
    period = chosen_period(now)
    scope = scope_of(period, now, campaign=number)
    since_chart = replace(scope, since=period.day_since)
    return render_template(
        "campaigns/numbers.html",
        campaign=campaign,
        tab="numbers",
        period=period,
        summary=counts.summary(scope),
        days=counts.daily(since_chart, tz=period.minutes_east),
        retention=retention.retention(since_chart),
    )


@blueprint.get("/<id:number>/welcome")
@signed_in
def welcome(number: int) -> Response:
    """The message to people who start the bot, beside what they see of it."""
    return _welcome(campaigns.find(g.account.id, number))


@blueprint.post("/<id:number>/welcome")
@changes("campaigns.edit")
def change_welcome(number: int) -> Response:
    """Show what was typed, or save it."""
    campaign = campaigns.find(g.account.id, number)
    names = ("welcome", "button_text", "button_url", "media")
    typed = {name: g.form.get(name, "").replace("\r\n", "\n") for name in names}
    if g.form.get("do") == "preview":
        return _welcome(campaign, typed)
    try:
        campaigns.edit(g.account.id, number, **_checked(number, typed))
    except ApiError as error:
        return _welcome(campaign, typed, error)
    return answers.redirect_to(f"/campaigns/{number}/welcome?done=saved")


@blueprint.get("/<id:number>/postbacks")
@signed_in
def postbacks(number: int) -> Response:
    """The five addresses that hear of the campaign's events."""
    return _postbacks(campaigns.find(g.account.id, number))


@blueprint.post("/<id:number>/postbacks")
@changes("campaigns.edit")
def change_postbacks(number: int) -> Response:
    """Warn of what was typed, try one of the addresses, or save them."""
    campaign = campaigns.find(g.account.id, number)
    typed = {name: g.form.get(name, "").strip() for name in url_templates.FIELDS}
    try:
        match g.form.get("do", ""):
            case "check":
                return _postbacks(campaign, typed)
            case "test" | "send" as verb:
                return _postbacks(campaign, typed, test=_tried(number, typed, send=verb == "send"))
        campaigns.edit(g.account.id, number, **_checked(number, typed))
    except ApiError as error:
        return _postbacks(campaign, typed, error)
    return answers.redirect_to(f"/campaigns/{number}/postbacks?done=saved")


@blueprint.get("/<id:number>/link")
@signed_in
def link(number: int) -> Response:
    """The link for an ad: for each tracker with its macro, or for one click id."""
    campaign, error = campaigns.find(g.account.id, number), None
    click = request.args.get("click", "").strip()
    try:
        deep_link = links.make(g.account.id, number, click)
    except BadParameter as refused:
        deep_link, error = links.make(g.account.id, number), refused
    return answers.page(
        "campaigns/link.html",
        error,
        campaign=campaign,
        tab="link",
        click=click,
        deep_link=deep_link,
        is_plain=bool(click) and error is None and filled_in(click, "") == click,
        used=len(campaign["code"]) + 1 + len(click),
        room=links.LONGEST_PAYLOAD,
    )


@blueprint.get("/<id:number>/settings")
@signed_in
def settings(number: int) -> Response:
    """The rules of a campaign, its pause and its end."""
    return _settings(campaigns.find(g.account.id, number))


@blueprint.post("/<id:number>/settings")
@changes("campaigns.edit")
def change_settings(number: int) -> Response:
    """Save the rules, pause, resume or delete."""
    campaign = campaigns.find(g.account.id, number)
    try:
        match g.form.get("do", ""):
            case "pause" | "resume" as verb:
                campaigns.pause(g.account.id, number, paused=verb == "pause")
            case "delete":
                if g.form.get("title", "").strip() != campaign["code"]:
                    raise BadParameter("title", translatable("is not the code of this campaign"))
                campaigns.remove(g.account.id, number)
                return answers.redirect_to("/campaigns?done=removed")
            case _:
                typed = {name: g.form.get(name, "") for name in ("unsub_window", "notify_level")}
                if typed["unsub_window"].isdecimal():
                    typed["unsub_window"] = str(int(typed["unsub_window"][:6]) * DAY)
                campaigns.edit(g.account.id, number, **_checked(number, typed))
    except ApiError as error:
        return _settings(campaign, error)
    return answers.redirect_to(f"/campaigns/{number}/settings?done=saved")


def _checked(number: int, typed: dict[str, str]) -> dict[str, Any]:
    values = forms.checked(CampaignEdit(), {"id": number, **typed})
    values.pop("id")
    return values


def _tried(number: int, typed: dict[str, str], *, send: bool) -> test_send.TestResult:
    event = forms.checked(EventForm(), {"event": g.form.get("event", "")})["event"]
    template = typed[f"pb_{event}"]
    if not template:
        raise BadParameter(f"pb_{event}", translatable("must not be empty"))
    with limited("postbacks.test"):
        return test_send.run(
            g.account.id, event=event, send=send, campaign=number, template=template
        )


class EventForm(Input):
    """Which event."""

    event = fields.Choice(*EventKind, required=True)


def _list(error: ApiError | None = None) -> Response:
    rows, free = campaigns.listed(g.account.id), bots.free_chats(g.account.id)
    return answers.page("campaigns/list.html", error, rows=rows, free=free)


def _welcome(
    campaign: Any, typed: dict[str, str] | None = None, error: ApiError | None = None
) -> Response:
    values = {**campaign, **(typed or {})}
    shown = preview(
        values["welcome"],
        title=campaign["chat_title"],
        code=campaign["code"],
        button_url=values["button_url"],
        has_media=bool(values["media"]),
    )
    return answers.page(
        "campaigns/welcome.html",
        error,
        campaign=campaign,
        tab="welcome",
        values=values,
        shown=shown,
        warnings=texts.warnings(
            {name: values[name] for name in ("welcome", "button_text", "button_url")}
        ),
        media=media_list.listed(g.account.id, limit=100).rows,
        macros=list(MACROS),
    )


def _postbacks(
    campaign: Any,
    typed: dict[str, str] | None = None,
    error: ApiError | None = None,
    test: test_send.TestResult | None = None,
) -> Response:
    values = {**campaign, **(typed or {})}
    urls = {name: values[name] for name in url_templates.FIELDS}
    return answers.page(
        "campaigns/postbacks.html",
        error,
        campaign=campaign,
        tab="postbacks",
        urls=urls,
        presets=catalogue.with_presets(),
        inherited={} if any(urls.values()) else url_templates.read(g.account.id),
        warnings=url_templates.warnings(urls),
        test=test,
        event=g.form.get("event", "approve") if "form" in g else "approve",
        macros=list(MACROS),
    )


def _settings(campaign: Any, error: ApiError | None = None) -> Response:
    return answers.page("campaigns/settings.html", error, campaign=campaign, tab="settings")
