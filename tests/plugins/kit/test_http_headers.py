"""Which headers an adapter may send."""

import pytest

from plugins.kit.http_headers import is_framing, is_name, is_value


@pytest.mark.parametrize("name", ["Host", "HOST", "content-length", "Transfer-Encoding"])
def test_headers_that_frame_the_message_are_known_in_any_case(name):
    assert is_framing(name)
    assert not is_framing(f"X-{name}")


@pytest.mark.parametrize("name", ["", "X A", "X:", "caf\u00e9", "X\n"])
def test_a_name_is_a_token(name):
    assert not is_name(name)
    assert is_name("X-One")


@pytest.mark.parametrize("value", ["a\r\nb", "\x00", "\x7f", "caf\u00e9"])
def test_a_value_has_nothing_that_ends_or_breaks_the_line(value):
    assert not is_value(value)
    assert is_value("a\tb ~")
