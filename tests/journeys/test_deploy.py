"""This version follows the last release, and the release follows it, while people come and go.

Both ways old and new processes work side by side on one database and one Redis, as
docs/deploying.md tells an operator to do it. What the tracker heard is held against
what was sent.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest
import requests
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade

from app import create_app
from app.config import Settings
from app.extensions import db
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat
from tests.journeys.comparison import (
    RECLAIMS,
    compare_leads,
    compare_postbacks,
    compare_updates,
    settle,
)
from tests.journeys.crowd import Member, Sender, crowd
from tests.journeys.system import STATUSES, Door, System
from tests.support import ROOT
from tests.support.releases import LAST, HistoryMissing, unpack
from tests.support.waiting import eventually, free_port

PATIENCE = 60.0
QUERY = "status={status}&who={subscriber}&eid={event_id}"
NOW = int(time.time())
#: Without a range the answer changes with each quarter of an hour.
RANGE = f"from={NOW - 7 * 86_400}&to={NOW + 7 * 86_400}"
#: What an account reads; fields may be added to an answer, and none may go or change.
READ = (
    "profile/info", "bots/list", "camp/list", "sources/list", "requests/list", "leads/list",
    "journal/list?bot={bot}&chat={chat}", "dest/list", "postbacks/list",
    f"stats/summary?{RANGE}", f"stats/daily?{RANGE}",
)  # fmt: skip
NOTES = "CREATE TABLE reclaim (postback_id bigint)"
#: Writes down which version did what, by the name that its connections have.
WORK = """
    CREATE TABLE work (part text, version text);
    CREATE FUNCTION note_work() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO work VALUES (TG_ARGV[0], current_setting('application_name')); RETURN NULL;
    END $$;
    CREATE TRIGGER stored AFTER INSERT ON telegram_update
        FOR EACH ROW EXECUTE FUNCTION note_work('stored');
    CREATE TRIGGER decided AFTER INSERT ON postback
        FOR EACH ROW EXECUTE FUNCTION note_work('decided');
    CREATE TRIGGER delivered AFTER UPDATE ON postback
        FOR EACH ROW WHEN (OLD.state = 1 AND NEW.state = 2) EXECUTE FUNCTION note_work('delivered')
"""
PARTS = {"stored", "decided", "delivered"}


@pytest.fixture(scope="module")
def released(tmp_path_factory: Any) -> Path:
    """The files of the last release."""
    try:
        return unpack(LAST, tmp_path_factory.mktemp("released"))
    except HistoryMissing:
        pytest.skip(f"no Git history back to {LAST.version} here: upgrades from it are not tested")


class Load:
    """People who come and go, some at a time, until it is stopped."""

    STREAMS = 3
    PAUSE = 0.1  # seconds between two updates of a stream

    def __init__(self, doors: list[Door], ports: list[int]) -> None:
        self.senders: list[Sender] = []
        self.members: list[Member] = []
        self._doors, self._ports = doors, ports
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._stream) for _ in range(self.STREAMS)]
        for thread in self._threads:
            thread.start()

    def _stream(self) -> None:
        while not self._over.is_set():
            members = crowd(self._doors, 6)
            sender = Sender(self._ports, members, threads=2)
            self.members += members
            self.senders.append(sender)
            for _ in range(sender.total):
                sender.release(1)
                time.sleep(self.PAUSE)
            sender.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let those who came go on to their end."""
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)


def run_beside(system: System, ports: list[int], root: Path, version: str) -> None:
    """Start the processes of another version beside those that run."""
    system.root, system.port = root, free_port()
    system.environ |= {"PORT": str(system.port), "PGAPPNAME": version}
    system.start("web", f"web of {version}")
    system.start("worker", f"worker of {version}")
    eventually(system.is_ready, PATIENCE, f"readiness of {version}")
    ports.append(system.port)


def wait_for_work(system: System, *versions: str) -> None:
    """Wait until each of these versions has stored, decided and delivered something from now on."""
    system.execute("DELETE FROM work")

    def done() -> bool:
        rows = system.rows("SELECT DISTINCT part, version FROM work")
        return {(row.part, row.version) for row in rows} >= set(itertools.product(PARTS, versions))

    eventually(done, PATIENCE, f"work of {versions}")


def end(system: System, ports: list[int], web: str, worker: str) -> None:
    """End the older processes by SIGTERM, before any router has heard of it."""
    system.stop(web)
    del ports[0]
    system.stop(worker)


def read(system: System, key: str, door: Door) -> dict[str, Any]:
    """What an account is told of what it has."""
    bearer = {"Authorization": f"Bearer {key}"}
    answers = {}
    for line in READ:
        path, _, query = line.format(bot=door.bot, chat=door.chat.id).partition("?")
        url = f"{system.url}/api/{path}.json?{query}"
        answers[path] = requests.get(url, headers=bearer, timeout=120).json()
    assert {path: answer for path, answer in answers.items() if answer["status"] != "ok"} == {}
    return answers


