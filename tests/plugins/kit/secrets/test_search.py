"""Capitals, groups and many secrets of one beginning hide nothing, and words stay words."""

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.secrets import search
from plugins.kit.secrets.search import MOST_PLACES, search_for
from plugins.kit.secrets.typed import encodings, mask_cut, secrets_of_fields
from plugins.masking import WITHHELD

KEY = "Zq7Kx9Wp3VbNr8Tm"


def groups(mark: str, text: str) -> str:
    return mark.join(text[at : at + 4] for at in range(0, len(text), 4))


def digits(mark: str, text: str) -> str:
    return mark.join(f"{byte:02x}" for byte in text.encode())


SET: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "small letters": str.lower,
    "the other way round": str.swapcase,
    "groups with spaces": lambda text: groups(" ", text),
    "groups with dashes": lambda text: groups("-", text.upper()),
    "groups with spaces in a URL": lambda text: groups("%20", text),
    "groups with percent signs": lambda text: groups("%", text),
    "groups in lines": lambda text: groups("\r\n", text.lower()),
    "every character by itself": " ".join,
    "hexadecimal with spaces": lambda text: digits(" ", text),
    "hexadecimal with colons": lambda text: digits(":", text).upper(),
    "hexadecimal of a program": lambda text: "0x" + digits(", 0x", text),
    "hexadecimal of UTF-16": lambda text: text.encode("utf-16-le").hex(),
    "base64 in groups": lambda text: groups(" ", base64.b64encode(text.encode()).decode()),
    "base64 twice": lambda text: (
        base64.b64encode(base64.b64encode(text.encode())).decode().rstrip("=")
    ),
}


@pytest.mark.parametrize("setting", SET.values(), ids=SET)
def test_a_key_is_masked_however_it_is_set(setting: Callable[[str], str]):
    shown = mask_cut(f"no such key ({setting(KEY)}) here", tuple(encodings(KEY)))
    assert shown.startswith("no such key (***")
    assert len(shown) <= len("no such key (***===) here")


@pytest.mark.parametrize("setting", [str.upper, lambda text: groups("-", text)])
def test_the_head_of_a_key_that_was_cut_is_masked_however_it_is_set(setting):
    assert mask_cut(f"no key {setting(KEY[:13])}", tuple(encodings(KEY))) == "no key ***"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("postback-7Kx9Wp3V", "Postback 7 was refused, post back later"),
        ("Ab3-xY", "AB3 XY"),  # too short for it to be no accident
        (KEY, "zq7kx9 is no click"),
        ("1735689600", "at 2025-01-01 00:00:00"),
    ],
)
def test_words_and_numbers_that_only_resemble_a_key_are_shown(key, text):
    assert mask_cut(text, (key,)) == text


@given(
    st.lists(st.text("ab-Ü ", min_size=1, max_size=9), max_size=9), st.text("aAb-Ü %", max_size=40)
)
def test_few_are_found_as_many_are(secrets, text):
    few = search_for(tuple(secrets))
    rest = [f"{number:04}{number:04}{number:04}" for number in range(100)]
    many = search_for((*secrets, *rest))
    assert set(few.spans(text)) == set(many.spans(text))
    assert few.may_be_in(text) or not list(few.spans(text))
    assert many.may_be_in(text) or not list(many.spans(text))


def test_many_secrets_of_one_beginning_cost_no_more_looks_than_the_text_is_long():
    """Whoever types the secrets may answer for the tracker, too, with that beginning alone."""

    class Counted(str):
        __slots__ = ()
        looks = 0

        def find(self, *terms):
            Counted.looks += 1
            return str.find(self, *terms)

        def __contains__(self, part):
            Counted.looks += 1
            return str.__contains__(self, part)

    secrets = tuple(f"abcdefgh{number:05}" for number in range(1900))
    text = Counted("abcdefghx" * 100)
    spans = list(search_for(secrets).spans(text))
    assert len(spans) >= 100
    assert all(text[start:end] == "abcdefgh" for start, end in spans)
    assert Counted.looks < len(text)


def test_with_very_many_secrets_nothing_of_a_text_is_shown():
    secrets = tuple(f"secret-{number:05}" for number in range(2001))
    assert mask_cut("anything", secrets) == WITHHELD
    assert mask_cut("", secrets) == ""
    assert mask_cut("anything", secrets[:2000]) == "anything"


@pytest.fixture
def comparisons(monkeypatch):
    """The places at which a text was compared with a list of secrets."""
    places: list[int] = []

    def counted(text, start, secret):
        places.append(start)
        return compare(text, start, secret)

    compare = search._common
    monkeypatch.setattr(search, "_common", counted)
    return places


HOSTILE = "6162 YWJj abcd hYmN FiY2 YWJYWJYWJ" * 240


def test_a_body_of_7000_words_with_two_beginnings_costs_nothing(comparisons):
    words = [f"{'abcd' if number % 2 else 'wxyz'}{number:05}" for number in range(7000)]
    secrets = secrets_of_fields(
        {str(at): " ".join(words[at : at + 100]) for at in range(0, 7000, 100)}
    )
    assert len(secrets) > 7000
    assert mask_cut(HOSTILE, secrets) == WITHHELD
    assert not comparisons


@pytest.mark.parametrize("unit", ["abcdefgh", "wxyz9abcd", "abcdefghwxyz1234", "%61bcdefgh"])
@pytest.mark.parametrize("amount", [2, 64, 1990])
def test_a_text_full_of_two_beginnings_is_compared_so_often_and_no_more(comparisons, unit, amount):
    secrets = tuple(
        f"{'abcdefgh' if number % 2 else 'wxyz9abc'}{number:05}" for number in range(amount)
    )
    text = (unit * 2000)[:8180] + "%252561"
    shown = mask_cut(text, secrets)
    readings = 4
    for beginning in ("abcdefgh", "wxyz9abc"):
        assert beginning not in shown
    # Exactly and tightly, with two neighbours in the list.
    assert len(comparisons) <= MOST_PLACES * readings * 2 * 2


def test_masks_that_make_more_secrets_without_end_hide_the_whole_text():
    assert mask_cut("***" + "a" * 8000, ("***a",)) == WITHHELD
    assert mask_cut("***aaa.", ("***a",)) == "***."
