"""The names that mean a secret."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.kit.secrets.names import IN_TEXT, is_secret_name

SECRET = """token access_token accessToken TOKEN bot-token token_2 tokens key api_key apiKey
apikey X-Api-Key postback_key secure_key secret client.secret secret2 password passwd pass pwd pw
auth Authorization Proxy-Authorization signature X-Signature sign hash secure Cookie Set-Cookie
credentials""".split()

ORDINARY = """click clickid monkey monkeys keyword hashtag passenger compass design signal author
X-Title token_type idempotency_key Idempotency-Key X-Idempotency-Key name url status keyboard
payout campaign""".split()


@pytest.mark.parametrize("name", SECRET)
def test_a_name_that_ends_with_a_secret_word_means_a_secret(name: str):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_name_does_not(name: str):
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", [name for name in SECRET if name != "Set-Cookie"])
def test_a_log_line_finds_the_same_names_in_running_text(name: str):
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name)
    assert re.search(IN_TEXT + "=", f"it failed at {snake}=value", re.IGNORECASE)


@pytest.mark.parametrize("name", ["monkey", "author", "compass", "keyword", "idempotency_key"])
def test_a_log_line_shows_ordinary_names(name: str):
    assert not re.search(IN_TEXT + "=", f"it failed at {name}=value", re.IGNORECASE)


@given(st.text(max_size=40))
def test_a_secret_word_after_any_prefix_means_a_secret(prefix: str):
    assert is_secret_name(f"{prefix}_token")
