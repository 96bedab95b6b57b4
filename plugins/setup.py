"""Builds the distribution gatepost-plugins of this folder: the package under its longer name.

It is what a tracker's author installs to test a plugin: `pip install path/to/gatepost/plugins`.
"""

import atexit
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
NAME = "gatepost_plugins"
#: Where a module imports its own package, or names one of its modules in a text.
OWN_NAME = re.compile(r"""(?m)(^\s*(?:from|import) |["'])plugins(?=\.[a-z]| import)""")


class BuildRenamed(build_py):
    """Copies the modules, and gives the package its longer name wherever it names itself."""

    def build_module(self, module: Any, module_file: Any, package: Any) -> Any:
        """Copy one module and rename what it imports."""
        result = super().build_module(module, module_file, package)
        target = Path(self.get_module_outfile(self.build_lib, package.split("."), module))
        target.write_text(OWN_NAME.sub(rf"\g<1>{NAME}", target.read_text("utf-8")), "utf-8")
        return result

    def find_package_modules(self, package: Any, package_dir: Any) -> Any:
        """Leave this file out."""
        modules = super().find_package_modules(package, package_dir)
        return [module for module in modules if Path(module[2]).name != "setup.py"]


def packages() -> list[str]:
    """Every folder with modules, by its dotted name."""
    folders = sorted({path.parent.relative_to(HERE) for path in HERE.rglob("__init__.py")})
    return [".".join((NAME, *folder.parts)) for folder in folders if "build" not in folder.parts]


#: Nothing stays behind in the folder: a later build would pack a module that is gone from there,
#: and an installation would find each module twice.
ELSEWHERE = tempfile.mkdtemp()
atexit.register(shutil.rmtree, ELSEWHERE, ignore_errors=True)

setup(
    packages=packages(),
    package_dir={NAME: "."},
    cmdclass={"build_py": BuildRenamed},
    options={"build": {"build_base": ELSEWHERE}, "egg_info": {"egg_base": ELSEWHERE}},
)
