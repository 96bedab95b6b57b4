"""The environment of `make run`: `.env` is data, and `var/` is its owner's."""

import re
import stat

import pytest

from app.config import Settings
from app.local.environment import complete, make_private, with_dotenv
from tests.support import ROOT

#: A line of the example that is commented out: its name, and what it would be set to.
EXAMPLES = re.findall(r"^# ([A-Z][A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
#: What must be there beside the line that is looked at.
REQUIRED = {"SECRET_KEY": "k" * 32, "REDIS_URL": "redis://localhost"}


@pytest.fixture
def dotenv(tmp_path):
    def write(text: str) -> dict[str, str]:
        (tmp_path / ".env").write_text(text)
        return with_dotenv({}, tmp_path / ".env")

    return write


def test_every_setting_is_in_the_example():
    assert {name.lower() for name, _ in EXAMPLES} == set(Settings.__slots__)


@pytest.mark.parametrize(("name", "value"), EXAMPLES)
def test_every_line_of_the_example_means_what_it_says(dotenv, name, value):
    read = dotenv(f"{name}={value}\n")
    assert read == ({name: value} if value else {})
    Settings.from_environment(REQUIRED | read)


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://u:p$HOME@host/db?sslmode=require&connect_timeout=3",
        "$(touch gotcha)",
        "`touch gotcha`",
        '{"a": "it\'s", "b": [1, 2]}',
        "a;b|c>d",
        "${SECRET_KEY}",
    ],
)
def test_nothing_in_a_value_is_run_or_replaced(dotenv, value):
    assert dotenv(f"SECRET_KEY=other\nX={value}\n")["X"] == value


def test_what_is_set_already_stays(tmp_path):
    (tmp_path / ".env").write_text("PORT=1\nWORKERS=2\n")
    assert with_dotenv({"PORT": "3"}, tmp_path / ".env") == {"PORT": "3", "WORKERS": "2"}


def test_without_a_file_nothing_is_added(tmp_path):
    assert with_dotenv({"PORT": "3"}, tmp_path / ".env") == {"PORT": "3"}


def test_a_key_is_made_once_and_an_empty_variable_is_none(tmp_path):
    first = complete({"DATABASE_URL": ""}, tmp_path)
    assert first["DATABASE_URL"] == f"sqlite:///{tmp_path}/gatepost.db"
    assert complete({}, tmp_path)["SECRET_KEY"] == first["SECRET_KEY"]
    assert complete({"SECRET_KEY": "mine"}, tmp_path)["SECRET_KEY"] == "mine"


def test_a_folder_that_others_could_read_is_closed_to_them(tmp_path):
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "gatepost.db").touch(0o644)
    folder.chmod(0o755)
    make_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "gatepost.db").stat().st_mode) == 0o600
