"""The name `gatepost_plugins`, by which a tracker's author imports this package wherever it runs.

Other programs have packages called `plugins` too. In an installation of Gatepost this one has both
names, and each module is one object under either. For authors it is built and installed under the
longer name alone, by `pip install ./plugins`; there is then nothing to be done here.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

NAME: Final = "gatepost_plugins"
_OURS: Final = __name__.partition(".")[0]


class _BothNames(MetaPathFinder, Loader):
    """Imports `gatepost_plugins.x` as the module that is our `x` already."""

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for the names that are ours."""
        if fullname.partition(".")[0] != NAME:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import our module; its own spec is kept, for the import system sets another."""
        module = importlib.import_module(_OURS + spec.name.removeprefix(NAME))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back; it has run when it was imported."""
        spec = module.__spec__
        if spec is not None and spec.loader is self:
            module.__spec__ = spec.loader_state


def register() -> None:
    """Let both names be imported. An installed distribution of the longer one stands back."""
    if _OURS != NAME and not any(isinstance(finder, _BothNames) for finder in sys.meta_path):
        sys.meta_path.insert(0, _BothNames())
