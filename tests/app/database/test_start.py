"""A start against a database that cannot be used ends with one line; a late one is waited for."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.config import BadSetting
from app.database import start as start_module
from app.database.start import check_at_start
from app.service_urls import database_url
from tests.support.waiting import free_port

WORKER, WEB = ["worker.py"], ["-c", "import wsgi"]
UPGRADE = ["-m", "flask", "--app", "wsgi", "db", "upgrade"]


def environment_of(url: str, redis_server) -> dict[str, str]:
    ours = {"REDIS_URL": redis_server.url, "SECRET_KEY": "k" * 64, "DATABASE_URL": url}
    return {**os.environ, **ours}


def start(command: list[str], url: str, redis_server) -> str:
    """What a process that cannot start prints; it ends with a status that is not 0."""
    process = subprocess.run(
        [sys.executable, *command],
        env=environment_of(url, redis_server),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert process.returncode > 0
    assert "Traceback" not in process.stderr
    (line,) = process.stderr.splitlines()
    return line


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_of_another_encoding_is_refused_by_name(
    postgresql_server, redis_server, encoding
):
    name = f"in_{encoding.lower()}"
    with psycopg.connect(postgresql_server.get_uri(), autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
    engine = create_engine(database_url(postgresql_server.get_uri(database=name)))
    with pytest.raises(SQLAlchemyError, match=f"encoding is {encoding}, and must be UTF8"):
        engine.connect()
    engine.dispose()
    for command in (WORKER, WEB):
        line = start(command, postgresql_server.get_uri(database=name), redis_server)
        assert line.startswith(f"gatepost: DATABASE_URL: its encoding is {encoding}")


@pytest.mark.parametrize("command", [WORKER, WEB, UPGRADE], ids=["worker", "web", "upgrade"])
def test_a_closed_port_is_one_line(redis_server, command):
    url = f"postgresql://nobody:s3cret@127.0.0.1:{free_port()}/nothing"
    line = start(command, url, redis_server)
    assert line.startswith("gatepost: DATABASE_URL: ")
    assert "refused" in line
    assert "s3cret" not in line


def test_a_certificate_that_is_not_there_is_one_line(redis_server):
    url = "postgresql://nobody@127.0.0.1:1/x?sslmode=verify-full&sslrootcert=/nowhere/ca.pem"
    line = start(WORKER, url, redis_server)
    assert line == "gatepost: DATABASE_URL: sslrootcert names /nowhere/ca.pem, which cannot be read"


@pytest.mark.parametrize(
    ("options", "word"),
    [("dbname=no_such_database", "no_such_database"), ("user=no_one", "no_one")],
)
def test_a_wrong_name_is_said_at_once(postgresql_server, options, word):
    with pytest.raises(BadSetting, match=f"DATABASE_URL: .*{word}"):
        check_at_start(database_url(with_options_of(postgresql_server, options)))


def with_options_of(server, options: str) -> str:
    uri = server.get_uri()
    return f"{uri}{'&' if '?' in uri else '?'}{options}"


@contextmanager
def answering(words: str, *, after: float) -> Iterator[int]:
    """A port that is closed for `after` seconds; then a server that refuses in these words."""
    port, stop = free_port(), threading.Event()
    fields = b"SFATAL\0C57P03\0M" + words.encode() + b"\0\0"
    refusal = b"E" + struct.pack("!i", len(fields) + 4) + fields

    def serve() -> None:
        stop.wait(after)
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(0.2)
            while not stop.is_set():
                try:
                    line, _ = server.accept()
                except TimeoutError:
                    continue
                with line:
                    length, code = struct.unpack("!ii", line.recv(8))
                    if code == 80877103:  # asks for TLS
                        line.sendall(b"N")
                        length, _ = struct.unpack("!ii", line.recv(8))
                    line.recv(length - 8)
                    line.sendall(refusal)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield port
    finally:
        stop.set()
        thread.join()


class SlowClock:
    """Time that passes only while somebody sleeps or tries to connect."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_last_attempt_begins_before_the_time_is_up(monkeypatch):
    clock = SlowClock()

    def nobody_answers(options, *, needs_tables):
        clock.sleep(options["connect_timeout"])
        return start_module._StartFault("timeout expired", may_pass=True)

    monkeypatch.setattr(start_module, "time", clock)
    monkeypatch.setattr(start_module, "_start_fault", nobody_answers)
    with pytest.raises(BadSetting, match="DATABASE_URL: timeout expired"):
        check_at_start("postgresql+psycopg://nobody@203.0.113.1/x")
    assert clock.now - 100 <= start_module.START_SECONDS + 2


@pytest.mark.parametrize("after", [0.0, 1.0])
def test_a_database_that_is_starting_too_is_waited_for(after):
    with answering("the database system is starting up", after=after) as port:
        check_at_start(f"postgresql+psycopg://nobody@127.0.0.1:{port}/x?gssencmode=disable", 30)


@pytest.mark.parametrize(
    "words",
    [
        "no more connections allowed (max_client_conn)",
        "pgbouncer cannot connect to server",
        "server login has been failing, try again later (server_login_retry)",
        "server login has been failing, cached error: connect failed (server_login_retry)",
        "client_login_timeout (server down)",
        "query_wait_timeout",
    ],
)
def test_a_pooler_that_is_full_or_has_no_server_yet_lets_the_processes_start(words):
    with answering(words, after=0) as port:
        check_at_start(f"postgresql+psycopg://nobody@127.0.0.1:{port}/x?gssencmode=disable", 30)


@pytest.mark.parametrize(
    "words",
    [
        "no such database: x",
        "server login has been failing, cached error: password authentication failed",
    ],
)
def test_what_a_pooler_will_say_again_ends_the_start(words):
    url = "postgresql+psycopg://nobody@127.0.0.1:{}/x?gssencmode=disable"
    with answering(words, after=0) as port, pytest.raises(BadSetting, match=words):
        check_at_start(url.format(port), 30)


