"""A template is taken for a preset's tracker where it is one, and else for none."""

from urllib.parse import parse_qs

import pytest

from plugins.contract import EventKind
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.lint import template_warnings
from plugins.trackers.url_template.look_alikes import presets_like
from tests.plugins.trackers.url_template.test_lint import BY_HAND, written


@BY_HAND
def test_a_preset_is_recognised_by_its_url(preset: presets.Preset):
    for _, url in written(preset):
        found = [presets_like(url), presets_like(url.replace("https://", "http://"))]
        assert [preset in one for one in found] == [bool(preset.click.parameter)] * 2
        assert presets_like(url.replace("{click}", "{lead}")) == ()


def names_of(url: str) -> set[str]:
    return set(parse_qs(url.partition("?")[2], keep_blank_values=True))


@BY_HAND
def test_whatever_a_preset_is_taken_for_has_the_same_parameters(preset: presets.Preset):
    """So a click is doubted, or a status, only where every tracker that it may be doubts it."""
    for _, url in written(preset):
        for other in presets_like(url):
            assert other.click.parameter == preset.click.parameter
            urls = [like for mode in other.modes.values() for like in mode.urls.values()]
            assert any(names_of(url) <= names_of(like) for like in urls)


@pytest.mark.parametrize(
    "query",
    [
        "cid={click}",
        "cid={click}&status=approve",
        "cid={click}&payout=1&status=lead",
        "clickid={click}",
        "clickid={click}&status=approve&payout=0",
    ],
)
def test_an_address_that_many_trackers_have_is_taken_for_none(query: str):
    template = f"https://unknown.example/postback?{query}"
    assert presets_like(template) == ()
    assert template_warnings(EventKind.APPROVE, template) == []


def test_a_trackers_own_host_decides_before_addresses_at_any_host():
    url = "https://pstb.peerclick.com/postback?cid={click}&txid={lead}&status=a&payout=1"
    assert [preset.key for preset in presets_like(url)] == ["peerclick"]
    elsewhere = presets_like(url.replace("pstb.peerclick.com", "t.example"))
    assert [preset.key for preset in elsewhere] == ["bemob"]


def test_more_parameters_in_common_decide():
    url = "https://t.example/postback?clickid={click}&action_id={lead}&status=1"
    assert [preset.key for preset in presets_like(url)] == ["affise"]
