"""Which trackers this installation can speak to: built-ins, then installed plugins.

Each is loaded in its own `try`: one that fails is remembered with its reason,
its postbacks wait, and everything else runs. Built-ins come first and a name
is given once, so that no package can take the place of another.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Final

import pluggy

from plugins import hookspecs
from plugins.contract import ENTRY_POINT_GROUP, PROJECT, translatable
from plugins.host.adapter import LIMIT_SECONDS, Adapter
from plugins.host.foreign_code import ForeignCodeFailed, call, describe_error
from plugins.host.validation import AdapterFailed, one_line

__all__ = [
    "Adapter",
    "AdapterFailed",
    "Broken",
    "BrokenTracker",
    "Registry",
    "UnknownTracker",
    "make_adapter",
]

#: The module of each built-in below `plugins.trackers`, in the order in which people see them.
BUILT_INS: Final[Mapping[str, str]] = {
    "url_template": "url_template.adapter",
    "altercpa_lite": "altercpa_lite",
    "adtarget_capi": "adtarget.adapter",
    "altcraft": "altcraft.adapter",
    "meta_capi": "meta_capi",
    "tiktok_events": "tiktok_events",
    "yandex_metrica": "yandex_metrica",
    "webhook": "signed_webhook",
}

#: An import does more than a hook and happens once.
IMPORT_SECONDS: Final = 20.0

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HOOKS: Final = tuple(
    name for name, spec in vars(hookspecs).items() if hasattr(spec, "gatepost_spec")
)


class UnknownTracker(Exception):
    """No adapter of this name is installed."""


class BrokenTracker(Exception):
    """The adapter is installed but does not load; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that is not used, and why. `distribution` is the package it came in."""

    name: str
    distribution: str
    version: str
    reason: str


class Registry:
    """All adapters by name. `broken` lists what could not be used."""

    def __init__(self, adapters: Mapping[str, Adapter], broken: tuple[Broken, ...] = ()) -> None:
        self._adapters = dict(adapters)
        self.broken = broken

    @classmethod
    def load(cls, entry_points: Iterable[metadata.EntryPoint] | None = None) -> Registry:
        """Load the built-ins and all installed plugins. Never raises for a plugin's fault."""
        if entry_points is None:
            entry_points = metadata.entry_points(group=ENTRY_POINT_GROUP)
        loading = _Loading()
        for name, module in BUILT_INS.items():
            loading.add(
                name,
                functools.partial(importlib.import_module, f"plugins.trackers.{module}"),
                PROJECT,
            )
        for point in sorted(entry_points, key=lambda point: (point.name, point.value)):
            package = point.dist
            loading.add(
                point.name, point.load, *((package.name, package.version) if package else ())
            )
        return cls(loading.adapters, tuple(loading.broken))

    def get(self, name: str) -> Adapter:
        """The adapter of this name. Raises UnknownTracker or BrokenTracker."""
        adapter = self._adapters.get(name)
        if adapter is not None:
            return adapter
        for broken in self.broken:
            if broken.name == name:
                raise BrokenTracker(broken.reason)
        raise UnknownTracker(
            translatable("there is no tracker %(name)s", name=repr(one_line(name)))
        )

    def names(self) -> tuple[str, ...]:
        """The names of all usable adapters, built-ins first."""
        return tuple(self._adapters)


class _Loading:
    """Loads plugins one by one: those that can be used become adapters, the rest is broken."""

    def __init__(self) -> None:
        self.adapters: dict[str, Adapter] = {}
        self.broken: list[Broken] = []

    def add(
        self, name: str, load: Callable[[], object], distribution: str = "", version: str = ""
    ) -> None:
        """Load one plugin. Its own faults are noted in `broken`, and none is raised."""
        taken = self.adapters.get(name)
        if taken is not None:
            by = f"the name is taken by {taken.distribution or 'another package'}"
            self.broken.append(Broken(name, distribution, version, f"{by}; this one is not used"))
            return

        def adapter() -> Adapter:
            return make_adapter(name, load(), distribution=distribution, version=version)

        try:
            self.adapters[name] = call(IMPORT_SECONDS, adapter)
        except ForeignCodeFailed as failed:
            error = failed.error
            reason = error.reason if isinstance(error, AdapterFailed) else describe_error(error)
            self.broken.append(Broken(name, distribution, version, one_line(reason)))


def make_adapter(
    name: str,
    plugin: object,
    *,
    distribution: str = "",
    version: str = "",
    seconds: float = LIMIT_SECONDS,
) -> Adapter:
    """Put one plugin (a module or an object with hooks) behind the Adapter face.

    Raises AdapterFailed, naming what is wrong. Each adapter has a plugin
    manager of its own: pluggy's subset callers leaked before 1.7.
    """
    if not _NAME.fullmatch(name):
        raise AdapterFailed("a tracker's name is lower-case letters, digits and _, at most 64")
    if inspect.isclass(plugin):
        raise AdapterFailed("the entry point names a class; name a module or an instance")
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        manager.register(plugin, name=name)
    except pluggy.PluginValidationError as error:
        raise AdapterFailed(one_line(str(error))) from error
    _check_hooks(manager, plugin)
    return Adapter(name, manager, distribution=distribution, version=version, seconds=seconds)


def _check_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    callers = manager.get_hookcallers(plugin) or []
    for caller in callers:
        if not caller.has_spec():
            near = difflib.get_close_matches(caller.name, _HOOKS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise AdapterFailed(f"there is no hook {caller.name}{hint}")
    present = {caller.name for caller in callers}
    missing = [hook for hook in hookspecs.REQUIRED if hook not in present]
    if missing:
        raise AdapterFailed(f"lacks {', '.join(missing)}; is each marked with @hookimpl?")
    if len({"build_probe", "classify_probe"} & present) == 1:
        raise AdapterFailed("build_probe and classify_probe only work together")
