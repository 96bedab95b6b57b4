from hypothesis import given
from hypothesis import strategies as st

from app.domain.storable_text import UNSTORABLE, sanitize


def test_unstorable_characters_and_surrounding_space_are_removed() -> None:
    assert sanitize(" a\x00b\ud800c\udfff \n", 10) == "abc"


def test_a_long_text_is_cut() -> None:
    assert sanitize("x" * 20, 7) == "x" * 7


@given(st.text(alphabet=st.characters(codec=None)))
def test_what_is_left_is_utf_8_and_fits(text: str) -> None:
    clean = sanitize(text, 12)
    assert not UNSTORABLE.search(clean)
    assert clean.encode().decode() == clean
    assert len(clean) <= 12


@given(st.text())
def test_storable_text_is_kept_as_it_is(text: str) -> None:
    kept = sanitize(text, len(text))
    assert kept == text.replace("\0", "").strip()
