"""The application under test, on SQLite and on PostgreSQL.

`app` isolates by a savepoint: every commit of the test happens inside one
outer transaction that is rolled back. Only one connection exists then, so
code that opens its own (threads, processes, `db.engine.connect()`) asks for
`live_app` instead: real commits, tables emptied afterwards. `client`,
`account`, `api` and the doubles work with both.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import sessionmaker
from werkzeug.test import TestResponse

from app import create_app
from app.blueprints.health import SCRAPED
from app.crypto import hash_secret, new_secret
from app.extensions import db
from app.models import Account
from app.models import Session as OpenSession
from app.services.accounts import rate_limits
from app.services.billing import tariffs
from app.services.clicks import open_link, visits
from app.services.conversions import idempotency, reception
from app.services.lists.row_counts import TALLIES
from app.services.service_bot import logins, sessions

_numbers = itertools.count(1)
LIMITS = (
    rate_limits.AUTHENTICATED,
    rate_limits.ANONYMOUS,
    rate_limits.OUTBOUND,
    rate_limits.TESTS,
    rate_limits.SETTINGS,
    rate_limits.PAGES,
    rate_limits.RESENDS,
    rate_limits.REPORTS,
    rate_limits.DECISIONS,
    rate_limits.SCRAPES,
    rate_limits.ERASURES,
    logins.POLLS,
    logins.NEW_LOGINS,
    sessions.KEY_LOGINS,
    sessions.TOLD,
    sessions.TOLD_OF_NETWORK,
    rate_limits.CREATIONS,
    rate_limits.UPLOADS,
    tariffs.ASKED,
    open_link.CLICKS,
    visits.CLICKS_OF_ACCOUNT,
    visits.BY_ADDRESS,
    visits.BY_SITE,
    open_link.VISITS,
    idempotency.NOTES,
    reception.CALLS_OF_ACCOUNT,
    reception.CALLS_OF_KEY,
    reception.CALLS_OF_ADDRESS,
)


class IsolatedSession(Session):
    """Flask-SQLAlchemy's Session ignores a session-level bind, so say it here."""

    def __init__(self, *, connection: Connection, **options: Any) -> None:
        super().__init__(**options)
        self._connection = connection

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        return self._connection


class Client(FlaskClient):
    """Each request gets an application context, a session and a `g` of its own."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        db.session.commit()  # what the test has arranged is visible to the request
        with self.application.app_context():
            return super().open(*arguments, **options)


@pytest.fixture(scope="session")
def _application(settings: Any) -> Iterator[Flask]:
    app = create_app(settings())
    app.testing = False  # faults are answered as in production
    app.test_client_class = Client
    with app.app_context():
        db.metadata.create_all(db.engine)
        if db.engine.dialect.name == "postgresql":
            _vacuum_by_hand()
    yield app
    app.extensions["telegram_webhook"].close()
    with app.app_context():
        db.engine.dispose()


def _vacuum_by_hand() -> None:
    """Plans that tests look at must not depend on when the server analyzed tables last."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET autovacuum = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@pytest.fixture
def app(
    request: pytest.FixtureRequest, _application: Flask, clean_redis: redis.Redis
) -> Iterator[Flask]:
    """The application, its context pushed, isolated from all other tests."""
    before = _application.config["SETTINGS"]
    isolation = _committing if "live_app" in request.fixturenames else _isolated
    with _application.app_context():
        yield from isolation(_application)
    _application.config["SETTINGS"] = before


@pytest.fixture
def live_app(app: Flask) -> Flask:
    """`app` with real commits, for code that opens connections of its own."""
    return app


def _isolated(app: Flask) -> Iterator[Flask]:
    connection = db.engine.connect()
    outer = connection.begin()
    db.session.remove()
    usual = db.session.registry.createfunc
    db.session.registry.createfunc = sessionmaker(
        class_=IsolatedSession,
        db=db,
        query_cls=db.Query,
        connection=connection,
        join_transaction_mode="create_savepoint",
    )
    event.listen(db.engine, "engine_connect", _refuse_second_connection)
    yield app
    event.remove(db.engine, "engine_connect", _refuse_second_connection)
    db.session.remove()
    db.session.registry.createfunc = usual
    outer.rollback()
    connection.close()


def _refuse_second_connection(_connection: Connection) -> None:
    raise RuntimeError("this test has one connection; code that opens its own needs `live_app`")


