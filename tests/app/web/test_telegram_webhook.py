"""The webhook: the secret opens it, 200 means stored, and no answer has a body."""

import io
import json
import threading
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.extensions import cipher, db
from app.models import Bot, UpdateState
from app.sandbox.telegram import people
from app.services.updates.update_store import UpdateStore
from app.web.request_slots import RequestSlots
from app.web.telegram_webhook import TELEGRAM_HEADER, TelegramWebhook

ANN = people.Person(101, username="ann")


def webhook(stage: Any) -> tuple[str, dict[str, str]]:
    """The path at which Telegram delivers the updates of a stage's bot, and the headers."""
    bot = db.session.get(Bot, stage.bot)
    secret = cipher.webhook_secret(bot.webhook_path)
    path = f"/telegram/{bot.webhook_path}"
    db.session.commit()
    return path, {TELEGRAM_HEADER: secret}


def body(**fields: Any) -> bytes:
    return json.dumps({"update_id": 1, **people.start(ANN, "x", 1_800_000_000)} | fields).encode()


def test_a_stored_update_is_answered_with_an_empty_200(stage, client):
    path, headers = webhook(stage)
    answer = client.post(path, data=body(), headers=headers)
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Connection" not in answer.headers
    assert [one.state for one in stage.updates()] == [UpdateState.WAITING]


@pytest.mark.parametrize(
    "headers",
    [{}, {TELEGRAM_HEADER: "wrong"}, {TELEGRAM_HEADER: "é" * 300}, {TELEGRAM_HEADER: ""}],
)
def test_a_wrong_secret_and_an_unknown_path_look_the_same(stage, client, headers):
    path, _ = webhook(stage)
    known = client.post(path, data=body(), headers=headers)
    unknown = client.post("/telegram/nobody", data=body(), headers=headers)
    assert known.status_code == unknown.status_code == 401
    assert known.data == unknown.data == b""
    assert known.headers["Connection"] == "close"  # its body is still on the way
    assert stage.updates() == []


def test_another_bots_secret_opens_nothing(make_stage, client):
    path, _ = webhook(make_stage())
    _, foreign = webhook(make_stage())
    assert client.post(path, data=body(), headers=foreign).status_code == 401


def test_the_right_secret_of_a_path_without_a_bot_finds_nothing(live_app, client):
    headers = {TELEGRAM_HEADER: cipher.webhook_secret("gone")}
    answer = client.post("/telegram/gone", data=body(), headers=headers)
    assert (answer.status_code, answer.data) == (404, b"")


