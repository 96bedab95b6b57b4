"""Web and worker, as the Procfile starts them, end with one line where no start is possible."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import sqlalchemy
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.config import VERSION, BadSetting, Settings
from app.crypto import Cipher
from app.models.base import Base
from app.queues import check_redis
from app.start_checks import check_services, described
from tests.support import ROOT

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
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr[-2000:]
    assert not done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("gatepost: ")
    return line.removeprefix("gatepost: ")


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


def test_encryption_without_verification_is_a_setting(tls_redis):
    url = f"{tls_redis}?ssl_cert_reqs=none"
    check_redis(url)
    client = redis.Redis.from_url(url)
    assert client.ping()
    client.close()


def test_a_password_that_is_refused_is_named(redis_port):
    with pytest.raises(BadSetting, match=r"^REDIS_URL: "):
        check_redis(f"redis://nobody:wrong@127.0.0.1:{redis_port}")


def test_a_redis_that_is_away_is_not_waited_for(complete):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        away = complete | {"REDIS_URL": f"redis://127.0.0.1:{probe.getsockname()[1]}"}
        check_services(Settings.from_environment(away))


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


@pytest.fixture
def redis_port(redis_server) -> Iterator[int]:
    """A port behind which the tests' Redis is, in clear."""
    yield from piped(redis_server.url, None)


@pytest.fixture
def tls_redis(redis_server, tmp_path) -> Iterator[str]:
    """The same behind TLS, as on a platform: with a certificate that has signed itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    for port in piped(redis_server.url, context):
        yield f"rediss://127.0.0.1:{port}"


def piped(url: str, context: ssl.SSLContext | None) -> Iterator[int]:
    """Serve a port that leads to Redis, a thread for each direction."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server, url, context), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def accept(server: socket.socket, url: str, context: ssl.SSLContext | None) -> None:
    """Serve until the port is closed."""
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(line, url, context), daemon=True).start()


def serve(line: socket.socket, url: str, context: ssl.SSLContext | None) -> None:
    """Pass the bytes of both sides on until one of them is done."""
    upstream = redis.Redis.from_url(url).connection_pool.make_connection()
    upstream.connect()
    try:
        end = context.wrap_socket(line, server_side=True) if context else line
    except OSError:
        line.close()
        upstream.disconnect()
        return
    with end:
        back = threading.Thread(target=pass_on, args=(upstream._sock, end))
        back.start()
        pass_on(end, upstream._sock)
        back.join()
    upstream.disconnect()


def pass_on(source: socket.socket, target: socket.socket) -> None:
    """Copy until the source ends, then end the target."""
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            target.sendall(part)
    for one in (source, target):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)


def self_signed(folder: Path) -> Path:
    """A file with a key and its certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "redis.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


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
    local = environ | {"DATABASE_URL": "sqlite:///var/x.db", "REDIS_URL": "unix:///run/r.sock"}
    local["PUBLIC_URL"] = "https://g.example"
    line = described(Settings.from_environment(local))
    assert line["database"] == f"sqlite {ROOT / 'var/x.db'}"
    assert line["redis"] == "/run/r.sock"
    assert line["address"] == "https://g.example"
