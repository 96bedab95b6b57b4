"""What a bot asked for decides what it gets."""

import pytest

from app.sandbox.telegram.bot.state import new_bot


def test_a_new_bot_has_the_id_of_its_token():
    bot = new_bot("42:secret", "gate_bot", "Gate", 7)
    assert bot.identity.user() == {
        "id": 42, "is_bot": True, "first_name": "Gate", "username": "gate_bot",
    }  # fmt: skip
    assert bot.backlog.next_update_id == 7
    assert [bot.next_message_id(), bot.next_message_id()] == [1, 2]


def test_a_token_without_a_number_is_none():
    with pytest.raises(ValueError, match="invalid literal"):
        new_bot("token", "gate_bot", "Gate", 7)


def test_the_default_leaves_out_what_must_be_asked_for():
    subscription = new_bot("42:secret", "gate_bot", "Gate", 7).subscription
    assert subscription.wants("message")
    assert not subscription.wants("chat_member")
    subscription.allow(["chat_member", "gossip", "chat_member"])
    assert subscription.allowed == ("chat_member",)
    assert (subscription.wants("chat_member"), subscription.wants("message")) == (True, False)
    subscription.allow(["gossip"])
    assert subscription.wants("message")
