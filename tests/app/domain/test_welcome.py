"""The welcome and the button: a value never becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.welcome import MAX_TEXT, button_url, welcome_text
from plugins.testing import sample_event

TEMPLATES = (
    "Hi {username}, {title}!",
    "*Bold {username}* _it {title}_ `code {click}` {username}",
    "```\npre {click}\n``` [text {title}](https://t.example/?c={click}) {title}",
    "\\*{username}\\_{title}{click}* bold {foo_bar} *",
    "[text]{username} (x) _i_",
)

markup = st.text("_*`[]()\\{}click ab.")


def parse(text: str) -> tuple[str, list[tuple[str, str]]]:
    """Telegram's legacy Markdown, as TDLib's parse_markdown reads it."""
    plain, entities, at = "", [], 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] in tuple("_*`["):
            plain, at = plain + text[at + 1], at + 2
        elif char not in "_*`[":
            plain, at = plain + char, at + 1
        else:
            mark = "```" if text.startswith("```", at) else char
            end = "]" if mark == "[" else mark
            stop = text.index(end, at + len(mark))
            inside = text[at + len(mark) : stop]
            at = stop + len(end)
            link = ""
            if mark == "[" and text[at : at + 1] == "(":
                stop = text.index(")", at)
                link, at = text[at + 1 : stop], stop + 1
            plain += inside
            entities.append((mark, link.partition("?")[0]))
    return plain, entities


@pytest.mark.parametrize("template", TEMPLATES)
@given(one=markup, two=markup)
def test_no_value_becomes_markup(template: str, one: str, two: str):
    harmless = parse(welcome_text(template, sample_event(username="a", title="b", click="c")))
    hostile = parse(welcome_text(template, sample_event(username=one, title=two, click=one)))
    assert [kind for kind, _ in hostile[1]] == [kind for kind, _ in harmless[1]]
    assert hostile[1] == harmless[1]


def test_a_value_outside_markup_is_read_as_it_is():
    event = sample_event(username="a_b*c`d[e]", title="x\\_y")
    assert parse(welcome_text("{username} {title}", event))[0] == "a_b*c`d[e] x\\_y"


def test_a_value_in_bold_keeps_its_underscores():
    assert welcome_text("*{username}*", sample_event(username="a_b*c")) == "*a_bc*"


def test_unknown_macros_stay():
    assert welcome_text("{foo} {lead}", sample_event()) == "{foo} 12"


def test_a_text_is_no_longer_than_telegram_takes():
    assert len(welcome_text("{title}" * 100, sample_event(title="a" * 255))) == MAX_TEXT
    assert len(welcome_text("{title}" * 10, sample_event(title="a" * 255), limit=1024)) == 1024


def test_the_buttons_url_is_filled_like_a_postback():
    event = sample_event(click="a&b")
    assert button_url("https://t.example/?c={click}", event) == "https://t.example/?c=a%26b"
    with pytest.raises(ValueError, match="domain"):
        button_url("https://{click}/", event)
