"""Loads the payment gateway that the operator named, with its settings."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

import marshmallow
import pluggy

from plugins.contract import PROJECT
from plugins.payments import contract
from plugins.payments.contract import GATEWAYS_GROUP, PAIRS, REQUIRED

#: Modules beside this one.
BUILT_INS: Final = {"signed_gateway": "signed", "telegram_stars": "telegram_stars"}


class NotAGateway(Exception):
    """It is not installed, does not load, or refuses its settings; the text says which."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One gateway with its settings. `hook` calls its functions by keyword.

    `hooks` names those it has: `price_invoice`, `read_notice`, `build_check`
    and `build_refund` may be missing.
    """

    name: str
    hook: Any
    settings: Mapping[str, Any]
    hooks: frozenset[str] = frozenset()


def load(
    name: str, settings: Mapping[str, Any], environment: Mapping[str, Any] | None = None
) -> Gateway:
    """The gateway of that name. Raises NotAGateway."""
    return make_gateway(name, _plugin(name), settings, environment)


def make_gateway(
    name: str,
    plugin: object,
    settings: Mapping[str, Any],
    environment: Mapping[str, Any] | None = None,
) -> Gateway:
    """A Gateway for one plugin, which is a module or an object with hooks.

    Those values of `environment` that its schema asks for are added to `settings`.
    Raises NotAGateway.
    """
    manager = pluggy.PluginManager(f"{PROJECT}_gateway")
    manager.add_hookspecs(contract)
    try:
        manager.register(plugin, name=name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise NotAGateway(str(error)) from error
    hooks = frozenset(caller.name for caller in manager.get_hookcallers(plugin) or [])
    if missing := _missing(hooks):
        raise NotAGateway(f"{name} lacks {', '.join(missing)}")
    schema = manager.hook.gateway_schema()
    asked = {name: text for name, text in (environment or {}).items() if name in schema.fields}
    try:
        checked = schema.load({**settings, **asked})
    except marshmallow.ValidationError as error:
        raise NotAGateway(f"{name}: {error.messages}") from error
    return Gateway(name, manager.hook, checked, hooks)


def _missing(hooks: frozenset[str]) -> list[str]:
    """The hooks that lack: required ones, and the other half of a pair."""
    required = {hook.__name__ for hook in REQUIRED}
    for pair in PAIRS:
        names = {hook.__name__ for hook in pair}
        required |= names if names & hooks else set()
    return sorted(required - hooks)


def _plugin(name: str) -> object:
    if name in BUILT_INS:
        return importlib.import_module(f"plugins.payments.{BUILT_INS[name]}")
    for point in metadata.entry_points(group=GATEWAYS_GROUP, name=name):
        try:
            return point.load()
        except (ImportError, AttributeError) as error:
            raise NotAGateway(f"{name} does not load: {error!r}") from error
    installed = ", ".join((*BUILT_INS, *sorted(metadata.entry_points(group=GATEWAYS_GROUP).names)))
    raise NotAGateway(f"there is no gateway {name!r}; installed are {installed}")