def lacking(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Where `after` does not say what `before` said."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before:
            yield from lacking(before[name], after.get(name), f"{path}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lacking(one, other, f"{path}[{number}]")
    elif before != after:
        yield f"{path}: {before!r} became {after!r}"


@pytest.fixture
def migrate(new_database: Any) -> Any:
    """`migrate(system, upgrade, "0032")`: one step, as the release line takes it."""

    def step(system: System, direction: Any, revision: str) -> None:
        settings = Settings.from_environment(system.environ)
        with create_app(settings).app_context():
            direction(directory=str(ROOT / "migrations"), revision=revision)
            db.engine.dispose()

    return step


def later_migrations() -> list[str]:
    """Those that came after the release, the first first."""
    scripts = ScriptDirectory(str(ROOT / "migrations")).walk_revisions()
    return sorted(one.revision for one in scripts if one.revision > LAST.migration)


@pytest.mark.timeout(1200)
def test_nothing_is_lost_over_a_deployment_and_back(
    start_system, bot_api, tracker, released, migrate
):
    system: System = start_system(
        "postgresql", root=released, PGAPPNAME=LAST.version, WEB_CONCURRENCY="1"
    )
    system.execute(NOTES, RECLAIMS["postgresql"], WORK)
    key, quiet = system.account("owner"), system.account("quiet")
    template = f"{tracker.url}/pb?{QUERY}"
    urls = {f"pb_{status}": template for status in STATUSES}
    doors = [system.open_door(key, f"{n}:the-token-of-bot-{n}", template) for n in (911, 912)]
    later = Chat(-1_001_000_000_920, "A chat whose campaign a later version makes")
    bot_api.push(doors[0].token, people.bot_rights(later, admin=True))
    still = system.open_door(quiet, "913:the-token-of-bot-913", template)
    ports = [system.port]
    settled = crowd([still], 6)
    first = Sender(ports, settled)
    first.finish()
    settle(system)
    told = read(system, quiet, still)

    with Load(doors, ports) as load:
        crossing = crowd(doors, 12)
        across = Sender(ports, crossing)  # a step of theirs under each state of the deployment
        across.release(len(crossing))
        for revision in later_migrations():
            migrate(system, upgrade, revision)
            wait_for_work(system, LAST.version)
        run_beside(system, ports, ROOT, "new")
        across.release(len(crossing))
        wait_for_work(system, LAST.version, "new")
        end(system, ports, "web", "worker")
        wait_for_work(system, "new")
        assert list(lacking(told, read(system, quiet, still))) == []
        made = system.call(key, "camp/add", bot=doors[0].bot, chat=later.id, **urls)
        doors.append(replace(doors[0], campaign=made["id"], code=made["code"], chat=later))

        run_beside(system, ports, released, LAST.version)
        across.release(len(crossing))
        wait_for_work(system, LAST.version, "new")
        end(system, ports, "web of new", "worker of new")
        for revision in [*later_migrations(), ""][-2::-1]:
            migrate(system, downgrade, f"{int(revision) - 1:04}")
            wait_for_work(system, LAST.version)
    across.finish()
    settle(system)
    assert read(system, quiet, still) == told
    compare_updates(system, first, across, *load.senders)
    compare_leads(system, [*settled, *crossing, *load.members])
    compare_postbacks(system, tracker, [*settled, *crossing, *load.members])
    statuses = Counter(code for sender in load.senders for code in sender.refusals)
    assert set(statuses) <= {0}, "updates were refused, not only cut off"


@pytest.mark.timeout(1200)
def test_with_a_pause_sqlite_goes_up_and_back(start_system, tracker, released):
    system: System = start_system("sqlite", root=released, WEB_CONCURRENCY="1")
    system.execute(NOTES, RECLAIMS["sqlite"])
    tracker.reset()
    key, quiet = system.account("owner"), system.account("quiet")
    template = f"{tracker.url}/pb?{QUERY}"
    door = system.open_door(key, "921:the-token-of-bot-921", template)
    still = system.open_door(quiet, "922:the-token-of-bot-922", template)
    settled, crossing = crowd([still], 3), crowd([door], 6)
    first = Sender(system.port, settled)
    first.finish()
    settle(system)
    told = read(system, quiet, still)
    across = Sender(system.port, crossing)
    down = f"flask --app wsgi db downgrade {LAST.migration}"
    for root, command in ((ROOT, system.line("release")), (released, down)):
        across.release(len(crossing))
        for line in ("web", "worker"):
            system.stop(line)
        system.root = ROOT  # the newer of the two knows how to go both ways
        system.run(command)
        system.root = root
        for line in ("web", "worker"):
            system.start(line)
        eventually(system.is_ready, PATIENCE, "readiness")
        assert list(lacking(told, read(system, quiet, still))) == []
    across.finish()
    settle(system)
    assert read(system, quiet, still) == told
    compare_updates(system, first, across)
    compare_leads(system, [*settled, *crossing])
    compare_postbacks(system, tracker, [*settled, *crossing])