def test_sqlite_needs_no_server(tmp_path):
    check_at_start(f"sqlite:///{tmp_path}/a.db", 0)


@pytest.mark.parametrize(
    ("command", "place"), [(WORKER, "/proc"), (WEB, "/proc/a/b.db"), (UPGRADE, "/proc/a.db")]
)
def test_a_file_that_cannot_be_made_ends_each_process_with_one_line(redis_server, command, place):
    line = start(command, f"sqlite:///{place}", redis_server)
    assert line.startswith("gatepost: DATABASE_URL: ")
    assert place.removesuffix("/b.db") in line


def test_web_and_worker_leave_no_file_behind_where_there_was_none(tmp_path):
    with pytest.raises(BadSetting, match="no tables of Gatepost"):
        check_at_start(f"sqlite:///{tmp_path}/a.db", needs_tables=True)
    assert not list(tmp_path.iterdir())


#: Options of a session in which nothing of ours would work, and what is said of them.
SESSIONS = {
    "-csearch_path=nosuch": "search_path is nosuch, and there is no such schema",
    "-c search_path=nosuch,neither": "there is no such schema",
    "-cdefault_transaction_read_only=on": "default_transaction_read_only is on",
    "-cstatement_timeout=1": "statement_timeout is shorter than 5 s",
    "-cstatement_timeout=4s": "statement_timeout is shorter than 5 s",
    "--lock-timeout=10": "lock_timeout is shorter than 5 s",
    "-cidle_in_transaction_session_timeout=4000": "idle_in_transaction_session_timeout is shorter",
    "-cdefault_transaction_isolation=serializable": "must be read committed",
    "-csession_replication_role=replica": "session_replication_role is replica",
    "-csynchronous_commit=off": "synchronous_commit is off, so that a crash loses",
    "-cno_such_setting=1": "no_such_setting",
}


@pytest.mark.parametrize(("options", "words"), SESSIONS.items())
def test_a_session_that_could_not_work_is_refused_at_once(postgresql_server, options, words):
    url = database_url(with_options_of(postgresql_server, f"options={quote(options)}"))
    with pytest.raises(BadSetting, match=f"DATABASE_URL: .*{words}"):
        check_at_start(url)


@pytest.mark.parametrize(
    "options",
    [
        "-cstatement_timeout=60000",
        "-cstatement_timeout=0 -cjit=off",
        "-csearch_path=public",
        "-csynchronous_commit=local",
    ],
)
def test_options_that_do_no_harm_are_taken(postgresql_server, options):
    check_at_start(database_url(with_options_of(postgresql_server, f"options={quote(options)}")))


def test_a_role_whose_sessions_could_not_work_is_refused_as_well(postgresql_server):
    with psycopg.connect(postgresql_server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE ROLE hasty LOGIN SUPERUSER PASSWORD 'hasty'")
        try:
            connection.execute("ALTER ROLE hasty SET statement_timeout = 20")
            url = database_url(with_options_of(postgresql_server, "user=hasty&password=hasty"))
            with pytest.raises(BadSetting, match="statement_timeout is shorter than 5 s"):
                check_at_start(url)
        finally:
            connection.execute("DROP ROLE hasty")


def test_a_database_that_its_platform_has_set_read_only_is_left_to_the_processes(postgresql_server):
    name = "set_read_only"
    with psycopg.connect(postgresql_server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    check_at_start(database_url(postgresql_server.get_uri(database=name)))


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("-csearch_path=nosuch", WORKER),
        ("-cdefault_transaction_read_only=on", WEB),
        ("-cstatement_timeout=1", WORKER),
        ("-csearch_path=nosuch", UPGRADE),
    ],
)
def test_a_session_that_could_not_work_ends_each_process_with_one_line(
    postgresql_server, redis_server, options, command
):
    url = with_options_of(postgresql_server, f"options={options}")
    line = start(command, url, redis_server)
    assert line.startswith("gatepost: DATABASE_URL: ")
    assert options.removeprefix("-c").partition("=")[0] in line


def empty_database(kind: str, server, folder) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder}/empty.db"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE without_tables TEMPLATE template0 ENCODING 'UTF8'")
    return str(server.get_uri(database="without_tables"))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_without_our_tables_web_and_worker_name_the_release_command_which_makes_them(
    postgresql_server, redis_server, tmp_path, kind
):
    url = empty_database(kind, postgresql_server, tmp_path)
    for command in (WORKER, WEB):
        line = start(command, url, redis_server)
        assert line.startswith("gatepost: DATABASE_URL: ")
        assert line.endswith(
            "no tables of Gatepost; run the release command: flask --app wsgi db upgrade"
        )
    environment = environment_of(url, redis_server)
    subprocess.run([sys.executable, *UPGRADE], env=environment, check=True, capture_output=True)
    check_at_start(database_url(url), needs_tables=True)
    change_version(url, "0001")
    with pytest.raises(BadSetting, match=r"the database is at 0001, .* db upgrade"):
        check_at_start(database_url(url), needs_tables=True)
    change_version(url, "9999")  # a newer release has been here, whose tables may do
    check_at_start(database_url(url), needs_tables=True)


def change_version(url: str, number: str) -> None:
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :n"), {"n": number})
    engine.dispose()


def test_a_file_that_is_no_database_is_named(tmp_path):
    file = tmp_path / "a.db"
    file.write_bytes(b"no database" * 1000)
    with pytest.raises(BadSetting, match="file is not a database"):
        check_at_start(database_url(f"sqlite:///{file}"), needs_tables=True)
