import pytest

from app.domain.clicks.previews import is_preview, wants_no_tracking

BROWSER = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Instagram 300"}


def test_a_browser_that_opens_the_link_is_a_visitor() -> None:
    assert not is_preview("GET", BROWSER)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "  ",
        "facebookexternalhit/1.1",
        "Facebot/1.0",
        "meta-externalagent/1.1",
        "TelegramBot (like TwitterBot)",
        "WhatsApp/2.23",
        "Slackbot-LinkExpanding 1.0",
        "Mozilla/5.0 (compatible; Discordbot/2.0)",
        "LinkedInBot/1.0",
        "Mozilla/5.0 (compatible; vkShare)",
        "SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "AdsBot-Google",
        "bingbot/2.0",
        "YandexBot/3.0",
        "Bytespider",
    ],
)
def test_a_program_that_looks_at_the_link_is_none(agent: str) -> None:
    assert is_preview("GET", {"user-agent": agent})


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"purpose": "preview"},
        {"x-moz": "prefetch"},
    ],
)
def test_what_a_browser_fetches_ahead_of_a_press_is_none(headers: dict[str, str]) -> None:
    assert is_preview("GET", BROWSER | headers)


def test_a_head_is_none() -> None:
    assert is_preview("HEAD", BROWSER)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({}, False), ({"sec-gpc": "1"}, True), ({"dnt": "1"}, True), ({"dnt": "0"}, False)],
)
def test_a_browser_may_ask_not_to_be_recognised(headers: dict[str, str], expected: bool) -> None:
    assert wants_no_tracking(headers) is expected
