"""A link is taken, refused in the same words, and a mention, as by TDLib itself."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.telegram.links import link_fault, mentioned_user
from app.domain.welcome import is_link
from bench.markdown import Tdlib, generated_mentions, generated_urls

TDLIB = Tdlib()


def test_forty_thousand_generated_urls_are_judged_as_by_tdlib():
    urls = [*generated_urls(40_000, seed=5)]
    assert [url for url in urls if link_fault(url) != TDLIB.link_fault(url)] == []
    taken = sum(is_link(url) for url in urls)
    assert 1_000 < taken < 39_000  # both are met often


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
@example("https://e.com:/a")
@example(".")
@example("https://[zz]/")
@example("https://[::1]:0443/")
def test_any_text_is_judged_as_by_tdlib(rest):
    for url in (rest, f"https://{rest}", f"tg://{rest}", f"https://u:{rest}@e.com/"):
        assert link_fault(url) == TDLIB.link_fault(url)


def test_twenty_thousand_generated_mentions_are_read_as_by_tdlib():
    urls = [*generated_mentions(20_000, seed=5)]
    assert [url for url in urls if mentioned_user(url) != TDLIB.mentioned_user(url)] == []
    assert sum(mentioned_user(url) > 0 for url in urls) > 100


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("tg://user?id=42", 42),
        ("TG:User/?x=1&ID=42#7", 42),
        ("tg://user?id=1&id=2", 1),
        ("tg://user?id=0", 0),
        ("tg://user?id=007", 0),
        ("tg://user?id=1099511627776", 0),
        ("tg://users?id=1", 0),
        ("https://e.com/?id=1", 0),
    ],
)
def test_the_person_of_a_mention(url, user):
    assert mentioned_user(url) == TDLIB.mentioned_user(url) == user
