"""Planted secrets are found nowhere, and a stranger learns nothing of a neighbour.

A real system is driven through success and every kind of fault at the most
talkative log level; then all it has said and all it has stored is searched.
"""

import http.client
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from app.models import PostbackState
from tests.journeys.conftest import SECRET_KEY
from tests.journeys.crowd import HEADER, Sender, crowd, post
from tests.journeys.system import Door, System
from tests.support.waiting import eventually

PASSWORD = "planted-database-password"
SECRET = "planted-destination-secret"
TOKEN = "301:AAplanted-token-of-the-bot-0123456789"
OTHER_TOKEN = "302:AAplanted-token-of-another-0123456789"
QUERY = f"token={SECRET}&api_key={SECRET}-2&who={{subscriber}}&status={{status}}"

#: Nobody has this id; a neighbour's object must answer just like it.
MISSING = 987_654_321
#: What a call of any endpoint may want besides ids. Nothing here is a secret.
PLAUSIBLE = {
    "pause": 1, "click": "abc", "title": "A title", "event": "wait", "limit": 5,
    "tracker": "url_template", "settings": {"urls": {"wait": "https://example.com/?c={click}"}},
    "welcome": "Hi", "unsub_window": 60, "template": "https://example.com/?c={click}",
    "token": "1:no-such-bot-anywhere-in-the-world-000", "action": 1, "leads": 1,
    "state": "delivered",
}  # fmt: skip
#: Whose `id` the endpoints of a group take.
OBJECTS = {
    "bots": "bot", "camp": "campaign", "leads": "lead", "postbacks": "postback", "dest": "dest",
    "transfer/bot": "bot", "transfer/camp": "campaign",
}  # fmt: skip
#: What these do to one's own cannot be done twice, so nothing of one's own is named to them.
ONLY_ONCE = ("/del.json", "/resend.json", "/transfer/bot.json", "/transfer/camp.json")
FILTERS = ("id", "campaign", "lead", "dest")
#: These concern the caller alone, and would change what the walk goes on with.
OF_THE_CALLER = {"/api/profile/apikey.json", "/api/transfer/token.json"}


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account with one object of every kind."""

    key: str
    door: Door
    ids: dict[str, int]


@pytest.fixture(scope="module")
def system(start_system) -> System:
    started: System = start_system(
        "postgresql", database_password=PASSWORD, LEASE_SECONDS="2", LOG_LEVEL="debug"
    )
    return started


@pytest.fixture(scope="module")
def door(system, key, tracker) -> Door:
    return system.open_door(key, TOKEN, f"{tracker.url}/pb?{QUERY}", welcome="Hi {click}")


@pytest.fixture(scope="module")
def stored(system) -> Any:
    """`stored()` is every row of every table as text."""
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"

    def dump() -> str:
        names = [row[0] for row in system.rows(tables)]
        lines = [
            f"{name}: {row[0]}"
            for name in names
            for row in system.rows(f'SELECT to_json(t)::text FROM "{name}" t')  # noqa: S608
        ]
        bodies = system.rows("SELECT convert_from(body, 'LATIN1') FROM telegram_update")
        return "\n".join([*lines, *(row[0] for row in bodies)])

    return dump


@pytest.fixture(scope="module")
def routes(system) -> list[tuple[str, str]]:
    """Every endpoint of the API as (method, path)."""
    told = system.run("flask --app wsgi routes")
    return re.findall(r"^\S+ +(GET|POST) +(/api/\S+)", told, re.MULTILINE)


def planted(system: System, key: str, doors: list[Door]) -> list[str]:
    """What must not be found, without the parts that are public."""
    tokens = [door.token.partition(":")[2] for door in doors]
    known = [SECRET_KEY, PASSWORD, SECRET, key.partition("-")[2]]
    return [*known, *tokens, *(door.secret for door in doors)]


def found(secrets: list[str], text: str) -> list[str]:
    """Lines that tell a secret, shortened."""
    return [
        line[max(0, line.find(secret) - 200) : line.find(secret) + 100]
        for line in text.splitlines()
        for secret in secrets
        if secret in line
    ]


def ask(system: System, key: str, method: str, path: str, **terms: Any) -> bytes:
    """One call, its answer's body."""
    headers = {"Authorization": f"Bearer {key}"}
    if method == "GET":
        flat = {name: value for name, value in terms.items() if not isinstance(value, dict)}
        return requests.get(system.url + path, params=flat, headers=headers, timeout=120).content
    return requests.post(system.url + path, json=terms, headers=headers, timeout=120).content


