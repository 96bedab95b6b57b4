"""The Procfile's processes as a dyno manager would run them, each of them killable."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import redis
import requests
import sqlalchemy

from app.config import Settings
from app.local.redis_server import EmbeddedRedis
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat
from app.sandbox.telegram.server import BotApiDouble
from tests.support import ROOT
from tests.support.waiting import PATIENCE, eventually, free_port

STATUSES: Final = ("wait", "hold", "approve", "cancel", "trash")
STOP_SECONDS: Final = 10.0  # what contract.md promises


@dataclass(frozen=True, slots=True)
class Door:
    """A connected bot with one campaign: where its updates go, and what they say."""

    token: str
    bot: int
    path: str
    secret: str
    campaign: int
    code: str
    chat: Chat


class System:
    """Web, worker and Redis on a database of their own. `start` them, and kill them."""

    def __init__(
        self,
        folder: Path,
        environ: dict[str, str],
        double: BotApiDouble,
        *,
        worker: str = "",
        root: Path = ROOT,
    ) -> None:
        self.folder = folder
        #: The tree whose lines are started; another one is another version.
        self.root = root
        self.redis = EmbeddedRedis(folder)
        self.port = free_port()
        ours = {name.upper() for name in Settings.__slots__}
        kept = {name: text for name, text in os.environ.items() if name not in ours}
        self.environ = kept | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "REDIS_URL": self.redis.url,
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "GRANIAN_HOST": "127.0.0.1",
            "OUTBOUND_ALLOW": "127.0.0.0/8",
            "LOG_FORMAT": "json",
            **environ,
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._double = double
        self._lines = {"worker": worker} if worker else {}
        self._engine = sqlalchemy.create_engine(
            Settings.from_environment(self.environ).database_url, poolclass=sqlalchemy.NullPool
        )

    @property
    def url(self) -> str:
        """Where the web process answers."""
        return f"http://127.0.0.1:{self.port}"

    # -- processes ----------------------------------------------------------

    @contextlib.contextmanager
    def running(self) -> Iterator[System]:
        """Migrate, start everything, and end it all with the block."""
        try:
            self.redis.start()
            self.run(self.line("release"))
            self.start("worker")
            self.start("web")
            eventually(self.is_ready, 60, "readiness")
            yield self
        finally:
            for name in list(self.processes):
                self.kill(name)
            self.redis.stop(kill=True)
            self._engine.dispose()

    def line(self, name: str) -> str:
        """A line of the Procfile, or what a test has in its place."""
        lines = (self.root / "Procfile").read_text().splitlines()
        parts = (line.partition(":") for line in lines)
        return ({key: command.strip() for key, _, command in parts} | self._lines)[name]

    def _environ(self) -> dict[str, str]:
        return self.environ | {"PYTHONPATH": str(self.root)}

    def run(self, command: str) -> str:
        """Run one command to its end; what it printed."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.root, env=self._environ(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def start(self, line: str, name: str = "", **environ: str) -> subprocess.Popen[bytes]:
        """Start one line of the Procfile, in a group of its own."""
        name = name or line
        with (self.folder / f"{name}.log").open("ab") as log:
            process = self.processes[name] = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {self.line(line)}"],
                cwd=self.root,
                env=self._environ() | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return process

    def stop(self, name: str) -> int:
        """End a dyno as a deployment does, by SIGTERM; the status with which it ended."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(STOP_SECONDS + PATIENCE)

    def kill(self, name: str) -> None:
        """Kill a whole dyno, as when its machine is lost."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def children(self, name: str) -> list[psutil.Process]:
        """The living processes below one of ours."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self.processes[name].pid).children()
            return [one for one in found if one.status() != psutil.STATUS_ZOMBIE]
        return []

    def is_ready(self) -> bool:
        """Whether the web process says so."""
        with contextlib.suppress(requests.RequestException):
            return requests.get(f"{self.url}/readyz", timeout=3).status_code == 200
        return False

    def log_text(self) -> str:
        """All that all processes have logged."""
        return "\n".join(log.read_text(errors="replace") for log in self.folder.glob("*.log"))

    def flush_redis(self) -> None:
        """Redis forgets everything, and stays."""
        with redis.Redis.from_url(self.redis.url) as connection:
            connection.flushall()

    # -- the database -------------------------------------------------------

    def rows(self, statement: str, **terms: Any) -> Sequence[Any]:
        """What a query finds."""
        with self._engine.connect() as connection:
            return connection.execute(sqlalchemy.text(statement), terms).all()

    def execute(self, *statements: str) -> None:
        """Change something, behind the application's back."""
        with self._engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def one(self, statement: str, **terms: Any) -> Any:
        """The first column of the first row."""
        return self.rows(statement, **terms)[0][0]

    @contextlib.contextmanager
    def without_database(self, server: Any) -> Iterator[None]:
        """PostgreSQL cuts every connection to our database and takes no new one."""
        name = self._engine.url.database
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            try:
                yield
            finally:
                connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    # -- what a customer does -----------------------------------------------

    def account(self, login: str) -> str:
        """Make an account on the largest plan; its API key."""
        create = f"flask --app wsgi account create --login {login} --name {login} --tariff tiger"
        return str(json.loads(self.run(create))["key"])

    def call(self, key: str, path: str, **body: Any) -> Any:
        """POST to the API; `data` of a good answer. Tries again when it is told to."""
        for _ in range(10):
            answer = requests.post(
                f"{self.url}/api/{path}.json",
                json=body,
                headers={"Authorization": f"Bearer {key}"},
                timeout=120,
            )
            told = answer.json()
            if told.get("error") != "db":  # "the database does not answer; try again"
                break
        assert told["status"] == "ok", (path, told)
        return told.get("data")

    def open_door(self, key: str, token: str, template: str, **campaign: Any) -> Door:
        """Connect a bot that administers one chat, with a campaign in it."""
        number = int(token.partition(":")[0])
        chat = Chat(-1_001_000_000_000 - number, f"Chat {number}")
        self._double.add_bot(token, f"bot{number}_bot")
        bot = self.call(key, "bots/add", token=token)["id"]
        path = self.one("SELECT webhook_path FROM bot WHERE id = :id", id=bot)
        self._double.push(token, people.bot_rights(chat, admin=True))
        known = "SELECT count(*) FROM bot_chat WHERE chat_id = :chat"
        eventually(lambda: self.one(known, chat=chat.id), 20, "the chat")
        urls = {f"pb_{status}": template for status in STATUSES} if template else {}
        made = self.call(key, "camp/add", bot=bot, chat=chat.id, **urls, **campaign)
        secret = self._double.calls(token, "setWebhook")[-1].params["secret_token"]
        return Door(token, bot, path, secret, made["id"], made["code"], chat)
