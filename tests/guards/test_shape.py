"""The shape of the code stays within these limits; `make shape` prints the numbers."""

from tests.guards import shape

MODULE_LINES = 300
FUNCTION_LINES = 40
FILES = 12
#: Folders with one file for each table, endpoint group or vendor.
WIDE_FOLDERS = {"app/models", "app/schemas", "app/blueprints", "app/sandbox/vendors"}
#: Modules without a test module of their own, each with its reason.
WITHOUT_TEST = {
    "app/extensions.py": "four objects without code; each test of `app` uses them",
    "app/sandbox/telegram/bot/shop.py": "plain values, which tests of the payment methods fill",
    "plugins/setup.py": "tests/journeys/test_stranger.py builds and installs what it makes",
    "plugins/registry.py": "names of plugins/host/registry.py at the path that is documented",
}
#: Foreign code, an update that brings out a bug of ours, and the end of a child process.
BROAD_EXCEPTS = 3

#: Attributes that the methods of a class set on `self`.
ATTRIBUTES = 9


def test_no_class_has_more_attributes_than_its_limit():
    assert not [one for one in shape.attributes_per_class() if one.lines > ATTRIBUTES]


def test_no_module_is_longer_than_its_limit():
    assert not [one for one in shape.module_sizes() if one.lines > MODULE_LINES]


def test_no_function_is_longer_than_its_limit():
    assert not [one for one in shape.function_sizes() if one.lines > FUNCTION_LINES]


def test_no_folder_holds_more_than_a_dozen_modules():
    wide = {folder for folder, count in shape.files_per_folder().items() if count > FILES}
    assert wide <= WIDE_FOLDERS


def test_modules_do_not_import_in_a_circle():
    assert shape.circles() == []


def test_every_module_has_a_test_module_at_the_mirrored_path():
    missing = [path for path in shape.without_test() if path not in WITHOUT_TEST]
    assert not missing, f"write {[shape.mirror_of(path) for path in missing]}"


def test_an_exception_goes_with_its_reason():
    assert set(WITHOUT_TEST) <= set(shape.without_test())


def test_broad_excepts_do_not_spread():
    assert len(shape.broad_excepts()) <= BROAD_EXCEPTS, shape.broad_excepts()
