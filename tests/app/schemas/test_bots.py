"""A token comes in and never goes out."""

from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from app.schemas.bots import BotAdd, BotAdded, BotChats, BotOut, BotsList, ChatOut

BOT = SimpleNamespace(
    id=1, tg_id=7_000_000_001, username="track_bot", name="Tracker", status=0, created=86_400,
    token="7000000001:s3cret", webhook_path="p4th",
)  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "row"), [(BotAdded, BOT), (BotOut, {"bot": BOT, "faults": []})], ids=["add", "list"]
)
def test_neither_the_token_nor_the_path_of_the_webhook_is_shown(schema, row):
    shown = schema().dump(row)
    assert shown["username"] == "track_bot"
    assert "s3cret" not in str(shown)
    assert "p4th" not in str(shown)


def test_a_bot_and_a_chat_are_shown_by_telegrams_own_numbers():
    assert BotOut().dump({"bot": BOT, "faults": []})["tg"] == 7_000_000_001
    chat = SimpleNamespace(id=9, chat_id=-1_000_000_000_001, title="Flowers", type="channel")
    assert ChatOut().dump(chat) == {"id": chat.chat_id, "title": "Flowers", "type": "channel"}


def test_a_token_may_bring_spaces_along_and_must_not_be_empty():
    assert BotAdd().load({"token": " 1:a "}) == {"token": " 1:a "}
    for wrong in ({"token": ""}, {"token": "x" * 257}, {}):
        with pytest.raises(ValidationError, match="token"):
            BotAdd().load(wrong)


def test_short_lists_are_whole_unless_a_limit_is_given():
    assert BotsList().load({}) == {"offset": 0}
    assert BotChats().load({"id": "1", "limit": "500"}) == {"id": 1, "limit": 500, "offset": 0}