def test_a_body_over_a_mebibyte_is_quarantined_by_its_beginning(stage, client):
    path, headers = webhook(stage)
    answer = client.post(path, data=b"x" * (1024 * 1024 + 1), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Connection"] == "close"
    (update,) = stage.updates()
    assert update.state == UpdateState.QUARANTINED
    assert len(update.body) <= 4096


def test_only_post_brings_updates(stage, client):
    path, headers = webhook(stage)
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        answer = client.open(path, method=method, headers=headers)
        assert (answer.status_code, answer.data) == (405, b"")


@pytest.mark.parametrize("path", ["/telegram/", "/telegram/a/b"])
def test_other_paths_below_are_nothing(client, path):
    answer = client.post(path, data=body())
    assert (answer.status_code, answer.data) == (404, b"")


def post(
    application: Any, path: str, headers: dict[str, str], source: Any, length: int | None
) -> str:
    """The status of one request whose body says `length`, or nothing, and is `source`."""
    environ = EnvironBuilder(method="POST", path=path, headers=headers).get_environ()
    environ.update({"wsgi.input": source, "wsgi.input_terminated": True, "SERVER_PORT": "0"})
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    parts, status, _ = run_wsgi_app(application, environ)
    assert b"".join(parts) == b""
    return status[:3]


class Unreadable:
    """A body that nobody may read."""

    def read(self, _size: int) -> bytes:
        raise AssertionError("the body was read")


def test_without_the_secret_the_body_is_not_read(stage, live_app):
    path, _ = webhook(stage)
    application = live_app.wsgi_app
    assert post(application, path, {TELEGRAM_HEADER: "wrong"}, Unreadable(), 1000) == "401"


def test_a_client_that_goes_away_is_refused_like_any_that_was_not_stored(stage, live_app):
    class Gone:
        def read(self, _size: int) -> bytes:
            raise ConnectionResetError

    path, headers = webhook(stage)
    assert post(live_app.wsgi_app, path, headers, Gone(), 1000) == "503"


@pytest.mark.parametrize("more", [1, 1 << 20])
def test_half_a_body_is_refused_and_not_stored(stage, live_app, more):
    path, headers = webhook(stage)
    half = io.BytesIO(body())
    assert post(live_app.wsgi_app, path, headers, half, len(body()) + more)[0] in "24"
    assert [one.state for one in stage.updates() if one.state == UpdateState.WAITING] == []


def test_a_body_that_comes_in_pieces_is_stored_whole(stage, live_app):
    class Pieces(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(7, size or 0))

    path, headers = webhook(stage)
    assert post(live_app.wsgi_app, path, headers, Pieces(body()), len(body())) == "200"
    assert [one.body for one in stage.updates()] == [body()]


def test_a_body_without_a_length_is_stored_if_it_is_whole(stage, live_app):
    """Some proxies send chunks. A half is refused, so Telegram brings all of it again."""
    path, headers = webhook(stage)
    assert post(live_app.wsgi_app, path, headers, io.BytesIO(body()[:-1]), None) == "400"
    assert stage.updates() == []
    assert post(live_app.wsgi_app, path, headers, io.BytesIO(body()), None) == "200"
    large = io.BytesIO(b"x" * (1024 * 1024 + 1))
    assert post(live_app.wsgi_app, path, headers, large, None) == "200"
    assert [one.state for one in stage.updates()] == [UpdateState.WAITING, UpdateState.QUARANTINED]


def test_it_takes_no_slot_of_other_requests(stage, live_app):
    """All slots are taken by requests that wait; the update is stored meanwhile."""
    inside, gate = threading.Event(), threading.Event()

    def wait(_environ: Any, start_response: Any) -> list[bytes]:
        inside.set()
        assert gate.wait(60)
        start_response("200 OK", [])
        return [b""]

    store = live_app.extensions["telegram_webhook"]
    webhook_alone = TelegramWebhook(
        RequestSlots(wait, 60.0, slots=1), store._store, store._bot_behind
    )
    holder = threading.Thread(target=post, args=(webhook_alone, "/api/x", {}, io.BytesIO(), 0))
    holder.start()
    try:
        assert inside.wait(60)
        path, headers = webhook(stage)
        assert post(webhook_alone, path, headers, io.BytesIO(body()), len(body())) == "200"
    finally:
        gate.set()
        holder.join(60)


def test_it_takes_no_connection_of_other_requests(stage, live_app, client):
    """Every connection of the pool is taken; the update is stored meanwhile."""
    path, headers = webhook(stage)
    engine = db.engine.execution_options(only_reads=True)
    most = engine.pool.size() + max(0, engine.pool._max_overflow)
    links = [engine.connect() for _ in range(most)]
    try:
        assert client.post(path, data=body(), headers=headers).status_code == 200
    finally:
        for link in links:
            link.close()
        db.engine.dispose()  # of a file, a connection that rested has read the schema long ago


def test_a_connection_that_died_is_replaced_without_a_refusal(stage, live_app, client):
    if db.engine.dialect.name == "sqlite":
        pytest.skip("a file does not hang up")
    path, headers = webhook(stage)
    assert client.post(path, data=body(), headers=headers).status_code == 200
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE query LIKE 'INSERT INTO telegram_update%' AND pid <> pg_backend_pid()"
        )
    assert client.post(path, data=body(update_id=2), headers=headers).status_code == 200
    assert len(stage.updates()) == 2


def test_while_the_table_is_away_updates_are_refused_and_stored_afterwards(stage, client):
    path, headers = webhook(stage)
    assert client.post(path, data=body(), headers=headers).status_code == 200
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE telegram_update RENAME TO elsewhere"))
    try:
        answer = client.post(path, data=body(update_id=2), headers=headers)
        assert (answer.status_code, answer.data) == (503, b"")
    finally:
        with db.engine.begin() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO telegram_update"))
    assert client.post(path, data=body(update_id=2), headers=headers).status_code == 200
    assert len(stage.updates()) == 2


def test_an_update_that_is_not_stored_is_refused_so_that_telegram_brings_it_again(
    stage, client, monkeypatch
):
    path, headers = webhook(stage)

    def refuse(*_: Any) -> None:
        raise OperationalError("INSERT", {}, OSError("the disk is full"))

    with structlog.testing.capture_logs() as lines:
        with monkeypatch.context() as broken:
            broken.setattr(UpdateStore, "put", refuse)
            answers = [client.post(path, data=body(), headers=headers) for _ in range(3)]
        assert {(answer.status_code, answer.data) for answer in answers} == {(503, b"")}
        assert client.post(path, data=body(), headers=headers).status_code == 200
    assert len(stage.updates()) == 1
    (lost,) = [line for line in lines if line["event"] == "inbox.lost"]
    (back,) = [line for line in lines if line["event"] == "inbox.back"]
    assert (lost["error"], back["times"]) == ("OSError: the disk is full", 3)
