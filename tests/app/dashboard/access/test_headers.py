import pytest

from app.dashboard.access.headers import HEADERS


@pytest.mark.parametrize("path", ["/", "/bots", "/login", "/bots/1/delete", "/enter/nothing"])
def test_every_page_has_every_header(browser, path):
    response = browser.get(path)
    assert {name: response.headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_allows_nothing_of_others_and_nothing_inline():
    policy = HEADERS["Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def test_over_plain_http_on_loopback_nothing_is_promised_for_https(browser):
    assert "Strict-Transport-Security" not in browser.get("/").headers
