"""What can never work is refused where it is typed; what hardly will is warned of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.signs import notations
from plugins.kit.spelling import (
    address_fault,
    blank_doubt,
    doubts,
    empty_macros,
    fragment_doubt,
    macro_fault,
    postback_fault,
    separator_doubt,
    touch_macros,
    word_fault,
)
from plugins.trackers.url_template import presets

INVISIBLE = "\u200b\ufeff\u00a0\u202e\u200f\u2066\u00ad\u2060\u3164"
NEVER = {
    **{f"https://t.example/pb?c={{click}}&s=approve{char}": "U+" for char in INVISIBLE},
    "https://t.example/pb?c={click}&s=approve%E2%80%8B": "U+200B",
    "https://t.example/pb?c={click}&s=%EF%BB%BFapprove": "U+FEFF",
    "https://t.example/pb?c=%C2%A0{click}": "U+00A0",
    "https://t.example/pb?c={click}&amp;s=approve": "&amp;",
    "https://t.example/pb?c={click}&#38;s=approve": "&#38;",
    "https://t.example/pb?c={click}&#x26;s=approve": "&#x26;",
    "https://t.example/pb?c={click}&AMP;s=approve": "&AMP;",
    "https://t.example/pb?c={click}&#038;s=approve": "&#038;",
    "https://t.example/pb?c={click}%26amp%3Bs=approve": "&amp;",
    "https://t.example/pb?c={click}\\u0026s=approve": "\\u0026",
    "https://t.example/pb?c={click}%u0026s=approve": "%u0026",
    **{
        f"https://t.example/pb?c={{click}}&s=approve{code}": code and word
        for code, word in {
            "%00": "U+0000",
            "%1B": "U+001B",
            "%7F": "U+007F",
            "%E2%A0%80": "U+2800",
            "%EF%B8%8F": "U+FE0F",
            "%F3%A0%84%80": "U+E0100",
            "%EF%BF%BC": "U+FFFC",
            "%25E2%2580%258B": "U+200B",
        }.items()
    },
    "https://t.example/pb?c={click}&n={lead|number}": "write {lead}",
    "https://t.example/pb?c={сlick}": "U+0441, only looks like ours; write {click}",  # noqa: RUF001
    "https://t.example/pb?c={{click}}": "write {click}",
    "https://t.example/pb?c=${click}": "write {click}",
    "https://t.example/pb?c={ click }": "write {click}",
    "https://t.example/pb?c=%7Bclick%7D": "write {click}",
    "https://t.example/pb?c=%7b%7bclick%7d%7d": "write {click}",
}


@pytest.mark.parametrize(("template", "word"), NEVER.items())
def test_a_spelling_that_can_never_work_is_refused(template, word):
    assert word in address_fault(template)
    assert word in postback_fault(template)


@pytest.mark.parametrize("code", ["%0A", "%0D%0A", "%09", "%0a"])
@pytest.mark.parametrize("template", ["?s=approve{}", "?s={}approve&c={click}", "{}?c={click}"])
def test_a_line_break_at_the_edge_of_a_value_is_refused_for_a_postback(code, template):
    url = "https://t.example/pb" + template.replace("{}", code)
    assert "invisible" in postback_fault(url)
    assert address_fault(url) == ""
    assert "invisible" in blank_doubt(url)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("s=approve%20", "0020"),
        ("s=%20approve&c={click}", "0020"),
        ("c={click}%20", "0020"),
        ("s=one%0Atwo", "000A"),
        ("text=%0AHello+all", ""),
        ("text=Hello%20all%0A{click}%20", ""),
        ("phone=+7123&s=", ""),
    ],
)
def test_a_blank_that_hardly_belongs_there_is_doubted_but_in_prose(query, code):
    url = f"https://t.example/pb?{query}"
    assert postback_fault(url) == ""
    assert (f"U+{code}" in blank_doubt(url)) if code else blank_doubt(url) == ""


@pytest.mark.parametrize(
    "word", ["approve\u2800", "approve%E2%80%8B", "approve%0A", "approve%20", "approve\n", "%00"]
)
def test_a_word_has_nothing_invisible_in_any_spelling(word):
    assert "invisible" in word_fault(word)


@pytest.mark.parametrize("word", ["", "approve", "100%", "two words%0A", "https://e.com/?a=b%20"])
def test_a_word_may_have_percents(word):
    assert word_fault(word) == ""


def test_a_text_for_people_has_no_macros_of_a_click():
    assert touch_macros("{username}{click}") == []
    (line,) = touch_macros("{utm_source} {click}{utm_source}")
    assert line.startswith("{utm_source} belongs to postbacks")


def test_macros_of_conversions_are_empty_elsewhere():
    assert empty_macros("{username}{click}") == []
    assert [line.split()[0] for line in empty_macros("{name} {value}{name}")] == [
        "{name}",
        "{value}",
    ]


@pytest.mark.parametrize(
    "template",
    [
        "https://t.example/#/pb?c={click}",
        "https://t.example/#c=1",
        "https://t.example/?a=1#{click}",
    ],
)
def test_what_a_fragment_swallows_is_refused_for_a_postback_and_not_for_a_button(template):
    assert "#" in postback_fault(template)
    assert address_fault(template) == ""


@pytest.mark.parametrize(
    "template",
    [
        "",
        "https://t.example/pb?c={click}&s=approve",
        "https://t.example/pb?c={click}&meta[click]=1#top",
        "https://t.example/pb?c={click}&text=a%20b&emoji=👩\u200d👧&e=%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7",
        "https://t.example/pb?c={click}&name=\u0645\u06cc\u200c\u062e\u0648",
        "https://t.example/pb?a=1&copy=2&c={{subid}}",
    ],
)
def test_a_spelling_that_may_be_right_is_taken(template):
    assert postback_fault(template) == ""


@pytest.mark.parametrize(
    "macro",
    ["{subid1}", "{subid}", "{first_name}", "{{click_id}}", "${SUBID}", "{ sub }", "%7Bx%7D"],
)
def test_a_macro_of_another_system_is_warned_of_once(macro):
    (doubt,) = doubts(f"Hello {macro}, {macro} {{click}}")
    assert doubt.startswith(f"{macro} is no macro")


@pytest.mark.parametrize(
    "macro",
    [
        *(
            "[click]",
            "[[subid]]",
            "[CLICK_ID]",
            "<click>",
            "<click_id>",
            "__CLICK__",
            "__CLICK_ID__",
        ),
        *(
            "%click%",
            "%%clickid%%",
            "%SUBID%",
            "#click_id#",
            "@@click@@",
            "{click",
            "{click&x",
            '{click"}',
        ),
    ],
)
def test_a_macro_in_the_marks_of_another_system_is_warned_of(macro):
    shown = macro.removesuffix("&x").removesuffix('"}')
    for template in (f"https://t.example/pb?c={macro}", f"Hello {macro}", macro):
        (doubt,) = doubts(template)
        assert doubt.startswith(f"{shown} is no macro")


@pytest.mark.parametrize(
    "template",
    [
        *("Read [this](https://e.com), [Status] of <b>things</b> and __init__", "100%, 50% off"),
        *(
            "https://t.example/?a=%20click%20",
            "https://t.example/?meta[click_1]={click}",
            "#joy #luck",
        ),
        *(
            "https://t.example/%D0%BAclick%D0%BA",
            "{username} and {click}",
            "a@b.c",
            "[{username}](u)",
        ),
    ],
)
def test_what_only_looks_a_little_like_a_macro_is_left_in_peace(template):
    assert doubts(template) == []


@pytest.mark.parametrize(
    ("template", "doubt"),
    [
        ("https://t.example/pb?c={click}#top", "#top is never sent"),
        ("https://t.example/pb#", "# is never sent"),
        ("https://t.example/pb?c={click}%23top", ""),
        ("https://t.example/pb?c=#click#", ""),
    ],
)
def test_a_fragment_is_warned_of(template, doubt):
    assert fragment_doubt(template).startswith(doubt)
    assert bool(fragment_doubt(template)) is bool(doubt)


@pytest.mark.parametrize(
    ("template", "doubt"),
    [
        ("https://t.example/pb?s=1?c={click}", "there is a second ?"),
        ("https://t.example/pb??c={click}", "there is a second ?"),
        ("https://t.example/pb?s=1&t=2?c={click}#x", "there is a second ?"),
        ("https://t.example/pb&c={click}&s=1", "there is no ? in the address: &c is"),
        ("https://t.example/pb&c={click}#?", "there is no ?"),
        ("https://t.example/pb?c={click}&t=really?", ""),
        ("https://t.example/pb?c={click}&r=https://e.com/?a=1", ""),
        ("https://t.example/pb?c={click}&r=https%3A%2F%2Fe.com/?a=1", ""),
        ("https://t.example/pb?{click}", ""),
        ("https://t.example/a&b/{click}", ""),
        ("https://t.example/pb;c={click}", ""),
        ("", ""),
    ],
)
def test_parameters_that_a_server_would_not_see_are_warned_of(template, doubt):
    assert separator_doubt(template).startswith(doubt)
    assert bool(separator_doubt(template)) is bool(doubt)


def test_texts_are_read_for_macros_alone():
    assert macro_fault("10\u00a0000 &amp; {click}") == ""
    assert macro_fault("{{lead}}")


def test_what_presets_write_has_no_fault():
    for preset in presets.presets().values():
        for mode in preset.modes.values():
            for url in mode.urls.values():
                assert postback_fault(url) == "", preset.key
                assert all(macro.is_sure for macro in notations.find(url)), preset.key
                assert fragment_doubt(url) == "", preset.key
                assert separator_doubt(url) == "", preset.key


@given(st.text(max_size=80))
def test_any_text_is_judged(text):
    for judge in (address_fault, postback_fault, macro_fault):
        assert isinstance(judge(text), str)
    assert all(doubts(text) or [True])
