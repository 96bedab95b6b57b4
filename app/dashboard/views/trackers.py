"""Trackers: connected, checked, changed, paused, by forms that their adapters describe."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, g, render_template, request
from marshmallow import ValidationError

from app.dashboard import answers, names, tracker_form
from app.dashboard.access import forms
from app.dashboard.access.guards import changes, limited, signed_in
from app.errors import ApiError, NotFound
from app.models import Role
from app.schemas import Input, fields
from app.schemas.destinations import DestinationAdd, DestinationEdit
from app.services.trackers import catalogue, destinations
from app.services.trackers.destinations import ShownDestination
from app.services.trackers.url_templates import events_mask, warnings_of
from app.translations import in_catalogue
from app.web.responses import invalid
from plugins.contract import EventKind
from plugins.kit.macros import MACROS

blueprint = Blueprint("trackers", __name__, url_prefix="/trackers")

MOST: Final = 500
#: What stands above the fields of an adapter: the ones that a preset fills in are not asked for.
_OF_PRESET: Final = ("preset", "mode", "fields")


class TrackerForm(Input):
    """What every tracker has beside its settings."""

    title = fields.Text(128, load_default="")
    campaign = fields.Int(0, load_default=0)


@blueprint.get("")
@signed_in
def listed() -> str:
    """The trackers that are connected."""
    return render_template(
        "trackers/list.html",
        rows=[row for row in _rows() if row.destination.role == Role.CONNECTED],
        titles=_titles(),
        campaigns=names.campaigns(g.account.id),
        kinds=[(kind.value, events_mask([kind])) for kind in EventKind],
        now=time.time(),
    )


@blueprint.get("/new")
@signed_in
def choose() -> str:
    """Every tracker that can be connected."""
    return render_template(
        "trackers/choose.html", adapters=catalogue.listed(), presets=catalogue.with_presets()
    )


@blueprint.get("/new/<key>")
@signed_in
def new(key: str) -> Response:
    """The form of one tracker."""
    return _new(key, request.args.get("preset", ""))


@blueprint.post("/new/<key>")
@changes("destinations.add")
def add(key: str) -> Response:
    """Try what was typed, or connect the tracker."""
    preset = g.form.get("preset", "")
    described = _fields(key, preset, None)
    settings = _settings(described, preset)
    try:
        if g.form.get("do") == "check":
            with limited("destinations.check"):
                result = destinations.check(g.account.id, tracker=key, settings=settings)
            return _new(key, preset, refill=True, check=result)
        typed = forms.checked(DestinationAdd(), {"tracker": key, "settings": settings, **_shared()})
        number = destinations.add(g.account.id, **typed)
    except (ApiError, ValidationError) as error:
        return _new(key, preset, error, refill=True)
    return answers.redirect_to(f"/trackers/{number}?done=added")


@blueprint.get("/<id:number>")
@signed_in
def one(number: int) -> Response:
    """What is set for one tracker."""
    return _one(_find(number))


@blueprint.post("/<id:number>")
@changes("destinations.add")
def change(number: int) -> Response:
    """Check, save, pause, resume or delete a tracker."""
    row = _find(number)
    try:
        match g.form.get("do", ""):
            case "check":
                with limited("destinations.check"):
                    result = destinations.check(g.account.id, number)
                return _one(row, check=result)
            case "pause" | "resume" as verb:
                destinations.pause(g.account.id, number, paused=verb == "pause")
            case "delete":
                destinations.remove(g.account.id, number)
                return answers.redirect_to("/trackers?done=removed")
            case _:
                _save(row)
    except (ApiError, ValidationError) as error:
        return _one(row, error)
    return answers.redirect_to(f"/trackers/{number}?done=saved")


@blueprint.get("/<id:number>/delete")
@signed_in
def confirm(number: int) -> str:
    """Ask before a tracker is deleted."""
    return render_template("trackers/delete.html", row=_find(number).destination)


def _save(row: ShownDestination) -> None:
    number, preset = row.destination.id, str(row.settings.get("preset") or "")
    described = _fields(row.destination.tracker, preset, row.settings)
    settings = tracker_form.masked_kept(_settings(described, preset), row.settings)
    typed = forms.checked(DestinationEdit(), {"id": number, "settings": settings, **_shared()})
    typed.pop("id")
    destinations.edit(g.account.id, number, **typed)


def _shared() -> dict[str, Any]:
    typed = forms.checked(TrackerForm(), g.form)
    return {**typed, "events": [kind for kind in EventKind if f"event.{kind}" in g.form]}


def _settings(described: Sequence[tracker_form.FormField], preset: str) -> dict[str, Any]:
    settings = tracker_form.typed_settings(described, g.form)
    return {"preset": preset, **settings} if preset else settings


def _fields(
    key: str, preset: str, values: Mapping[str, Any] | None
) -> list[tracker_form.FormField]:
    """Return the fields of an adapter, or those that one of its presets asks for."""
    row = next((row for row in catalogue.listed() if row["key"] == key), None)
    if row is None or row["broken"]:
        raise NotFound
    if not preset:
        asked = [
            item for item in row["fields"] if not row["presets"] or item["name"] not in _OF_PRESET
        ]
        return tracker_form.fields_of(asked, values)
    chosen = next((item for item in row["presets"] if item["key"] == preset), None)
    if chosen is None:
        raise NotFound
    modes = [mode["name"] for mode in chosen["modes"]]
    mode = next(item for item in row["fields"] if item["name"] == "mode")
    inner = None if values is None else values.get("fields") or {}
    path = f"{tracker_form.ROOT}.fields"
    children = tracker_form.fields_of(chosen["fields"], inner, path)
    return [
        *tracker_form.fields_of([{**mode, "choices": ["", *modes]}], values),
        tracker_form.FormField(path, chosen["title"], "", "object", fields=children),
    ]


def _new(
    key: str,
    preset: str,
    error: ApiError | ValidationError | None = None,
    *,
    refill: bool = False,
    check: Any = None,
) -> Response:
    described = _fields(key, preset, None)
    row = next(row for row in catalogue.listed() if row["key"] == key)
    chosen = next((item for item in row["presets"] if item["key"] == preset), None)
    return _page(
        "trackers/new.html",
        error,
        key=key,
        preset=chosen,
        title=chosen["title"] if chosen else row["title"],
        help=in_catalogue(chosen["notes"] if chosen else row["help"]),
        fields=tracker_form.refilled(described, g.form) if refill else described,
        typed=g.form if refill else {"campaign": request.args.get("campaign", "")},
        presets=row["presets"],
        check=check,
        mask=events_mask(EventKind),
    )


def _one(
    row: ShownDestination, error: ApiError | ValidationError | None = None, check: Any = None
) -> Response:
    destination, preset = row.destination, str(row.settings.get("preset") or "")
    try:
        described = _fields(destination.tracker, preset, row.settings)
    except NotFound:
        described = []  # its adapter is missing or broken: it can still be paused or deleted
    return _page(
        "trackers/tracker.html",
        error,
        row=destination,
        fields=tracker_form.refilled(described, g.form) if error else described,
        typed={},
        check=check,
        warnings=warnings_of(row.settings),
        mask=destination.events,
        now=time.time(),
    )


def _find(number: int) -> ShownDestination:
    for row in _rows():
        if row.destination.id == number and row.destination.role == Role.CONNECTED:
            return row
    raise NotFound


def _titles() -> dict[str, str]:
    return {row["key"]: row["title"] for row in catalogue.listed()}


def _rows() -> Sequence[ShownDestination]:
    return destinations.listed(g.account.id, limit=MOST).rows


def _page(template: str, error: ApiError | ValidationError | None, **values: Any) -> Response:
    return answers.page(
        template,
        invalid(error) if isinstance(error, ValidationError) else error,
        campaigns=names.campaigns(g.account.id),
        kinds=[(kind.value, events_mask([kind])) for kind in EventKind],
        macros=list(MACROS),
        titles=_titles(),
        **values,
    )
