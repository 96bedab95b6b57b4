"""A `ChatMember` has what Telegram says that it has, in each type of chat."""

import aiogram.types
import pytest
from pydantic import TypeAdapter

from app.sandbox.telegram import people
from app.sandbox.telegram.chat_members import STATUSES, chat_member

ANN = people.Person(77, "Ann")
CHATS = [people.Chat(-100123, "C", "channel"), people.Chat(-5, "G", "group"),
         people.Chat(-1005, "S", "supergroup")]  # fmt: skip


@pytest.mark.parametrize("chat", CHATS, ids=lambda chat: chat.type)
@pytest.mark.parametrize("status", STATUSES)
def test_a_chat_member_has_every_compulsory_field_and_no_other(
    status: str, chat: people.Chat
) -> None:
    told = chat_member(ANN.user(), status, chat.type)
    member = TypeAdapter(aiogram.types.ChatMemberUnion).validate_python(told)
    fields = type(member).model_fields
    assert {name for name, field in fields.items() if field.is_required()} <= set(told)
    assert set(told) <= set(fields)


def test_the_rights_that_only_some_chats_know_are_told_there_alone() -> None:
    rights = {chat.type: chat_member(ANN.user(), "administrator", chat.type) for chat in CHATS}
    assert "can_post_messages" in rights["channel"]
    assert "can_pin_messages" not in rights["channel"]
    assert "can_post_messages" not in rights["group"]
    assert "can_manage_topics" not in rights["group"]
    assert "can_manage_topics" in rights["supergroup"]
