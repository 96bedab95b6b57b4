"""A method reads its parameters as Telegram does: JSON and forms alike."""

from typing import Any

import pytest

from app.sandbox.telegram.bot.state import new_bot
from app.sandbox.telegram.call import Caller, Rules
from app.sandbox.telegram.faults import Refusal


def call(**params: Any) -> Caller:
    return Caller(new_bot("42:x", "gate_bot", "Gate", 1), params, Rules(), 0.0)


def test_texts_numbers_and_flags_are_read_from_json_and_forms():
    assert (call(a=5).text("a"), call().text("a"), call(a=None).text("a")) == ("5", "", "")
    assert (call(a="7").number("a"), call(a="x").number("a", 3), call().number("a")) == (7, 3, 0)
    assert (call(a=True).flag("a"), call(a="true").flag("a"), call(a="no").flag("a")) == (
        True, True, False,
    )  # fmt: skip


def test_a_structure_may_be_json_in_a_form():
    assert call(a=[1]).structure("a") == [1]
    assert call(a="[1]").structure("a") == [1]
    assert call(a="[1").structure("a") is None
    assert call().structure("a") is None


@pytest.mark.parametrize(
    ("chat", "words"), [("", "chat_id is empty"), ("@news", "chat not found"), ("1 2", "not found")]
)
def test_a_chat_is_known_by_its_number(chat, words):
    with pytest.raises(Refusal, match=words):
        call(chat_id=chat).chat()
    assert call(chat_id="-1001").chat() == -1001
