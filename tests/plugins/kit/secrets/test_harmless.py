"""Words and short numbers are shown; whatever might be a key is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.secrets.harmless import is_header, is_parameter, is_path_segment, is_prose_word

KEYS = (
    "0d6b0f1", "a1B2c3D4e5F6a7B8c9", "8f14e45f-ceea-467f-a0e6-b2b1c3d4e5f6", "42-abcdef99",
    "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "deadbeef0deadbeef", "s3cr%2Bet", "1234567890123",
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_shown_nowhere(key: str):
    assert not is_path_segment(key)
    assert not is_path_segment(f"postback-{key}")
    for name in ("click", "x", "token", "status", "payout"):
        assert not is_parameter(name, key)


@pytest.mark.parametrize(
    "segment",
    ["postback", "Postback.php", "api", "v1", "v2.1", "s2s", "{click}", "lead-{lead}", "2", "99",
     "conversion_event", "tracking202", ""],
)  # fmt: skip
def test_an_ordinary_path_is_shown(segment: str):
    assert is_path_segment(segment)


@pytest.mark.parametrize("segment", ["secretword", "api-hunter", "1234", "{click}x9", "key.pem"])
def test_a_path_that_holds_more_than_words_is_not(segment: str):
    assert not is_path_segment(segment)


@pytest.mark.parametrize(
    ("name", "value"),
    [("status", "approved"), ("cnv_status", "rejected"), ("payout", "1.50"), ("x", "12"),
     ("currency", "USD"), ("goal", "deposit2"), ("any", "lead"), ("utm_source", "telegram-ads"),
     ("sum", "-100000")],
)  # fmt: skip
def test_values_that_say_what_happened_are_shown(name: str, value: str):
    assert is_parameter(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("key", "approved"), ("token", "summer"), ("status", "two words"), ("x", "1234567"),
     ("payout", "123456789012"), ("status", "x" * 25), ("password", "rejected")],
)  # fmt: skip
def test_the_same_values_under_other_names_are_not(name: str, value: str):
    assert not is_parameter(name, value)


@given(st.text("0123456789abcdefABCDEF", min_size=20, max_size=40))
def test_long_digits_and_letters_are_never_harmless(value: str):
    assert not is_path_segment(value)
    assert not is_parameter("sub1", value) or value.isalpha()


@pytest.mark.parametrize("name", ["Content-Type", "HOST", "webhook-id", "Idempotency-Key"])
def test_headers_that_tell_how_to_read_a_message_are_shown(name: str):
    assert is_header(name)


@pytest.mark.parametrize("name", ["Authorization", "Cookie", "X-Api-Key", "webhook-signature"])
def test_any_other_header_is_not(name: str):
    assert not is_header(name)


@pytest.mark.parametrize(
    ("word", "shown"),
    [("Lead:", True), ("заявка,", True), ("two-part", True), ("12", True), ("—", True),
     ("s3cret", False), ("a_b", False), ("abc/def", False)],
)  # fmt: skip
def test_a_word_of_a_sentence_is_letters_or_a_short_number(word, shown):
    assert is_prose_word(word) is shown
