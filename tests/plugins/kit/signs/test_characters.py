"""A character that nobody sees is found by its properties, and one that a script needs is not."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.telegram.methods import formatting
from plugins.kit.signs.characters import BREAKS, first_unseen, is_unseen

#: One of each kind: control, space, format, ignorable, filler, blank symbol, tag, noncharacter.
UNSEEN = (
    "\0\t\n\r\x1b\x7f\x85\u00a0\u00ad\u034f\u061c\u115f\u17b4\u180b\u180e\u2003\u200b\u200e\u2028"
    "\u202e\u2060\u2065\u2800\u3164\ufe00\ufe0f\ufeff\uffa0\ufff0\ufff9\ufffc\uffff\ufdd0"
    "\U0001d159\U0001d173\U00016fe4\U000e0001\U000e0041\U000e0100\U000e01ef\U000e0fff"
)


@pytest.mark.parametrize("code", [f"{ord(character):04X}" for character in UNSEEN])
@pytest.mark.parametrize("before", ["", "approve", "\u0434\u0430"])
def test_what_nobody_sees_is_found_behind_a_letter(code, before):
    assert first_unseen(before + chr(int(code, 16))) == len(before)


@pytest.mark.parametrize(
    "text",
    [
        *("", "approve", "a b", "Straße", "e\u0308", "\ufffd", "\u0600\u0661", "\ue000"),
        *(
            "\u0645\u06cc\u200c\u062e\u0648",
            "\u0915\u094d\u200d\u0937",
            "👩\u200d👧",
            "🏳\ufe0f\u200d🌈",
        ),
        *(
            "❤\ufe0f",
            "©\ufe0f",
            "\u2139\ufe0f",
            "1\ufe0f\u20e3",
            "👍🏽",
            "葛\U000e0100",
            "\u1820\u180b",
        ),
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
)
def test_what_a_script_or_an_emoji_needs_is_seen(text):
    assert first_unseen(text) == -1


@pytest.mark.parametrize(
    "text",
    [
        *("a\u200db", "да\u200dн\u0435т", "a\ufe0f", "1\ufe0f", "да\ufe0f", "a\U000e0100"),
        *("❤\ufe0f\ufe0f", "👩\u200d", "🏴\U000e0067", "\u3164\ufe0f"),
    ],
)
def test_the_same_characters_are_unseen_where_nothing_needs_them(text):
    assert first_unseen(text) >= 0


def test_line_breaks_may_be_allowed():
    assert first_unseen("a\n\tb\0", BREAKS) == 4


def test_what_telegram_takes_for_nothing_is_unseen_here():
    """But for the plain space, and for three marks that Telegram takes out of every text."""
    blank = [chr(code) for code in range(sys.maxunicode + 1) if chr(code) in formatting._BLANKS]
    marks = [character for character in blank if not is_unseen(character)]
    assert [f"{ord(mark):04X}" for mark in marks] == ["0020", "030A", "0333", "033F"]


def test_every_control_and_format_character_is_judged_by_its_category():
    seen = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Zl", "Zp") and not is_unseen(chr(code))
    ]
    assert all(unicodedata.bidirectional(character) in ("AN", "AL", "L") for character in seen)
    assert len(seen) < 15


@given(st.text(st.characters(categories=("L", "N", "P"), max_codepoint=0x2FF)))
def test_letters_digits_and_signs_are_seen(text):
    assert first_unseen(text) == -1
