"""The adapters of this installation: listed, found by name, and asked to check settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from flask import current_app
from marshmallow import ValidationError

from app.config import BadSetting, current_settings
from app.errors import BadParameter, translatable
from app.outbound.scheme import HTTPS, scheme_for
from app.services.trackers import typed_addresses
from plugins.host import catalogue as preset_catalogue
from plugins.host import settings_form
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed
from plugins.registry import BrokenTracker, Registry, UnknownTracker
from plugins.trackers.url_template import preset_files, presets

WITH_PRESETS: Final = "url_template"


class Ready(NamedTuple):
    """An adapter with settings it has accepted."""

    adapter: Adapter
    settings: dict[str, Any]
    every_event: bool = False


def load_trackers(presets_dir: str) -> Registry:
    """Load all adapters, and the operator's presets if there is a folder of them.

    Raises BadSetting, naming the file that cannot be used.
    """
    try:
        own = preset_files.read_folder(Path(presets_dir), presets.built_in()) if presets_dir else {}
    except ValueError as error:
        raise BadSetting(f"PRESETS_DIR: {error}") from error
    presets.replace_added(own)
    return Registry.load()


def listed() -> list[dict[str, Any]]:
    """Describe every adapter, usable ones first; `broken` is why the others are not."""
    registry = _registry()
    usable = [_described(registry.get(name)) for name in registry.names()]
    broken = [
        {
            "key": tracker.name,
            "title": tracker.name,
            "version": tracker.version,
            "distribution": tracker.distribution,
            "fields": [],
            "events": [],
            "help": "",
            "presets": [],
            "broken": tracker.reason,
        }
        for tracker in registry.broken
    ]
    return usable + broken


def with_presets() -> list[dict[str, Any]]:
    """Describe the presets of `url_template`: trackers whose URLs are written for the customer."""
    return preset_catalogue.listed()


def _described(adapter: Adapter) -> dict[str, Any]:
    return {
        "key": adapter.name,
        "title": settings_form.title_of(adapter.schema, adapter.name),
        "version": adapter.version,
        "distribution": adapter.distribution,
        "fields": settings_form.fields_of(adapter.schema),
        "events": [kind.value for kind in adapter.kinds],
        "help": settings_form.help_of(adapter.schema),
        "presets": preset_catalogue.listed() if adapter.name == WITH_PRESETS else [],
        "broken": "",
    }


def find(name: str, field: str = "tracker") -> Adapter:
    """The adapter of this name. Raises BadParameter for `field`."""
    try:
        return _registry().get(name)
    except UnknownTracker as error:
        raise BadParameter(
            field, translatable("%(why)s; see trackers/list", why=str(error))
        ) from error
    except BrokenTracker as error:
        why = translatable("%(name)s is broken: %(reason)s", name=name, reason=error.reason)
        raise BadParameter(field, why) from error


def find_or_none(name: str) -> Adapter | None:
    """The adapter of this name, or None where it is missing or broken."""
    try:
        return _registry().get(name)
    except (UnknownTracker, BrokenTracker):
        return None


def check(adapter: Adapter, raw: Mapping[str, Any], field: str = "settings") -> dict[str, Any]:
    """Return settings as the adapter stores them, with the URL schemes filled in.

    May wait for a name server: call it without a transaction. Raises
    ValidationError under the name `field`, BadParameter for a failing adapter.
    """
    typed_addresses.check_typed(raw, field)
    try:
        settings = adapter.check_settings(raw)
    except ValidationError as error:
        raise ValidationError({field: error.messages} if field else error.messages_dict) from error
    except AdapterFailed as error:
        raise _failed(adapter, error) from error
    ours = current_settings()
    for name, declared in adapter.schema.fields.items():
        if path := declared.metadata.get("scheme_of"):
            host = _at(settings, str(path))
            settings[name] = scheme_for(host, ours.outbound_allow) if host else HTTPS
    return settings


def _failed(adapter: Adapter, error: AdapterFailed) -> BadParameter:
    why = translatable("%(name)s failed: %(reason)s", name=adapter.name, reason=error.reason)
    return BadParameter("tracker", why)


def _at(settings: Mapping[str, Any], path: str) -> str:
    """Return the text at a dotted path, "" where there is none."""
    value: Any = settings
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def ready(adapter: Adapter, raw: Mapping[str, Any]) -> Ready:
    """Check settings and ask the adapter whether it takes superseded events.

    Raises as `check` does, and ValidationError for an address that would never be called.
    """
    settings = check(adapter, raw)
    typed_addresses.require_public(settings, "settings")
    try:
        return Ready(adapter, settings, adapter.delivery_policy(settings).send_superseded)
    except AdapterFailed as error:
        raise _failed(adapter, error) from error


def _registry() -> Registry:
    registry: Registry = current_app.extensions["trackers"]
    return registry
