"""Ground: where the requests of a destination go, and that stored secrets stay there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from app.errors import BadParameter, translatable
from app.services.trackers.sample_event import sample_event
from plugins.contract import EventKind
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed


def forbid_moving(adapter: Adapter, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raise BadParameter if kept secrets would be sent to a host they were not typed for.

    Or whoever has the API key could read them: by a server of his own.
    """
    moved = _origins(adapter, new) - _origins(adapter, old)
    if moved:
        field = f"settings.{adapter.secret_fields[0]}" if adapter.secret_fields else "settings"
        raise BadParameter(field, translatable("the tracker's address has changed; type it again"))


def _origins(adapter: Adapter, settings: Mapping[str, Any]) -> set[tuple[str, str]]:
    try:
        requests = [
            request for kind in EventKind for request in adapter.build(sample_event(kind), settings)
        ]
        probe = adapter.probe(settings)
    except AdapterFailed as error:
        why = translatable("%(name)s failed: %(reason)s", name=adapter.name, reason=error.reason)
        raise BadParameter("tracker", why) from error
    parts = [urlsplit(request.url) for request in (*requests, *([probe] if probe else []))]
    return {(part.scheme, part.netloc) for part in parts}
