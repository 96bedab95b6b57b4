import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clicks.payloads import StartPayload, new_token, of_token, split

TOKEN = "a1B2c3D4e5F6g7H8"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("", StartPayload("")),
        ("abc123", StartPayload("abc123")),
        ("abc123-", StartPayload("abc123")),
        ("abc123_", StartPayload("abc123")),
        ("abc123-a-b_c", StartPayload("abc123", click="a-b_c")),
        (f"abc123_{TOKEN}", StartPayload("abc123", token=TOKEN)),
        (f"abc123-{TOKEN}", StartPayload("abc123", click=TOKEN)),
        (f"abc123_{TOKEN}x", StartPayload("abc123", click=f"{TOKEN}x")),
        ("abc123_short", StartPayload("abc123", click="short")),
        (f"abc123-_{TOKEN}", StartPayload("abc123", click=f"_{TOKEN}")),
    ],
)
def test_the_first_mark_ends_the_code_and_says_what_follows(
    payload: str, expected: StartPayload
) -> None:
    assert split(payload) == expected


def test_a_token_comes_back_from_the_payload_that_carries_it() -> None:
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    for token in tokens:
        payload = of_token("abc123", token)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload)
        assert split(payload) == StartPayload("abc123", token=token)


@given(st.text(max_size=300))
def test_any_payload_is_split_and_nothing_of_it_is_lost(payload: str) -> None:
    code, click, token = split(payload)
    assert not (click and token)
    assert len(code) + len(click) + len(token) in (len(payload), len(payload) - 1)
