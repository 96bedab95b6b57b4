"""A digest names each campaign once, says how many more there are, and offers to mute."""

from collections import Counter

import pytest

from app.models import NoticeKind
from app.services.service_bot import MUTE
from app.services.service_bot.digest_text import (
    BUTTONS,
    LINES,
    LONGEST_BUTTON,
    Topic,
    keyboard,
    render,
)
from app.translations import use_language


def _campaign(number: int, title: str = "Flowers", **counts: int) -> Topic:
    return Topic(number, title, Counter({NoticeKind(kind): n for kind, n in counts.items()}))


@pytest.fixture(autouse=True)
def english(app):
    with use_language("en"):
        yield


def test_counts_of_a_campaign_are_one_line_with_subscribers_first():
    topic = _campaign(1, cancel=1, trash=2, wait=3, hold=1, approve=2)
    assert render([topic]) == (
        "Flowers: 2 new subscribers, 1 request to join, 3 opened the bot, 1 left, 2 removed"
    )


def test_more_topics_than_lines_are_counted_in_the_last_line():
    lines = render([_campaign(number, wait=1) for number in range(LINES + 5)]).split("\n")
    assert len(lines) == LINES + 1
    assert lines[-1] == "And 5 more."


@pytest.mark.parametrize(
    ("kind", "about", "text"),
    [
        (
            NoticeKind.EXPIRY,
            {"days": 1, "tariff": "cat", "until": 0},
            "Your plan Kitty ends in 1 day, on 1970-01-01 00:00 UTC. Renew it to go on.",
        ),
        (
            NoticeKind.RIGHTS,
            {"bot": "track_bot", "title": "Flowers"},
            (
                "@track_bot is no administrator of Flowers any more. "
                "Until it is one again, nobody who comes or goes there is seen."
            ),
        ),
        (
            NoticeKind.TOKEN,
            {"bot": "track_bot"},
            "Telegram refuses the token of @track_bot. Connect the bot again with a new one.",
        ),
    ],
)
def test_other_topics_are_sentences(kind, about, text):
    assert render([Topic(kind=kind, about=about)]) == text


def test_a_plan_that_is_not_sold_any_more_is_named_like_the_free_one():
    topic = Topic(kind=NoticeKind.PAYMENT, about={"tariff": "lion", "until": 0})
    assert "Your plan Kitten runs until" in render([topic])


def test_only_the_first_campaigns_have_a_button_and_other_topics_have_none():
    topics = [Topic(kind=NoticeKind.TOKEN, about={}), *(_campaign(n, wait=1) for n in range(1, 9))]
    buttons = [button for (button,) in keyboard(topics)]
    assert [button["callback_data"] for button in buttons] == [
        f"{MUTE}:{number}" for number in range(1, BUTTONS + 1)
    ]


def test_a_long_title_is_cut_on_its_button():
    ((button,),) = keyboard([_campaign(1, title="x" * 200, wait=1)])
    assert len(button["text"]) == LONGEST_BUTTON
    assert button["text"].endswith("…")


def test_people_who_wait_are_told_with_a_button_that_lets_them_in():
    about = {"campaign": 7, "title": "Flowers", "count": 12}
    topic = Topic(kind=NoticeKind.REQUESTS, about=about)
    assert render([topic]) == "Flowers: 12 people wait to be let in"
    ((approve, *_),) = keyboard([topic])
    assert approve == {"text": "Let all into Flowers", "callback_data": "approve:7"}
    long_title = Topic(kind=NoticeKind.REQUESTS, about=about | {"title": "x" * 200})
    assert len(keyboard([long_title])[0][0]["text"]) == LONGEST_BUTTON
