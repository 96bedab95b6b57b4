"""Forty kinds of secret in six encodings, driven through the product and found nowhere.

Each is typed where a customer types it, sent, and said back by a tracker in every encoding.
Then all that is stored, logged, queued, measured and answered is searched, and the command
lines of all processes. What is encrypted at rest stands there encrypted.
"""

import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import redis
import requests

from app.sandbox.serving import running
from app.services.trackers.destinations import MAX_CONNECTED
from tests.journeys.conftest import SECRET_KEY
from tests.journeys.crowd import Sender, crowd
from tests.journeys.system import Door, System
from tests.support.planted import WEBHOOK_SECRET, Planted, Repeater, plant
from tests.support.planted_logins import CLIENT, PlantedLogins
from tests.support.waiting import eventually

TOKENS = ["401:AASk92Qz9planted-token-of-a-bot-01234", "402:AASk93Qz9planted-token-of-a-bot-01234"]
PASSWORD = "Sk94Qz9-planted-database-password"
#: What an operator or we ourselves have made, beside what customers type.
OURS = [*(token.partition(":")[2] for token in TOKENS), PASSWORD, SECRET_KEY, WEBHOOK_SECRET[6:]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def system(request, start_system, repeater) -> System:
    started: System = start_system(
        request.param,
        database_password=PASSWORD,
        LEASE_SECONDS="2",
        LOG_LEVEL="debug",
        TELEGRAM_LOGIN_URL=f"{repeater.url}/pb",  # where it says back all that it hears
        **CLIENT,
    )
    return started


@pytest.fixture(scope="module")
def repeater() -> Iterator[Any]:
    """The tracker that says secrets back, at `.url`."""
    double = Repeater()
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture(scope="module")
def key(system) -> str:
    return system.account("planter")


@pytest.fixture(scope="module")
def planted(system, key, repeater) -> list[Planted]:
    """Every kind of secret, connected: to two campaigns, and to the account as a whole."""
    kinds = plant(repeater.url)
    repeater.planted[:] = kinds
    repeater.heard.clear()
    return kinds


@pytest.fixture(scope="module")
def doors(system, key, planted) -> list[Door]:
    opened = [system.open_door(key, token, "", welcome="Hi {username}") for token in TOKENS]
    places = [opened[0].campaign, opened[1].campaign, 0]
    for number, one in enumerate(planted):
        place = places[number // MAX_CONNECTED]
        system.call(key, "dest/add", tracker=one.tracker, settings=one.settings, campaign=place)
    return opened


@pytest.mark.timeout(1200)
def test_no_kind_of_secret_is_found_anywhere(system, key, planted, doors, repeater):
    assert len(planted) >= 40
    answers = [_ask(system, key, "profile/tracker", domain="127.0.0.1:1", key="42-Sk95Qz9abc")]
    ours = _ours(system, key)
    logins = PlantedLogins(system.url, key)
    logins.look()
    for table in ("session", "account"):
        with _table_away(system, table):
            logins.look()
    Sender(system.port, crowd(doors, 4)).finish()
    with _table_away(system, "attempt"):
        Sender(system.port, crowd(doors, 1)).finish()
        eventually(lambda: "database.lost" in system.log_text(), 30, "the complaint")
    tried = (
        "SELECT count(DISTINCT p.destination_id) FROM postback p"
        " JOIN attempt a ON a.postback_id = p.id"
    )
    eventually(lambda: system.one(tried) >= len(planted), 60, "an attempt at every tracker")
    assert {one.kind for one in planted if not repeater.heard[one.secret]} == set()
    answers += _looks(system, key)
    places = {
        "database": _dump(system),
        "redis": _redis(system),
        "log": system.log_text(),
        "answers": "\n".join(answers),
        "command lines": _command_lines(system),
    }
    secrets = {one.kind: one.spellings for one in planted}
    secrets |= (
        ours
        | logins.secrets()
        | {name: [name] for name in [*OURS, key.partition("-")[2], "Sk95Qz9"]}
    )
    assert [found for place in places.items() for found in _found(secrets, *place)] == []
    assert "no such key ***" in places["database"]  # the search has searched the echoes
    assert "login.refused" in places["log"]


def _ours(system: System, key: str) -> dict[str, list[str]]:
    """What we make and show once, in paths that are called while the database has a fault."""
    made = json.loads(_ask(system, key, "eventkeys/add", title="CRM", signed=1))["data"]
    told = system.run("flask --app wsgi account link --login planter")
    link = re.findall(r"/enter/([\w-]+)", told)[0]
    paths = {"event_key": f"/in/{made['key']}?event=purchase&tid=1", "login": f"/enter/{link}"}
    for table, path in paths.items():
        requests.get(f"{system.url}{path}", timeout=120)
        with _table_away(system, table):
            requests.get(f"{system.url}{path}", timeout=120)
    eventually(lambda: "/enter/***" in system.log_text(), 20, "the complaint")
    assert "/in/***" in system.log_text()
    return {"event key": [made["key"]], "its secret": [made["secret"]], "entry link": [link]}


def _found(secrets: dict[str, list[str]], place: str, text: str) -> Iterator[str]:
    for kind, spellings in secrets.items():
        for spelling in spellings:
            if (at := text.find(spelling)) >= 0:
                yield f"{kind} in the {place}: {text[max(0, at - 200) : at + 60]}"
                break


@contextlib.contextmanager
def _table_away(system: System, table: str) -> Iterator[None]:
    """A table that is needed is renamed, so that statements fail."""
    system.execute(f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        system.execute(f"ALTER TABLE {table}_away RENAME TO {table}")


def _ask(system: System, api_key: str, path: str, /, **terms: Any) -> str:
    headers = {"Authorization": f"Bearer {api_key}"}
    address = f"{system.url}/api/{path}.json"
    return requests.post(address, json=terms, headers=headers, timeout=120).text


def _looks(system: System, key: str) -> Iterator[str]:
    """What may be seen afterwards, the checks and test sends of every destination too."""
    headers = {"Authorization": f"Bearer {key}"}
    for path in ("/metrics", "/readyz", "/api/openapi.json"):
        yield requests.get(f"{system.url}{path}", timeout=120).text
    listed = requests.get(
        f"{system.url}/api/dest/list.json", params={"limit": 200}, headers=headers, timeout=120
    ).text
    yield listed
    for row in json.loads(listed)["data"]:
        yield _ask(system, key, "postbacks/test", dest=row["id"], event="wait", send=1)
        yield _ask(system, key, "dest/check", id=row["id"])
        yield _ask(system, key, "dest/edit", id=row["id"], settings={"wrong": 1})
    for row in system.rows("SELECT max(id) FROM postback GROUP BY destination_id, state"):
        yield requests.get(
            f"{system.url}/api/postbacks/get.json",
            params={"id": row[0]},
            headers=headers,
            timeout=120,
        ).text
    yield system.run("flask --app wsgi doctor || true")


def _dump(system: System) -> str:
    """Every row of every table, and the bytes of a SQLite file."""
    names = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if system.environ["DATABASE_URL"].startswith("sqlite")
        else "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    lines = [
        _text(value)
        for (name,) in system.rows(names)
        for row in system.rows(f'SELECT * FROM "{name}"')  # noqa: S608
        for value in row
    ]
    return "\n".join(lines)


def _redis(system: System) -> str:
    """Every key and value, with what RQ has compressed."""
    lines = []
    with redis.Redis.from_url(system.redis.url) as connection:
        for name in connection.keys("*"):
            kind = connection.type(name)
            read = {
                b"string": lambda name: [connection.get(name)],
                b"list": lambda name: connection.lrange(name, 0, -1),
                b"set": connection.smembers,
                b"hash": lambda name: [
                    x for pair in connection.hgetall(name).items() for x in pair
                ],
                b"zset": lambda name: connection.zrange(name, 0, -1),
                b"stream": lambda name: [repr(entry) for entry in connection.xrange(name)],
                b"none": lambda _name: [],  # it has expired since it was listed
            }[kind]
            lines += [_text(name), *map(_text, read(name))]
    return "\n".join(lines)


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    with contextlib.suppress(zlib.error):
        value = zlib.decompress(value)
    return value.decode("utf-8", "replace")


def _command_lines(system: System) -> str:
    lines = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            lines.append(" ".join(process.cmdline()))
    assert any("granian" in line for line in lines)
    return "\n".join(lines)
