"""Finding the payment gateway that the operator named, and what it was given."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

import marshmallow
import pluggy

from plugins import payments
from plugins.contract import PROJECT
from plugins.payments import GATEWAYS_GROUP, HOOKS

#: Modules beside this one.
BUILT_INS: Final = ("signed_gateway",)


class NotAGateway(Exception):
    """It is not installed, does not load, or refuses its settings; the text says which."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway with its settings. `hook` calls its functions by keyword."""

    name: str
    hook: Any
    settings: Mapping[str, Any]


def load(name: str, settings: Mapping[str, Any]) -> Gateway:
    """The gateway of that name. Raises NotAGateway."""
    manager = pluggy.PluginManager(f"{PROJECT}_gateway")
    manager.add_hookspecs(payments)
    plugin = _plugin(name)
    try:
        manager.register(plugin, name=name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise NotAGateway(str(error)) from error
    present = {caller.name for caller in manager.get_hookcallers(plugin) or []}
    missing = [hook.__name__ for hook in HOOKS if hook.__name__ not in present]
    if missing:
        raise NotAGateway(f"{name} lacks {', '.join(missing)}")
    try:
        checked = manager.hook.gateway_schema().load(dict(settings))
    except marshmallow.ValidationError as error:
        raise NotAGateway(f"{name}: {error.messages}") from error
    return Gateway(name, manager.hook, checked)


def _plugin(name: str) -> object:
    if name in BUILT_INS:
        return importlib.import_module(f"plugins.{name}")
    for point in metadata.entry_points(group=GATEWAYS_GROUP, name=name):
        try:
            return point.load()
        except Exception as error:  # foreign code may raise anything
            raise NotAGateway(f"{name} does not load: {error!r}") from error
    known = ", ".join((*BUILT_INS, *sorted(metadata.entry_points(group=GATEWAYS_GROUP).names)))
    raise NotAGateway(f"there is no gateway {name!r}; installed are {known}")
