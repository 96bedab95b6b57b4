"""What is sent is checked as Telegram checks it, and kept."""

import pytest

from app.sandbox.telegram import people
from tests.app.sandbox.conftest import TOKEN


@pytest.mark.parametrize(
    ("text", "at"),
    [("snake_case", 5), ("*a_", 0), ("é [x", 3), ("`a``", 3), ("```x", 0), ("_a_ *", 4)],
)
def test_unbalanced_markdown_is_refused_with_its_byte(bot, double, text, at):
    answer = bot("sendMessage", chat_id=77, text=text, parse_mode="Markdown")
    assert answer["description"] == (
        "Bad Request: can't parse entities: "
        f"Can't find end of the entity starting at byte offset {at}"
    )
    assert double.sent() == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*bold* _it_", "bold it"),
        (r"snake\_case \* \` \[", "snake_case * ` ["),
        ("[here](https://example.org/a_b)", "here"),
        ("`a_b` ```c*d```", "a_b c*d"),
        ("a ] ) b", "a ] ) b"),
    ],
)
def test_markdown_is_shown_as_a_reader_sees_it(bot, double, text, shown):
    assert bot("sendMessage", chat_id=77, text=text, parse_mode="Markdown")["ok"]
    assert [one.shown for one in double.sent()] == [shown]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"offset": 0, "length": 9}, "ends after the end of the text"),
        ({"offset": 1, "length": 1}, "middle of a UTF-16 symbol"),
        ({"offset": -1, "length": 1}, "incorrect offset -1"),
        ({"type": "text_link", "url": "https://intranet/x"}, "Wrong HTTP URL"),
        ({"type": "text_link", "url": ""}, "URL host is empty"),
    ],
)
def test_entities_that_are_not_of_the_text_are_refused(bot, double, fields, words):
    entity = {"type": "bold", "offset": 0, "length": 2} | fields
    answer = bot("sendMessage", chat_id=77, text="😀ab", entities=[entity])
    assert (answer["error_code"], words in answer["description"]) == (400, True)
    assert double.sent() == []


def test_entities_are_taken_as_they_are(bot, double):
    entity = {"type": "bold", "offset": 0, "length": 2}
    assert bot("sendMessage", chat_id=77, text="😀_a", entities=[entity])["ok"]
    assert [(one.shown, one.entities) for one in double.sent()] == [("😀_a", [entity])]


def test_a_button_must_lead_to_a_public_host(bot):
    markup = {"inline_keyboard": [[{"text": "Go", "url": "https://intranet/x"}]]}
    answer = bot("sendMessage", chat_id=77, text="x", reply_markup=markup)
    assert answer["description"] == (
        "Bad Request: inline keyboard button URL 'https://intranet/x' is invalid: Wrong HTTP URL"
    )


def test_plain_text_is_not_parsed(bot):
    assert bot("sendMessage", chat_id=77, text="snake_case *")["ok"]


def test_length_counts_after_parsing(bot):
    long = "*" + "a" * 4096 + "*"
    assert bot("sendMessage", chat_id=77, text=long, parse_mode="Markdown")["ok"]
    assert "too long" in bot("sendMessage", chat_id=77, text="a" * 4097)["description"]


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_refused(bot, text):
    assert bot("sendMessage", chat_id=77, text=text)["error_code"] == 400


@pytest.mark.parametrize("chat", ["", "me", "1; drop"])
def test_a_chat_must_be_known_by_number(bot, chat):
    assert bot("sendMessage", chat_id=chat, text="x")["error_code"] == 400


def test_photos_and_videos_are_kept_with_their_caption(bot, double, session):
    assert bot("sendPhoto", chat_id=77, photo="file-id", caption="look")["ok"]
    upload = {"video": ("v.mp4", b"12345", "video/mp4")}
    url = f"{double.url}/bot{TOKEN}/sendVideo"
    assert session.post(url, data={"chat_id": 77}, files=upload, timeout=60).ok
    photo, video = double.sent()
    assert (photo.method, photo.text) == ("sendPhoto", "look")
    assert video.params["video"] == {"file": "v.mp4", "size": 5}


def test_a_message_names_its_chat_as_an_update_did(bot, double):
    chat = people.Chat(-1001, "News", username="news")
    double.push(TOKEN, people.bot_rights(chat, True))
    assert bot("sendMessage", chat_id=chat.id, text="x")["result"]["chat"] == chat.chat()
    assert bot("sendMessage", chat_id=-5, text="x")["result"]["chat"]["type"] == "supergroup"
