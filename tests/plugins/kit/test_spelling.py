"""What can never work is refused where it is typed; what hardly will is warned of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.spelling import (
    address_fault,
    doubts,
    fragment_doubt,
    macro_fault,
    marked_macros,
    postback_fault,
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
    "macro", ["{sub1}", "{subid}", "{first_name}", "{{click_id}}", "${SUBID}", "{ sub }", "%7Bx%7D"]
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


def test_texts_are_read_for_macros_alone():
    assert macro_fault("10\u00a0000 &amp; {click}") == ""
    assert macro_fault("{{lead}}")


def test_what_presets_write_has_no_fault():
    for preset in presets.presets().values():
        for mode in preset.modes.values():
            for url in mode.urls.values():
                assert postback_fault(url) == "", preset.key
                assert marked_macros(url) == [], preset.key
                assert fragment_doubt(url) == "", preset.key


@given(st.text(max_size=80))
def test_any_text_is_judged(text):
    for judge in (address_fault, postback_fault, macro_fault):
        assert isinstance(judge(text), str)
    assert all(doubts(text) or [True])
