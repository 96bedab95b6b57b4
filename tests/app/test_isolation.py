"""The fixtures keep their promise: no test sees another's rows."""

import socket
import threading

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.extensions import db
from app.models import Account


def accounts() -> int:
    return db.session.scalar(select(func.count()).select_from(Account)) or 0


@pytest.mark.parametrize("turn", [1, 2])
def test_what_one_test_commits_another_does_not_see(app: Flask, make_account, turn):
    assert accounts() == 0
    make_account(login="the same each time")
    db.session.rollback()
    assert accounts() == 1


def test_a_rollback_takes_back_only_what_was_not_committed(app: Flask, make_account):
    make_account()
    db.session.add(Account(login="x", name="x", key_hash="", created=0))
    db.session.flush()
    db.session.rollback()
    assert accounts() == 1


def test_a_request_sees_what_the_test_arranged_and_the_test_what_it_did(app, make_account):
    make_account(login="before")
    with app.app_context():
        db.session.scalars(select(Account)).one().name = "renamed"
        db.session.commit()
    assert db.session.scalars(select(Account)).one().name == "renamed"


def test_a_second_connection_is_refused_where_there_is_only_one(app: Flask):
    with pytest.raises(RuntimeError, match="live_app"):
        db.engine.connect()


@pytest.mark.parametrize("turn", [1, 2])
def test_a_live_application_commits_and_is_emptied(live_app: Flask, make_account, turn):
    seen = []

    def count() -> None:
        with live_app.app_context():
            seen.append(accounts())

    make_account(login="the same each time")
    thread = threading.Thread(target=count)
    thread.start()
    thread.join()
    assert seen == [1]


def test_only_loopback_can_be_reached():
    with socket.socket() as link, pytest.raises(RuntimeError, match="only loopback"):
        link.connect(("192.0.2.1", 80))
