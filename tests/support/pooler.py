"""A real pgbouncer in transaction mode, in front of the tests' PostgreSQL."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy.engine import make_url

from tests.support.waiting import eventually, free_port

PGBOUNCER: Final = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
needs_pgbouncer = pytest.mark.skipif(
    not Path(PGBOUNCER).exists(), reason="pgbouncer is not installed: apt-get install pgbouncer"
)


@contextlib.contextmanager
def pooled(database_url: str) -> Iterator[str]:
    """Run pgbouncer without support for prepared statements; the URL that leads through it."""
    server = make_url(database_url)
    host = server.host or str(server.query["host"])
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="gp-pool-", dir="/tmp"))
    folder.chmod(0o755)
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={host} port={server.port or 5432} user={server.username}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\ndefault_pool_size = 4\nmax_client_conn = 500\n"
    )
    command = [PGBOUNCER, "-q", str(folder / "pgbouncer.ini")]
    if os.getuid() == 0:  # it refuses to be root
        command[1:1] = ["-u", Path(host).owner() if host.startswith("/") else "nobody"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _listens(port), 20, "pgbouncer's port")
        url = server.set(host="127.0.0.1", port=port, query={}, password="")
        yield url.render_as_string(hide_password=False)
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