def _committing(app: Flask) -> Iterator[Flask]:
    yield app
    db.session.remove()
    with db.engine.begin() as connection:
        tables = list(reversed(db.metadata.sorted_tables))
        if connection.dialect.name == "postgresql":
            names = ", ".join(table.name for table in tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
        else:
            for table in [*tables, *TALLIES]:  # these have counted what was emptied
                connection.execute(table.delete())


@pytest.fixture
def clean_redis(redis_server: Any) -> Iterator[redis.Redis]:
    """The shared Redis, empty."""
    with redis.Redis.from_url(redis_server.url) as connection:
        connection.flushall()
        for limit in LIMITS:
            limit.buckets.forget()
        SCRAPED.forget()
        yield connection


@pytest.fixture
def change_settings(app: Flask) -> Callable[..., None]:
    """`change_settings(public_url="https://…")` for the rest of this test."""

    def change(**fields: Any) -> None:
        app.config["SETTINGS"] = replace(app.config["SETTINGS"], **fields)

    return change


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Sends requests to `app`."""
    return app.test_client()


@pytest.fixture
def make_account(app: Flask) -> Callable[..., Account]:
    """`make_account(tariff="cat")`: a committed, detached Account; `.key` is its API key."""

    def make(**fields: Any) -> Account:
        login = fields.pop("login", f"login{next(_numbers)}")
        secret = new_secret()
        account = Account(
            **{"login": login, "name": login, "created": int(time.time()), **fields},
            key_hash=hash_secret(secret),
        )
        db.session.add(account)
        db.session.commit()
        db.session.refresh(account)
        db.session.expunge(account)
        db.session.commit()  # on SQLite even a transaction that only read is a lock
        account.key = f"{account.id}-{secret}"
        return account

    return make


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    """An account on the largest plan."""
    return make_account(tariff="tiger", paid_until=int(time.time()) + 30 * 86400)


class Api:
    """The public API in two verbs. Answers are parsed; HTTP is checked.

    `api.get("leads/list", limit=2)`, `api.post("camp/add", bot=1)`;
    `api(other.key)` is the same for someone else.
    """

    def __init__(self, client: FlaskClient, key: str) -> None:
        self._client = client
        self._key = key

    def __call__(self, key: str) -> Api:
        return Api(self._client, key)

    def get(self, path: str, /, **query: Any) -> dict[str, Any]:
        return self._parsed(
            self._client.get(_full(path), query_string=query, headers=self._headers())
        )

    def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        return self._parsed(self._client.post(_full(path), json=body, headers=self._headers()))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    @staticmethod
    def _parsed(response: TestResponse) -> dict[str, Any]:
        assert response.status_code == 200, response.get_data(as_text=True)
        assert response.mimetype == "application/json"
        answer: dict[str, Any] = response.get_json()
        return answer


def _full(path: str) -> str:
    return path if path.startswith("/") else f"/api/{path}.json"


@pytest.fixture
def api(client: FlaskClient, account: Account) -> Api:
    """The public API, called with the key of `account`."""
    return Api(client, account.key)


@pytest.fixture
def new_session(account: Account) -> Callable[[], str]:
    """`new_session()`: the token of an open session of `account`, as the dashboard has one."""

    def make() -> str:
        token, now = f"sess_{next(_numbers)}", time.time()
        row = {"account_id": account.id, "login_id": 1, "created": now, "expires": now + 3600}
        row["used"] = now  # noted every few minutes; no call of a test is then the first
        db.session.add(OpenSession(token_hash=hash_secret(token), **row))
        db.session.commit()
        return token

    return make


@pytest.fixture
def run(app: Flask) -> Callable[[str], Result]:
    """`run("account create --login x")`: what a shell would see."""

    def run(line: str) -> Result:
        result = app.test_cli_runner().invoke(args=line.split())
        assert result.exception is None or isinstance(result.exception, SystemExit)
        db.session.expire_all()
        return result

    return run


@pytest.fixture
def no_own_network(change_settings: Callable[..., None]) -> None:
    """No network is open, as in production: then no name is looked up either."""
    change_settings(outbound_allow=())


@pytest.fixture
def bot_api(change_settings: Callable[..., None]) -> Iterator[Any]:
    """A running Bot API double at `.url`; the application talks to it."""
    from app.sandbox.serving import running
    from app.sandbox.telegram.server import BotApiDouble

    double = BotApiDouble()
    with running(double) as url:
        double.url = url
        change_settings(telegram_api_url=url)
        yield double


@pytest.fixture
def tracker() -> Iterator[Any]:
    """A running tracker double at `.url`."""
    from app.sandbox.serving import running
    from app.sandbox.vendors.tracker import TrackerDouble

    double = TrackerDouble()
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture
def make_key(client: FlaskClient, app: Flask) -> Callable[[int], Api]:
    """`make_key(account_id)`: the public API, called with a new key of that account."""

    def make(account_id: int) -> Api:
        secret = new_secret()
        db.session.execute(
            Account.__table__.update()
            .where(Account.__table__.c.id == account_id)
            .values(key_hash=hash_secret(secret))
        )
        db.session.commit()
        return Api(client, f"{account_id}-{secret}")

    return make