def test_planted_secrets_are_told_nowhere_and_stored_only_sealed(
    *, system, key, door, tracker, bot_api, stored, routes, postgresql_server
):
    doors = [door, *_doors_with_troubles(system, key, tracker)]
    answers = [*_wrong_calls(system, key, door, routes)]
    bot_api.fail(TOKEN, "sendMessage", "server_error")
    Sender(system.port, crowd(doors, 20)).finish()
    tried = (
        "SELECT count(DISTINCT campaign_id) FROM postback p JOIN attempt a ON a.postback_id = p.id"
    )
    eventually(lambda: system.one(tried) == len(doors), 40, "an attempt at every tracker")
    with system.without_database(postgresql_server):
        answers += _wrong_calls(system, key, door, routes[:4])
        eventually(lambda: "database.lost" in system.log_text(), 20, "the clock's complaint")
    system.redis.stop(kill=True)
    Sender(system.port, crowd([door], 3)).finish()
    eventually(lambda: "redis.lost" in system.log_text(), 20, "the clock's complaint")
    system.redis.start()
    bot_api.fail(TOKEN, "sendMessage", "unauthorized")
    Sender(system.port, crowd([door], 3)).finish()
    eventually(lambda: "bot.paused" in system.log_text(), 20, "the pause")

    secrets = planted(system, key, doors)
    answers += _looks(system, key)
    states = {row[0] for row in system.rows("SELECT state FROM postback")}
    assert {PostbackState.DELIVERED, PostbackState.REJECTED, PostbackState.WAITING} <= states
    assert found(secrets, system.log_text()) == []
    assert found(secrets, stored()) == []
    assert found(secrets, "\n".join(answers)) == []


def _doors_with_troubles(system: System, key: str, tracker: Any) -> list[Door]:
    """Trackers that fail in their own ways, all with a secret in the address."""
    templates = [
        f"{tracker.url}/dead/pb?{QUERY}",
        f"{tracker.url}/reset/pb?{QUERY}",
        f"{tracker.url}/status/404/pb?{QUERY}",
        f"{tracker.url}/redirect?to=/?token={SECRET}&{QUERY}",
        f"http://127.0.0.1:1/pb?{QUERY}",
    ]
    return [
        system.open_door(key, f"{number}:AAplanted-token-of-{number}-0123456789", template)
        for number, template in enumerate(templates, 310)
    ]


def _wrong_calls(
    system: System, key: str, door: Door, routes: list[tuple[str, str]]
) -> Iterator[str]:
    """What clients get wrong, and what strangers try."""
    for method, path in routes:
        if path in OF_THE_CALLER:
            continue
        for terms in ({}, {"id": "x"}, {"id": MISSING, "bot": [], "token": {"a": 1}}):
            answer = ask(system, key, method, path, **terms).decode()
            if '"status":"ok"' not in answer:
                yield answer
        yield ask(system, key[:-3], method, path).decode()
    wire = http.client.HTTPConnection("127.0.0.1", system.port, timeout=15)
    for body in (
        b"",
        b"{",
        b'{"update_id": "x"}',
        b"\xff" * 100,
        b'{"update_id": 1, "message": 2}',
    ):
        post(wire, door, body)
    wire.close()
    wrong = {HEADER: door.secret[:-1]}
    yield requests.post(f"{system.url}/telegram/{door.path}", headers=wrong, timeout=15).text


def _looks(system: System, key: str) -> Iterator[str]:
    """What may be seen afterwards: the delivery log, the lists, the metrics."""
    yield requests.get(f"{system.url}/metrics", timeout=15).text
    yield requests.get(f"{system.url}/readyz", timeout=15).text
    # Not camp/get and dest/list: their owner reads the templates there as they were typed.
    for path in ("bots/list", "camp/list", "leads/list", "postbacks/list", "trackers/list"):
        yield ask(system, key, "GET", f"/api/{path}.json").decode()
    for row in system.rows("SELECT id FROM postback"):
        yield ask(system, key, "GET", "/api/postbacks/get.json", id=row[0]).decode()


