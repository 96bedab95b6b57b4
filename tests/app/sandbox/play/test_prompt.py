"""The prompt performs lines, and prints what the bot said and did."""

import io
from typing import Any

import pytest

from app.sandbox.play.prompt import Prompt
from app.sandbox.terminal import WIDTH, Terminal

ALL = ["message", "chat_member", "chat_join_request", "my_chat_member"]


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def prompt(double: Any, bot: Any, stream: io.StringIO) -> Prompt:
    bot("getUpdates", allowed_updates=ALL)
    return Prompt(double, Terminal(stream))


def typed(prompt: Prompt, *lines: str) -> bool:
    return prompt.read(io.StringIO("\n".join(lines) + "\n"))


def test_lines_are_performed_until_quit_or_their_end(prompt, stream):
    assert typed(prompt, "", "# a remark", "start Ann") is False
    assert typed(prompt, "quit", "start Ben") is True
    assert stream.getvalue().count("update ") == 1


def test_a_mistake_is_told_and_the_next_line_performed(prompt, stream):
    typed(prompt, "jion Ann", "join", "start Ann")
    assert "there is no 'jion'" in stream.getvalue()
    assert "usage: join" in stream.getvalue()
    assert "update " in stream.getvalue()
    assert max(map(len, stream.getvalue().splitlines())) <= WIDTH


def test_what_the_bot_says_is_shown_with_its_buttons(prompt, bot, double, stream):
    typed(prompt, "start Ann")
    ann = bot("getUpdates")["result"][0]["message"]["from"]["id"]
    markup = {"inline_keyboard": [[{"text": "Go", "url": "https://e.com/"}]]}
    bot("sendMessage", chat_id=ann, text="Hello, *Ann*", parse_mode="Markdown", reply_markup=markup)
    bot("sendPhoto", chat_id=ann, photo="f", caption="Look")
    assert prompt.show_news() == 2
    assert stream.getvalue().splitlines()[1:] == [
        "  the bot to Ann: Hello, Ann",
        "    [Go] https://e.com/",
        "  the bot to Ann: [photo] Look",
    ]
    assert prompt.show_news() == 0


def test_a_decision_of_the_bot_is_shown_if_it_succeeded(prompt, bot, stream):
    typed(prompt, "admin", "request Ann", "request Ben")
    admin, ann, ben = (list(one.values())[1] for one in bot("getUpdates")["result"])
    for name, request in (("approve", ann), ("approve", ann), ("decline", ben)):
        chat, user = admin["chat"]["id"], request["from"]["id"]
        bot(f"{name}ChatJoinRequest", chat_id=chat, user_id=user)
    prompt.show_news()
    assert stream.getvalue().splitlines()[3:] == [
        "  the bot lets in Ann",
        "  the bot turns away Ben",
    ]


def test_a_wait_ends_with_news_or_with_its_time(prompt, bot, stream):
    typed(prompt, "wait 0", "wait soon", "wait nan", "wait 4000")
    assert stream.getvalue().count("usage: wait") == 3
    assert "the bot said nothing" in stream.getvalue()
    bot("sendMessage", chat_id=77, text="Hello")
    typed(prompt, "wait 30")
    assert "the bot to 77: Hello" in stream.getvalue()
