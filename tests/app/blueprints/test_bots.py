"""bots/* over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from app.extensions import db
from app.models import Account, BotChat, BotFaultKind, BotStatus
from app.sandbox.telegram import faults
from app.services.bots import faults as faults_of_bots

TOKEN = "4242:AAsecret-part_of-the-token"


@pytest.fixture
def telegram(bot_api: Any, change_settings: Callable[..., None]) -> Any:
    change_settings(public_url="http://127.0.0.1:9")
    bot_api.add_bot(TOKEN, "mytrackbot", "My Bot")
    return bot_api


def test_a_bot_goes_through_its_life(telegram: Any, api: Any) -> None:
    added = api.post("bots/add", token=TOKEN)
    assert added["status"] == "ok"
    assert {"username": "mytrackbot", "name": "My Bot"}.items() <= added["data"].items()
    assert set(added["data"]) == {"id", "username", "name"}
    id_ = added["data"]["id"]
    (row,) = api.get("bots/list")["data"]
    assert set(row) == {"id", "tg", "username", "name", "status", "created", "faults", "webhook"}
    assert row["webhook"] == {"pending": 0, "error": "", "error_time": "0000-00-00 00:00:00"}
    assert (row["id"], row["tg"], row["status"]) == (id_, 4242, 0)
    assert api.get("bots/chats", id=id_) == {"status": "ok", "data": []}
    assert api.post("bots/del", id=id_) == {"status": "ok"}
    assert api.get("bots/list")["data"][0]["status"] == 3
    assert api.post("bots/add", token=TOKEN)["data"]["id"] == id_


def test_chats_are_listed_with_their_kind(telegram: Any, api: Any) -> None:
    id_ = api.post("bots/add", token=TOKEN)["data"]["id"]
    for chat, admin in ((-1001234567890, True), (-5, False)):
        db.session.add(
            BotChat(
                bot_id=id_,
                chat_id=chat,
                title="My Channel",
                type="channel",
                is_admin=admin,
                changed=1,
            )
        )
    assert api.get("bots/chats", id=id_)["data"] == [
        {
            "id": -1001234567890,
            "title": "My Channel",
            "type": "channel",
            "username": "",
            "public": False,
            "can_invite": True,
        }
    ]


@pytest.mark.parametrize("token", [None, 5, "", True, {"a": 1}, "x" * 300, "a\x00b", "\ud800"])
def test_a_token_that_is_none_is_a_parameter_error(telegram: Any, api: Any, token: Any) -> None:
    answer = api.post("bots/add", token=token)
    assert answer["error"] in ("param", "token")
    assert telegram.calls() == []


def test_errors_have_their_documented_codes(
    telegram: Any, api: Any, make_account: Callable[..., Account]
) -> None:
    assert api.post("bots/add", token="77:unknown")["error"] == "token"
    telegram.fail(TOKEN, "setWebhook", faults.SERVER_ERROR)
    assert api.post("bots/add", token=TOKEN)["error"] == "webhook"
    id_ = api.post("bots/add", token=TOKEN)["data"]["id"]
    other = api(make_account().key)
    assert other.post("bots/add", token=TOKEN)["error"] == "exists"
    for path, verb in (("bots/chats", other.get), ("bots/del", other.post)):
        foreign, missing = verb(path, id=id_), verb(path, id=10**6)
        assert foreign == missing
        assert foreign["error"] == "notfound"


def test_no_answer_ever_holds_a_token(telegram: Any, api: Any) -> None:
    telegram.fail(TOKEN, "setWebhook", faults.refuse(400, f"bad /bot{TOKEN}/setWebhook"))
    answers = [
        api.post("bots/add", token=TOKEN),
        api.post("bots/add", token=TOKEN),
        api.get("bots/list"),
    ]
    assert TOKEN.partition(":")[2] not in str(answers)


def test_what_is_wrong_with_a_bot_is_said_in_the_language_of_the_account(
    telegram: Any, api: Any, account: Account
) -> None:
    id_ = api.post("bots/add", token=TOKEN)["data"]["id"]
    assert api.get("bots/list")["data"][0]["faults"] == []
    faults_of_bots.begin(id_, BotFaultKind.RIGHTS, 1_800_000_000.9, chat_id=-5, title="Новости")
    db.session.execute(update(Account).where(Account.id == account.id).values(lang="ru"))
    db.session.commit()
    row = api.get("bots/list")["data"][0]
    assert row["status"] == BotStatus.WARNING
    (fault,) = row["faults"]
    message = fault.pop("message")
    assert fault == {"fault": "rights", "chat": -5, "since": "2027-01-15 08:00:00"}
    assert "@mytrackbot" in message
    assert "Новости" in message
    assert "administrator" not in message
