"""Secrets of settings: written by customers, never read back.

The adapter's schema says which settings are secret. Inside of maps, such as headers and fields
of a body, the name of an entry says it, and in an address the name of a parameter.
"""

import contextlib
import time
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from app.errors import BadParameter, translatable
from app.services.trackers.sample_event import sample_event
from plugins.contract import MASK
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed
from plugins.kit.secrets.harmless import is_header
from plugins.kit.secrets.names import is_secret_name
from plugins.kit.secrets.typed import holds_secret, mask_address

#: Settings whose values are sent in a body as they are typed, macros filled in.
_BODIES: Final = ("payload", "field_map")


def redacted(settings: Mapping[str, Any], secret_fields: Collection[str]) -> dict[str, Any]:
    """The settings as they may be shown: every secret that is set reads `***`."""
    shown = {
        name: _hidden(value) if name in secret_fields else _inside(value)
        for name, value in settings.items()
    }
    if isinstance(headers := settings.get("headers"), Mapping) and "headers" not in secret_fields:
        shown["headers"] = {
            name: value if is_header(name) else _hidden(value) for name, value in headers.items()
        }
    for name in _BODIES:
        if isinstance(fields := settings.get(name), Mapping) and name not in secret_fields:
            shown[name] = _of_body(fields)
    return shown


def merge_secrets(
    edited: Mapping[str, Any], stored: Mapping[str, Any], secret_fields: Collection[str]
) -> dict[str, Any]:
    """Return the edited settings, with the stored secrets where `***` or nothing stands.

    Raises BadParameter for a `***` behind which nothing is stored.
    """
    untouched = {
        name: stored[name] for name in secret_fields if stored.get(name) and name not in edited
    }
    unmasked = _unmask("settings", dict(edited), stored)
    return {**untouched, **unmasked}


def require_same_hosts(adapter: Adapter, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise BadParameter if stored secrets would be sent to a host they were not typed for.

    Otherwise whoever has the API key could read them by a server of their own.
    """
    moved = _origins(adapter, new)
    with contextlib.suppress(BadParameter):  # stored before it was refused: every host is new
        moved -= _origins(adapter, old)
    if moved:
        field = f"settings.{adapter.secret_fields[0]}" if adapter.secret_fields else "settings"
        raise BadParameter(field, translatable("the tracker's address has changed; type it again"))


def _hidden(value: Any) -> Any:
    return MASK if value not in (None, "", [], {}) else value


def _inside(value: Any) -> Any:
    if isinstance(value, list):
        return [_inside(item) for item in value]
    if isinstance(value, str):
        return _without_keys(value)
    if not isinstance(value, dict):
        return value
    return {
        name: _hidden(item) if isinstance(item, str) and is_secret_name(name) else _inside(item)
        for name, item in value.items()
    }


def _of_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a body; a value that may hold a secret is hidden whole."""
    return {
        name: _of_body(value)
        if isinstance(value, Mapping)
        else _hidden(value)
        if holds_secret({name: value})
        else value
        for name, value in fields.items()
    }


def _without_keys(text: str) -> str:
    """An address with its keys masked, or all of it where it cannot be read; other texts as is."""
    if not text.startswith(("http://", "https://")):
        return text
    try:
        return mask_address(text)
    except ValueError:  # not an address we could send to: no telling where its keys are
        return MASK


def _unmask(path: str, edited: Any, stored: Any) -> Any:
    if edited == MASK:
        if stored is None:
            raise BadParameter(
                path, translatable("*** stands for a stored secret, and there is none")
            )
        return stored
    if isinstance(edited, str) and MASK in edited:
        if not isinstance(stored, str) or _without_keys(stored) != edited:
            raise BadParameter(path, translatable("type the secrets again where *** stands"))
        return stored
    if isinstance(edited, dict):
        beside = stored if isinstance(stored, Mapping) else {}
        return {
            name: _unmask(f"{path}.{name}", value, beside.get(name))
            for name, value in edited.items()
        }
    if isinstance(edited, list):
        old = stored if isinstance(stored, list) else []
        old = [*old, *[None] * (len(edited) - len(old))]
        return [_unmask(f"{path}.{index}", value, old[index]) for index, value in enumerate(edited)]
    return edited


def _origins(adapter: Adapter, settings: Mapping[str, Any]) -> set[tuple[str, str]]:
    try:
        requests = [
            request
            for kind in adapter.kinds
            for request in adapter.build(sample_event(kind), settings)
        ]
        probe = adapter.probe(settings, int(time.time()))
    except AdapterFailed as error:
        why = translatable("%(name)s failed: %(reason)s", name=adapter.name, reason=error.reason)
        raise BadParameter("tracker", why) from error
    parts = [urlsplit(request.url) for request in (*requests, *([probe] if probe else []))]
    return {(part.scheme, part.netloc) for part in parts}
