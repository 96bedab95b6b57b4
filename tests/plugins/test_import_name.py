"""Both names are one package: what a plugin imports is what Gatepost has loaded."""

import importlib
import sys
from importlib import resources

import pytest

import plugins
from plugins import contract, import_name


@pytest.mark.parametrize("module", ["", ".contract", ".kit.macros", ".payments.contract"])
def test_a_module_is_one_object_under_both_names(module):
    ours = importlib.import_module(f"plugins{module}")
    assert importlib.import_module(f"gatepost_plugins{module}") is ours
    assert ours.__name__ == f"plugins{module}"
    assert ours.__spec__ is not None
    assert ours.__spec__.name == f"plugins{module}", "the import system's own notes stay right"


def test_what_a_plugin_returns_is_of_our_own_classes():
    scope: dict[str, object] = {}
    exec("from gatepost_plugins import Verdict\nimport gatepost_plugins.kit.macros as m", scope)  # noqa: S102
    assert scope["Verdict"] is contract.Verdict
    assert resources.files("gatepost_plugins").joinpath("py.typed").is_file()


def test_a_module_that_is_not_there_is_missed_under_the_name_that_was_asked_for():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        importlib.import_module("gatepost_plugins.no_such_module")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gatepost_pluginsx")


def test_it_is_registered_once_and_before_anything_installed():
    before = list(sys.meta_path)
    import_name.register()
    assert sys.meta_path == before
    assert isinstance(sys.meta_path[0], import_name._BothNames) or "pytest" in repr(before[0])
    assert plugins.Verdict is contract.Verdict
