import pytest

from app.dashboard.access import cookies


@pytest.mark.parametrize(
    ("url", "headers", "is_local"),
    [
        ("http://localhost:8000/", {}, True),
        ("http://127.0.0.1/", {}, True),
        ("http://[::1]:8000/", {}, True),
        ("http://127.0.0.1:8000/", {"X-Forwarded-For": "9.9.9.9"}, False),
        ("https://localhost/", {}, False),
        ("http://gate.example/", {}, False),
        ("http://127.0.0.1.evil.example/", {}, False),
        ("http://192.168.1.5:8000/", {}, False),
    ],
)
def test_only_plain_http_on_loopback_goes_without_https(app, url, headers, is_local):
    with app.test_request_context(base_url=url, headers=headers):
        assert cookies.is_local() is is_local


def test_a_cookie_is_out_of_reach_of_scripts_and_other_sites(app, account):
    client = app.test_client()
    response = client.get("/login", base_url="https://gate.example")
    cookie = response.headers["Set-Cookie"]
    for part in ("__Host-gatepost_form=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie


def test_a_form_cookie_that_we_did_not_make_is_replaced(make_browser):
    browser = make_browser()
    browser.set_cookie("short", "gatepost_form")
    browser.page("/login")
    assert len(browser.cookie("gatepost_form")) >= 32
