"""Telegram's door: the secret opens it, 200 means stored, and no answer has a body."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from app.extensions import cipher, db
from app.models import Bot, UpdateState
from app.sandbox.telegram import people
from app.services.updates import inbox
from app.web.auth import TELEGRAM_HEADER

ANN = people.Person(101, username="ann")


def webhook(stage: Any) -> tuple[str, dict[str, str]]:
    """The path at which Telegram delivers the updates of a stage's bot, and the headers."""
    bot = db.session.get(Bot, stage.bot)
    secret = cipher.webhook_secret(bot.webhook_path)
    path = f"/telegram/{bot.webhook_path}"
    db.session.commit()
    return path, {TELEGRAM_HEADER: secret}


def body(**fields: Any) -> bytes:
    return json.dumps({"update_id": 1, **people.start(ANN, "x")} | fields).encode()


def test_a_stored_update_is_answered_with_an_empty_200(stage, client):
    path, headers = webhook(stage)
    answer = client.post(path, data=body(), headers=headers)
    assert (answer.status_code, answer.data) == (200, b"")
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
    (update,) = stage.updates()
    assert update.state == UpdateState.QUARANTINED
    assert len(update.body) <= 4096


def test_only_post_brings_updates(stage, client):
    path, headers = webhook(stage)
    assert client.get(path, headers=headers).status_code == 405


def test_an_update_that_is_not_stored_is_refused_so_that_telegram_brings_it_again(
    stage, client, monkeypatch
):
    path, headers = webhook(stage)

    def refuse(*_: Any) -> None:
        raise OperationalError("INSERT", {}, OSError("the disk is full"))

    with structlog.testing.capture_logs() as lines:
        with monkeypatch.context() as broken:
            broken.setattr(inbox, "store_update", refuse)
            answers = [client.post(path, data=body(), headers=headers) for _ in range(3)]
        assert {(answer.status_code, answer.data) for answer in answers} == {(503, b"")}
        assert client.post(path, data=body(), headers=headers).status_code == 200
    assert len(stage.updates()) == 1
    (lost,) = [line for line in lines if line["event"] == "inbox.lost"]
    (back,) = [line for line in lines if line["event"] == "inbox.back"]
    assert (lost["error"], back["times"]) == ("OSError: the disk is full", 3)
