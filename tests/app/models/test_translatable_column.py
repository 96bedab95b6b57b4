"""A stored sentence can still be translated, whatever its terms are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.translatable_column import pack, unpack
from plugins.contract import TranslatableText, translatable

INNER = translatable("Telegram takes no link to %(url)s", url="'https://intranet/x'")
OUTER = translatable("%(name)s: %(doubt)s", name="button_url", doubt=INNER)


@pytest.mark.parametrize("text", [INNER, OUTER, translatable("%(n)d days", n=3)])
def test_template_and_terms_come_back(text: TranslatableText) -> None:
    again = unpack(pack(text, 300))
    assert isinstance(again, TranslatableText)
    assert (again, again.template, again.terms) == (text, text.template, text.terms)


@given(st.text(max_size=2000))
def test_a_long_term_is_cut_and_the_sentence_fits(url: str) -> None:
    packed = pack(translatable("Telegram takes no link to %(url)s", url=url), 300)
    assert len(packed) <= 300
    assert unpack(packed).startswith("Telegram takes no link to ")


def test_a_sentence_that_does_not_fit_is_kept_in_english() -> None:
    assert pack(OUTER, 40) == OUTER[:40]


@given(st.text(max_size=400))
def test_other_texts_are_kept_as_they_are(text: str) -> None:
    assert unpack(pack(text, 300)) == text[:300]


@pytest.mark.parametrize(
    "text", ['{"template":', '{"template":1}', '{"template":"%(x)s"}', '{"template":"a","terms":1}']
)
def test_a_text_that_only_begins_like_a_packed_one_is_shown(text: str) -> None:
    assert unpack(text) == text
