"""A SQLite file that cannot be used is refused in one line that says why."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.config import BadSetting
from app.database.sqlite.file import check_writable, make_folder

NOBODY = 65_534


@contextmanager
def as_nobody() -> Iterator[None]:
    """Do without root's right to write everywhere, if this is root."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that everybody may look into and nobody but its owner may write in."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    path.chmod(0o755)
    shutil.rmtree(path)


def database_in(folder: Path, mode: int) -> Path:
    file = folder / "a.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE one (id)")
    connection.close()
    file.chmod(mode)
    return file


def test_a_file_that_is_there_or_can_be_made_is_taken(tmp_path):
    make_folder(f"{tmp_path}/b/c/a.db")
    for _ in range(2):
        check_writable(f"{tmp_path}/b/c/a.db")


def test_a_file_that_another_process_writes_is_taken(tmp_path):
    writer = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    check_writable(f"{tmp_path}/a.db")
    writer.close()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(BadSetting, match=r"DATABASE_URL: .* is a folder, and must be a file"):
        check_writable(str(tmp_path))


def test_a_file_without_the_right_to_write_is_named(folder):
    file = database_in(folder, 0o444)
    folder.chmod(0o555)
    with as_nobody(), pytest.raises(BadSetting, match=f"{file} cannot be written"):
        check_writable(str(file))


def test_a_folder_without_the_right_to_write_is_named(folder):
    file = database_in(folder, 0o666)
    folder.chmod(0o555)
    with as_nobody(), pytest.raises(BadSetting, match=f"{file} cannot be written"):
        check_writable(str(file))
    with as_nobody(), pytest.raises(BadSetting, match=r"other\.db cannot be written"):
        check_writable(f"{folder}/other.db")


def test_a_folder_that_cannot_be_made_is_named(folder):
    (folder / "file").touch()
    folder.chmod(0o555)
    with pytest.raises(BadSetting, match=r"the folder .*/file cannot be made: \w+"):
        make_folder(f"{folder}/file/a.db")
    with as_nobody(), pytest.raises(BadSetting, match="cannot be made: Permission denied"):
        make_folder(f"{folder}/new/a.db")


def test_a_name_that_is_too_long_is_named(tmp_path):
    with pytest.raises(BadSetting, match="x cannot be written"):
        check_writable(f"{tmp_path}/{'x' * 300}")


def test_what_is_no_database_is_named(tmp_path):
    file = tmp_path / "a.db"
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(BadSetting, match=r"a\.db: file is not a database"):
        check_writable(str(file))
