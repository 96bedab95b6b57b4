"""Web and worker, as the Procfile starts them, end with one line where no start is possible."""

import os
import re
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from app.config import VERSION, Settings
from app.crypto import Cipher
from app.models.base import Base
from app.start_checks import described
from tests.support import ROOT
from tests.support.redis_ports import redis_port, tls_context

LINES = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
PROCESSES = pytest.mark.parametrize("name", ["web", "worker"])
OURS = {name.upper() for name in Settings.__slots__}


def start(name: str, environ: dict[str, str]) -> str:
    """The line that a process of the Procfile ends with, of an environment that has no more."""
    others = {key: text for key, text in os.environ.items() if key not in OURS}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {LINES[name]}"],
        cwd=ROOT, env={**others, "PATH": path, **environ},
        capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr[-2000:]
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("gatepost: ")
    return line.removeprefix("gatepost: ")


@pytest.fixture
def tls_redis(redis_server, tmp_path) -> Iterator[str]:
    """The tests' Redis behind TLS, as on a platform: with a certificate that has signed itself."""
    with redis_port(redis_server.url, tls_context(tmp_path)) as port:
        yield f"rediss://127.0.0.1:{port}"


@pytest.fixture
def complete(redis_server, tmp_path) -> dict[str, str]:
    """An environment in which both would start."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/gatepost.db")
    Base.metadata.create_all(engine)
    engine.dispose()
    return {
        "SECRET_KEY": "k" * 32,
        "REDIS_URL": redis_server.url,
        "DATABASE_URL": f"sqlite:///{tmp_path}/gatepost.db",
    }


@PROCESSES
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SECRET_KEY", ""),
        ("REDIS_URL", ""),
        ("PORT", "abc"),
        ("PAYMENT_GATEWAY", "no_such_gateway"),
    ],
)
def test_a_missing_or_wrong_variable_is_named_once(complete, name, variable, value):
    assert variable in start(name, complete | {variable: value})


@PROCESSES
def test_a_certificate_that_signs_itself_is_named_with_its_way_out(complete, tls_redis, name):
    line = start(name, complete | {"REDIS_URL": tls_redis})
    assert line.startswith("REDIS_URL: its certificate is signed by nobody")
    assert "ssl_cert_reqs=none" in line


@pytest.fixture
def away(complete) -> Iterator[dict[str, str]]:
    """The same with a Redis that does not answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield complete | {"REDIS_URL": f"redis://127.0.0.1:{probe.getsockname()[1]}"}


@PROCESSES
def test_a_redis_that_does_not_answer_ends_a_start_as_a_database_does(away, name):
    assert re.match(r"REDIS_URL: does not answer: .*refused", start(name, away))


def test_a_wrong_key_ends_the_release_line_and_an_old_one_beside_it_does_not(complete):
    def flask(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *command.split()],
            cwd=ROOT, env={**os.environ, **complete, **environ},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    database = sqlite3.connect(complete["DATABASE_URL"].removeprefix("sqlite:///"))
    cipher = Cipher()
    cipher.set_key(complete["SECRET_KEY"])
    with database:
        database.execute("PRAGMA foreign_keys = OFF")
        database.execute(
            "INSERT INTO transfer_token (account_id, token, token_hash) VALUES (1, ?, 'x')",
            [cipher.encrypt("token")],
        )
    database.close()
    other = {"SECRET_KEY": "another key than the first"}
    done = flask("db upgrade", **other)
    assert done.returncode == 1
    assert done.stderr.startswith("gatepost: SECRET_KEY is not the one")
    old = {"OLD_SECRET_KEYS": complete["SECRET_KEY"]}
    done = flask("secrets rotate", **other, **old)
    assert "transfer_token.token: 1 sealed anew" in done.stdout, done.stderr


def test_what_can_start_becomes_the_command(complete):
    done = subprocess.run(
        [sys.executable, "-m", "app.start_checks", "sh", "-c", "echo $0 $1 $$", "a", "b c"],
        cwd=ROOT, env={**os.environ, **complete}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert re.fullmatch(r"a b c \d+\n", done.stdout)


def test_a_command_that_is_not_there_is_one_line(complete):
    done = subprocess.run(
        [sys.executable, "-m", "app.start_checks", "no-such-server"],
        cwd=ROOT, env={**os.environ, **complete}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 127
    assert done.stderr == "gatepost: cannot start no-such-server\n"


def test_the_first_line_says_what_runs_where_and_no_secret():
    environ = {
        "DATABASE_URL": "postgres://u:hidden-word@db.example/shop",
        "REDIS_URL": "rediss://:hidden-word@r.example:7000/0",
        "SECRET_KEY": "0123456789abcdef",
    }
    line = described(Settings.from_environment(environ))
    assert line == {
        "version": VERSION,
        "database": "postgresql db.example:5432/shop",
        "redis": "r.example:7000",
        "queues": ["updates", "postbacks", "messages"],
        "address": "none: bots are read by long polling",
    }
    socket = environ | {"DATABASE_URL": "postgresql://u@/shop?host=/run/postgresql"}
    line = described(Settings.from_environment(socket))
    assert line["database"] == "postgresql /run/postgresql:5432/shop"
    local = environ | {"DATABASE_URL": "sqlite:///var/x.db", "REDIS_URL": "unix:///run/r.sock"}
    local["PUBLIC_URL"] = "https://g.example"
    line = described(Settings.from_environment(local))
    assert line["database"] == f"sqlite {ROOT / 'var/x.db'}"
    assert line["redis"] == "/run/r.sock"
    assert line["address"] == "https://g.example"
