"""`make run`: the whole system in one terminal, with a Redis of its own."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NoReturn

from app.config import BadSetting, Settings
from app.local.environment import REDIS_URL_FILE, complete, make_private, with_dotenv
from app.local.redis_server import CannotRun, EmbeddedRedis

HOME: Final = Path(__file__).resolve().parents[2]
READY_SECONDS: Final = 240
STOP_SECONDS: Final = 12  # the worker takes 9 at most
NEW_KEY: Final = ".venv/bin/python -m app.local.command account key --login owner"
#: A word by which the command line of a leftover process is known as one of the Procfile's.
_PROGRAMS: Final = ("worker.py", "granian")
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class RunningSystem:
    """Web, worker and Redis of one folder. `key` is the owner's, and "" after the first run."""

    url: str
    key: str = ""
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def entry(self, login: str = "owner") -> str:
        """Return an address that opens the dashboard of an account, once. Raises CannotRun."""
        made = _run_command(f"flask --app wsgi account link --login {login}", self.environ)
        return f"{self.url}{json.loads(made)['path']}"

    def ended_process(self) -> str:
        """Return the name of a process that has ended by itself; "" if there is none."""
        names = (name for name, process in self.processes.items() if process.poll() is not None)
        return next(names, "")


@contextlib.contextmanager
def running(
    environ: Mapping[str, str], folder: Path, *, quiet: bool = True
) -> Iterator[RunningSystem]:
    """Run web, worker and Redis with everything kept in `folder`, until the block ends.

    `environ` is the whole environment; what it lacks of DATABASE_URL,
    REDIS_URL, SECRET_KEY and PORT is provided. `quiet` writes what the
    processes say into `folder`. Raises CannotRun.
    """
    folder = folder.resolve()
    make_private(folder)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_locked(folder))
        full = complete(environ, folder)
        full["PORT"] = str(_checked_port(full))
        if "REDIS_URL" not in full:
            full["REDIS_URL"] = stack.enter_context(EmbeddedRedis(folder)).url
            (folder / REDIS_URL_FILE).write_text(full["REDIS_URL"])
        lines = _procfile()
        _run_command(lines["release"], full)
        url, key = f"http://127.0.0.1:{full['PORT']}", _create_owner(full, folder)
        system = RunningSystem(url, key, environ=full)
        for name in ("web", "worker"):
            stack.enter_context(_process(system, name, lines[name], full, folder, quiet=quiet))
        _wait_until_ready(system, folder)
        yield system


def main() -> int:
    """Run in the terminal until Ctrl-C. Returns the exit status."""
    for number in SIGNALS:
        signal.signal(number, interrupt)
    os.umask(0o077)  # database, logs and keys are their owner's
    try:
        environ = with_dotenv(os.environ, HOME / ".env")
        with running({"PORT": "8000", **environ}, HOME / "var", quiet=False) as system:
            stay(system)
    except CannotRun as error:
        say(f"gatepost: {error}")
        return 1
    except KeyboardInterrupt:
        say("Gatepost has stopped.")
        return 0


def interrupt(*_: object) -> NoReturn:
    """Stop in order, at the first signal. Raises KeyboardInterrupt."""
    for number in SIGNALS:  # once is enough, and the clearing up must not be cut short
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def stay(system: RunningSystem) -> NoReturn:
    """Say how to get in, and wait. Raises CannotRun when a process has ended by itself."""
    say(f"Gatepost runs at {system.url} - Ctrl-C stops it.")
    say(f"The dashboard, logged in already, opens once and within ten minutes: {system.entry()}")
    if system.key:
        say(f'API key of the account "owner", shown only now: {system.key}')
    else:
        say(f"A new API key, if yours is lost: {NEW_KEY}")
    while not (ended := system.ended_process()):
        time.sleep(0.5)
    raise CannotRun(f"the {ended} process has ended; its last lines say why")


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock `folder` for this process, and end the processes that a killed run has left."""
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotRun(f"it already runs here: {folder} is in use") from None
        for leftover in folder.glob("*.pid"):
            _end_leftover(leftover)
        yield


def _end_leftover(file: Path) -> None:
    """End the process group noted in `file`, if it is still the one that was started."""
    number, _, program = file.read_text().partition(" ")
    if number.isdigit() and program and program in _command_of(number):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(int(number), signal.SIGKILL)
    file.unlink(missing_ok=True)


def _command_of(number: str) -> str:
    """Return the command line of a process, "" if there is none."""
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return ""
    ask = ["/bin/ps", "-o", "command=", "-p", number]
    return subprocess.run(ask, capture_output=True, text=True, check=False).stdout  # noqa: S603


def _checked_port(environ: Mapping[str, str]) -> int:
    """Return a port that is free. Raises CannotRun for a wrong setting of any kind."""
    port = environ.get("PORT") or str(free_port())
    # The address stands for the Redis that is not started yet.
    to_check = {"REDIS_URL": "redis://localhost", **environ, "PORT": port}
    try:
        number = Settings.from_environment(to_check).port
    except BadSetting as error:
        raise CannotRun(str(error)) from None
    if not _is_free(number):
        raise CannotRun(f"port {port} is taken; choose another: PORT={number + 1} make run")
    return number


def free_port() -> int:
    """Return a port of loopback that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _procfile() -> dict[str, str]:
    lines = (HOME / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def _run_command(command: str, environ: Mapping[str, str]) -> str:
    """Run one command and return what it printed. Raises CannotRun with its last line."""
    done = subprocess.run(  # noqa: S603 - a line of our own Procfile
        ["/bin/sh", "-c", command],
        cwd=HOME,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise CannotRun(f"`{command}` failed: {lines[-1]}")
    return done.stdout


def _create_owner(environ: Mapping[str, str], folder: Path) -> str:
    """Create the first account and return its API key; nothing if there is one already."""
    mark = folder / "owner"
    if mark.exists():
        return ""
    create = "flask --app wsgi account create --login owner --name Owner"
    made = json.loads(_run_command(f"{create} --tariff tiger --until 2099-12-31", environ))
    mark.write_text(f"account {made['id']}\n")
    return str(made["key"])


@contextlib.contextmanager
def _process(
    system: RunningSystem,
    name: str,
    command: str,
    environ: Mapping[str, str],
    folder: Path,
    *,
    quiet: bool,
) -> Iterator[None]:
    """Run a command of the Procfile while the block lasts, in a process group without Ctrl-C."""
    with contextlib.ExitStack() as stack:
        out: IO[bytes] | None = None
        if quiet:
            out = stack.enter_context((folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", f"exec {command}"],
            cwd=HOME,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        pid_file = folder / f"{name}.pid"
        pid_file.write_text(f"{process.pid} {_program(command)}")
        system.processes[name] = process
        try:
            yield
        finally:
            _end(process)
            pid_file.unlink(missing_ok=True)


def _program(command: str) -> str:
    return next((name for name in _PROGRAMS if name in command), command.split(maxsplit=1)[0])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # children that it left behind


def _wait_until_ready(system: RunningSystem, folder: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        if ended := system.ended_process():
            raise CannotRun(f"the {ended} process ended at once; see {folder / ended}.log")
        with (
            contextlib.suppress(OSError),  # URLError and HTTPError are OSErrors
            opener.open(f"{system.url}/readyz", timeout=3) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise CannotRun(f"{system.url}/readyz was not ready within {READY_SECONDS} s")


if __name__ == "__main__":
    sys.exit(main())
