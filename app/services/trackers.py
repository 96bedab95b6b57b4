"""Trackers: the adapters of this installation, asked on behalf of a customer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import current_app
from marshmallow import ValidationError

from app.config import Settings
from app.errors import BadParameter
from app.outbound.schemes import scheme_for
from plugins import form
from plugins.adapter import Adapter, AdapterFailed
from plugins.contract import EventKind
from plugins.registry import BrokenTracker, Registry, UnknownTracker


class Ready(NamedTuple):
    """An adapter with settings it has accepted."""

    adapter: Adapter
    settings: dict[str, Any]
    every_event: bool = False


def listed() -> list[dict[str, Any]]:
    """Every adapter, usable ones first; a broken one has `broken`, the reason."""
    registry = _registry()
    usable = [_described(registry.get(name)) for name in registry.names()]
    broken = [
        {
            "key": one.name,
            "title": one.name,
            "version": one.version,
            "distribution": one.distribution,
            "fields": [],
            "events": [],
            "help": "",
            "presets": [],
            "broken": one.reason,
        }
        for one in registry.broken
    ]
    return usable + broken


def _described(adapter: Adapter) -> dict[str, Any]:
    return {
        "key": adapter.name,
        "title": form.title_of(adapter.schema, adapter.name),
        "version": adapter.version,
        "distribution": adapter.distribution,
        "fields": form.fields_of(adapter.schema),
        "events": [kind.value for kind in EventKind],
        "help": form.help_of(adapter.schema),
        "presets": [],
        "broken": "",
    }


def find(name: str, field: str = "tracker") -> Adapter:
    """The adapter of this name. Raises BadParameter for `field`."""
    try:
        return _registry().get(name)
    except UnknownTracker as error:
        raise BadParameter(field, f"{field}: {error}; see trackers/list") from error
    except BrokenTracker as error:
        raise BadParameter(field, f"{field}: {name} is broken: {error.reason}") from error


def find_or_none(name: str) -> Adapter | None:
    """The adapter of this name, or None where it is missing or broken."""
    try:
        return _registry().get(name)
    except (UnknownTracker, BrokenTracker):
        return None


def check(adapter: Adapter, raw: Mapping[str, Any], field: str = "settings") -> dict[str, Any]:
    """Settings as the adapter keeps them, with the schemes that are ours to choose.

    May wait for a name server: call it without a transaction. Raises
    ValidationError under the name `field`, BadParameter for a failing adapter.
    """
    try:
        settings = adapter.check_settings(raw)
    except ValidationError as error:
        raise ValidationError({field: error.messages} if field else error.messages_dict) from error
    except AdapterFailed as error:
        raise BadParameter("tracker", f"tracker: {adapter.name} failed: {error.reason}") from error
    ours: Settings = current_app.config["SETTINGS"]
    for name, declared in adapter.schema.fields.items():
        host = settings.get(str(declared.metadata.get("scheme_of", "")))
        if isinstance(host, str):
            settings[name] = scheme_for(host, ours.outbound_allow)
    return settings


def ready(adapter: Adapter, raw: Mapping[str, Any]) -> Ready:
    """Check settings and ask what the adapter wishes. Raises as `check` does."""
    settings = check(adapter, raw)
    try:
        return Ready(adapter, settings, adapter.wants_every_event(settings))
    except AdapterFailed as error:
        raise BadParameter("tracker", f"tracker: {adapter.name} failed: {error.reason}") from error


def _registry() -> Registry:
    registry: Registry = current_app.extensions["trackers"]
    return registry