@pytest.fixture(scope="module")
def tenants(system, tracker) -> list[Tenant]:
    """Two accounts that know nothing of each other."""
    return [_tenant(system, tracker, number) for number in (331, 332)]


def _tenant(system: System, tracker: Any, number: int) -> Tenant:
    key = system.account(f"tenant{number}")
    door = system.open_door(key, f"{number}:token-of-tenant-{number}", f"{tracker.url}/pb?{QUERY}")
    settings = {"urls": {"wait": f"{tracker.url}/dest?{QUERY}"}}
    dest = system.call(key, "dest/add", tracker="url_template", settings=settings)["id"]
    Sender(system.port, crowd([door], 2)).finish()
    owed = (
        "SELECT (SELECT count(*) FROM telegram_update WHERE state = 0)"
        " + (SELECT count(*) FROM postback WHERE state <= 1 AND campaign_id = :id)"
    )
    eventually(lambda: not system.one(owed, id=door.campaign), 40, "the tenant's postbacks")
    lead = system.one("SELECT id FROM lead WHERE campaign_id = :id", id=door.campaign)
    postback = system.one("SELECT id FROM postback WHERE lead_id = :id", id=lead)
    known = {"bot": door.bot, "chat": door.chat.id, "campaign": door.campaign, "lead": lead}
    return Tenant(key, door, known | {"dest": dest, "postback": postback})


def _answer(system, key, method, path, params):
    """The answer without its times, asked again while there are too many requests."""
    answers = (_timeless(ask(system, key, method, path, **params)) for _ in range(30))
    for answer in answers:
        if b'"error":"rate"' not in answer:
            return answer
        time.sleep(1)
    raise AssertionError(f"{path} is limited for half a minute")


def test_a_neighbours_objects_answer_like_missing_ones(system, tenants, routes):
    stranger, neighbour = tenants
    invitation = system.call(neighbour.key, "transfer/token")["token"]
    before = _possessions(system, neighbour)
    differing = []
    for method, path in routes:
        if path in OF_THE_CALLER:
            continue
        usual = PLAUSIBLE | ({"token": invitation} if "/transfer/" in path else {})
        for name, theirs, own in _questions(path, stranger, neighbour):
            absent = -MISSING if name == "chat" else MISSING
            first, told, last = (
                _answer(system, stranger.key, method, path, usual | own | {name: value})
                for value in (absent, theirs, absent)  # a call may also change what is one's own
            )
            if told not in (first, last):
                differing.append((path, name, told[:300], last[:300]))
    assert differing == []
    assert _possessions(system, neighbour) == before


def _questions(
    path: str, stranger: Tenant, neighbour: Tenant
) -> Iterator[tuple[str, int, dict[str, int]]]:
    """Which parameter to try, with the neighbour's id for it and the stranger's for the others."""
    words = path.removeprefix("/api/").removesuffix(".json")
    kind = OBJECTS.get(words) or OBJECTS.get(words.partition("/")[0], "")
    once = path.endswith(ONLY_ONCE)
    own = {} if once else {**stranger.ids, "id": stranger.ids.get(kind, MISSING)}
    for name in FILTERS if once else ("id", *stranger.ids):
        yield name, neighbour.ids.get(kind if name == "id" else name, MISSING), own


def _timeless(answer: bytes) -> bytes:
    """Ids that count up, moments and new keys differ from call to call by themselves."""
    passing = rb'("(?:id|ms|request_id|code|created|settled|due)":)("[^"]*"|\d+)'
    new_key = rb'(?<="key":")\w{24}(?=")|(?<=/in/)\w{24}'  # of events, made at each call
    return re.sub(new_key, b"_", re.sub(passing, rb"\1_", answer))


def _possessions(system: System, tenant: Tenant) -> dict[str, Any]:
    """Everything an account can see of its own."""
    lists = ("bots/list", "camp/list", "leads/list", "postbacks/list", "dest/list")
    seen = {path: json.loads(ask(system, tenant.key, "GET", f"/api/{path}.json")) for path in lists}
    path = "/api/camp/get.json"
    seen[path] = json.loads(ask(system, tenant.key, "GET", path, id=tenant.door.campaign))
    return seen
