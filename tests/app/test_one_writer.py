"""SQLite has one writer. While somebody else holds it, all that changes nothing goes on."""

import sqlite3

import pytest
from sqlalchemy import event

from app.extensions import db
from tests.app.test_scoping import ask, endpoints, owner, usual

#: Asked by POST, and change nothing.
READING_POSTS = {"rules/try", "requests/decide", "postbacks/test", "dest/check"}
#: Characters of `200 {"status":"ok"`, or of the names of columns.
BEGINNING = 18
WRONG = "Bearer 999999999-wrong"


@pytest.fixture
def hold_writer(live_app):
    """`hold_writer()`: somebody else writes from now on, and nobody waits for them."""
    if db.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL has as many writers as there are rows")

    def hasten(connection, *_):
        connection.execute("PRAGMA busy_timeout = 0")

    held = []

    def hold():
        event.listen(db.engine, "checkout", hasten)
        held.append(sqlite3.connect(db.engine.url.database, isolation_level=None))
        held[0].execute("BEGIN IMMEDIATE")

    yield hold
    if held:
        held[0].execute("ROLLBACK")
        held[0].close()
        event.remove(db.engine, "checkout", hasten)
    db.session.remove()
    db.engine.dispose()


def test_every_call_that_changes_nothing_answers(live_app, client, account, tracker, hold_writer):
    own = owner(account, 1)
    calls = []
    for endpoint in endpoints(live_app):
        if endpoint.method == "GET" or endpoint.words in READING_POSTS:
            params = usual(endpoint, own)
            if endpoint.words == "requests/decide":
                params |= {"campaign": own.ids["campaign"], "dry": True}
            if endpoint.words == "dest/check":
                template = {"urls": {"wait": f"{tracker.url}/ok/pb?click={{click}}"}}
                params = {"tracker": "url_template", "settings": template}
            calls.append((endpoint, params))
    assert {endpoint.words for endpoint, _ in calls} > READING_POSTS
    before = [ask(client, account, endpoint, dict(params)) for endpoint, params in calls]
    assert sum("ok" in answer for answer in before) > len(calls) / 2
    hold_writer()
    for (endpoint, params), answer in zip(calls, before, strict=True):
        again = ask(client, account, endpoint, dict(params))
        assert again[:BEGINNING] == answer[:BEGINNING], (endpoint.words, again)


def test_whoever_is_refused_is_refused_at_once(live_app, client, hold_writer):
    hold_writer()
    for endpoint in endpoints(live_app):
        path = endpoint.rule.partition("<")[0] + "1" * ("<" in endpoint.rule)
        answer = client.open(path, method=endpoint.method, headers={"Authorization": WRONG})
        assert '"key"' in answer.get_data(as_text=True) or answer.status_code in (401, 404), path


def test_strangers_at_public_addresses_are_answered_at_once(client, hold_writer):
    poll = f"/api/auth/poll.json?nonce={'a' * 32}"
    for _ in range(2):  # it is stored, and then that the browser brings its cookie
        assert client.get(poll).get_json()["status"] == "ok"
    hold_writer()
    assert client.get(poll).get_json()["status"] == "ok"
    assert client.get(f"/in/{'a' * 24}").status_code == 404
    assert client.get("/c/abcdefgh").status_code == 404
    assert client.get("/login").status_code == 200


def test_a_template_that_cannot_be_used_is_refused_before_anything_is_locked(
    api, world, hold_writer
):
    campaign = world.campaign()
    hold_writer()
    bad = {"pb_wait": "ftp://tracker.example/"}
    assert api.post("camp/edit", id=campaign, **bad)["error"] == "param"
    assert api.post("profile/postbacks", **bad)["error"] == "param"
