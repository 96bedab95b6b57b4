"""The welcome and the button: a value never becomes markup, and a fault never costs the message."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.markdown import utf16_length
from app.domain.welcome import MAX_TEXT, button_url, markdown_fault, render
from app.sandbox.telegram.methods import formatting
from plugins.testing import sample_event

TEMPLATES = (
    "Hi {username}, {title}!",
    "*Bold {username}* _it {title}_ `code {click}` {username}",
    "```\npre {click}\n``` [text {title}](https://t.example/?c={click}) {title}",
    "\\*{username}\\_{title}{click}* bold {foo_bar} *",
    "[text]{username} (x) _i_ {event_id}",
)

markup = st.text("_*`[]()\\{}click ab.😀", min_size=1)


def kinds(template: str, **values: str) -> list[str]:
    return [entity["type"] for entity in render(template, sample_event(**values)).entities]


@pytest.mark.parametrize("template", TEMPLATES)
@given(one=markup, two=markup)
def test_no_value_becomes_markup(template: str, one: str, two: str):
    harmless = kinds(template, username="a", title="b", click="c")
    assert kinds(template, username=one, title=two, click=one) == harmless


@given(one=st.text("_*`[]()\\{} ab.😀"))
def test_a_value_is_read_as_it_is_inside_and_outside_of_marks(one: str):
    text, entities, fault = render(": {username} *{username}*", sample_event(username=one))
    assert (text, fault) == (f": {one} {one}", "")
    length = utf16_length(one)
    bold = [{"type": "bold", "offset": length + 3, "length": length}]
    assert entities == (bold if one else [])


def test_a_link_whose_text_is_empty_leaves_no_other_link():
    template = "a [{username}](https://e.com/my_page?c={click}) b_c"
    text, entities, _ = render(template, sample_event(username="", click="x_y"))
    assert (text, entities) == ("a  b_c", [])


@pytest.mark.parametrize(
    ("template", "title", "text", "url"),
    [
        ("[{username}](https://e.com/?c={click})", "Chat", "https://e.com/?c=x", True),
        ("*{username}* [ {username}](https://e.com/)", "Chat", "https://e.com/", True),
        ("{username}", "Chat", "Chat", False),
        ("_{username}_ \u2800\n", "\u200b", "\U0001f44b", False),
        ("[{username}](https://intranet/)", "Chat", "Chat", False),
    ],
)
def test_a_welcome_whose_macros_have_no_values_says_something_and_is_flagged(
    template: str, title: str, text: str, url: bool
):
    result = render(template, sample_event(username="", title=title, click="x"))
    assert (result.text, [entity["url"] for entity in result.entities]) == (text, [text] * url)
    assert result.fault


@given(
    template=st.text("_*`[](){} a\u200b\u2800\n", max_size=12), name=st.text("\ufeff _", max_size=2)
)
def test_no_welcome_is_empty_to_telegram(template: str, name: str):
    template = template.replace("{}", "{username}")
    result = render(template, sample_event(username=name, title=name))
    assert formatting.is_empty(result.text) is not bool(template.strip())


def test_a_value_in_a_link_stays_in_its_parameter():
    template = "[go](https://e.com/my_page?c={click}&n=1)"
    _, [link], fault = render(template, sample_event(click="a_b&n=2)"))
    assert (link["url"], fault) == ("https://e.com/my_page?c=a_b%26n%3D2%29&n=1", "")


def test_unknown_macros_stay():
    text, entities, fault = render("{first_name} {last_name} {lead}", sample_event())
    assert (text, entities, fault) == ("{first_name} {last_name} 12", [], "")


@pytest.mark.parametrize(
    ("template", "text", "types"),
    [
        ("*Hi* {first_name}_", "Hi {first_name}_", ["bold"]),
        ("a_b *c*", "a_b c", ["bold"]),
        ("[[[ _i_", "[[[ i", ["italic"]),
        ("```py _i_", "```py i", ["italic"]),
        ("*b* *c", "b *c", ["bold"]),
    ],
)
def test_a_mark_without_an_end_costs_itself_alone(template: str, text: str, types: list[str]):
    result = render(template, sample_event())
    assert (result.text, [entity["type"] for entity in result.entities]) == (text, types)
    assert result.fault == markdown_fault(template)
    assert result.fault.startswith("Can't find end of the entity starting at byte offset ")


def test_a_link_that_telegram_refuses_is_text():
    template = "*Hi* [in](https://intranet/x) [out](https://e.com)"
    text, entities, fault = render(template, sample_event())
    assert text == "Hi in out"
    assert [entity["type"] for entity in entities] == ["bold", "text_link"]
    assert "https://intranet/x" in fault


@pytest.mark.parametrize("limit", [MAX_TEXT, 1024])
def test_a_text_is_no_longer_than_telegram_takes_and_its_entities_end_with_it(limit: int):
    result = render("a *{title}*" + "b" * 5000, sample_event(title="😀" * 3000), limit)
    assert limit - 1 <= utf16_length(result.text) <= limit
    [bold] = result.entities
    assert bold["offset"] + bold["length"] == utf16_length(result.text)
    assert str(limit) in result.fault
    assert render("a *{title}*", sample_event(title="b"), limit).fault == ""


def test_many_marks_without_an_end_are_read_quickly():
    result = render("[" * 4096, sample_event())
    assert (result.text, result.entities) == ("[" * 4096, [])


def test_the_buttons_url_is_filled_like_a_postback():
    event = sample_event(click="a&b")
    assert button_url("https://t.example/?c={click}", event) == "https://t.example/?c=a%26b"
    with pytest.raises(ValueError, match="domain"):
        button_url("https://{click}/", event)
