"""Which link a visitor of a source gets."""

from __future__ import annotations

from types import SimpleNamespace

from app.services.clicks import target

SOURCE = SimpleNamespace(username="trackbot", campaign_code="c00001")
NOW = 1_700_000_000.0


def test_a_click_goes_to_the_bot_with_its_token():
    choice = target.choose(SOURCE, "t" * 16, NOW)
    assert choice.link == f"https://t.me/trackbot?start=c00001_{'t' * 16}"
    assert target.choose_again(SOURCE, "t" * 16, NOW + 5) == choice


def test_what_is_no_click_goes_to_the_bot_without_one():
    assert target.plain(SOURCE).link == "https://t.me/trackbot?start=c00001"
