"""Logging in by OpenID Connect, and what an address that somebody else has prepared can do."""

import re
from html import unescape

import pytest

from app.services.service_bot import sessions
from tests.support.dashboard import OWN
from tests.support.desk import ANN, IVAN

LINK = re.compile(r'<a class="button" href="([^"]+)"')
CROSS = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}


@pytest.fixture
def begun(telegram_login, make_browser):
    """`begun("/bots")`: a browser that was led to Telegram, and the address there."""

    def begin(target="/"):
        browser = make_browser()
        browser.get("/login")
        page = browser.post("/login/oidc", next=target)
        assert page.status_code == 200
        text = page.get_data(as_text=True)
        url = unescape(LINK.search(text)[1])
        assert f'content="0; url={LINK.search(text)[1]}"' in text
        return browser, url

    return begin


def test_whoever_agrees_at_telegram_is_logged_in(telegram_login, begun):
    browser, url = begun("/bots")
    response = browser.get(telegram_login.agree(url, ANN), **CROSS)
    assert (response.status_code, response.headers["Location"]) == (303, "/bots")
    assert "Ann" in browser.page("/bots")
    assert browser.cookie("gatepost_oidc") == ""


def test_an_address_that_was_used_does_not_log_in_again(telegram_login, begun):
    browser, url = begun()
    back = telegram_login.agree(url, ANN)
    secret = browser.cookie("gatepost_oidc")
    browser.get(back)
    browser.set_cookie("")
    browser.set_cookie(secret, "gatepost_oidc")
    assert browser.get(back).status_code == 422
    assert browser.cookie() == ""


def test_a_victims_browser_gets_nothing_of_a_login_that_an_attacker_has_prepared(
    telegram_login, begun, make_browser
):
    _, url = begun()
    prepared = telegram_login.agree(url, IVAN)
    victim = make_browser()
    other, _ = begun()  # a victim who has begun a login of their own
    for browser in (victim, other):
        page = browser.get(prepared, **CROSS)
        assert page.status_code == 422
        assert "did not begin this login" in page.get_data(as_text=True)
        assert browser.cookie() == ""
    assert telegram_login.calls == []  # the code was not even redeemed


def test_an_attackers_browser_gets_nothing_of_a_victims_login(telegram_login, begun):
    """The attacker has seen the address to which the victim was led back."""
    _, url = begun()
    seen = telegram_login.agree(url, ANN)
    attacker, _ = begun()
    assert attacker.get(seen).status_code == 422
    assert attacker.cookie() == ""


def test_whoever_is_logged_in_stays_so_when_a_prepared_address_is_opened(
    telegram_login, begun, browser, account
):
    _, url = begun()
    assert browser.get(telegram_login.agree(url, IVAN), **CROSS).status_code == 422
    assert account.name in browser.page("/bots")


def test_the_session_before_is_over_after_it(telegram_login, begun, account, make_browser):
    browser, url = begun()
    browser.set_cookie(make_browser().log_in(account.key).cookie())
    browser.get(telegram_login.agree(url, ANN), **CROSS)
    assert sessions.listed(account.id) == []
    assert "Ann" in browser.page("/bots")


def test_a_form_of_another_site_begins_no_login(telegram_login, make_browser):
    browser = make_browser()
    browser.get("/login")
    values = {"csrf": browser.token}
    assert browser.send("/login/oidc", values, {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert browser.send("/login/oidc", {"csrf": ""}, OWN).status_code == 403
    assert browser.cookie("gatepost_oidc") == ""


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"aud": 7}, {"iss": "https://evil.example"}, {"exp": 5}, {"sub": "x"}],
)
def test_a_token_that_is_not_for_this_login_is_refused_in_words(telegram_login, begun, claims):
    telegram_login.claims = claims
    browser, url = begun()
    page = browser.get(telegram_login.agree(url, ANN))
    assert page.status_code == 422
    assert "Telegram does not confirm this login" in page.get_data(as_text=True)
    assert browser.cookie() == ""


@pytest.mark.parametrize("answer", [[], {}, "x", {"id_token": 5}, {"error": "invalid_client"}])
def test_an_answer_of_nonsense_is_refused_in_words(telegram_login, begun, answer):
    browser, url = begun()
    telegram_login.answer = answer
    assert browser.get(telegram_login.agree(url, ANN)).status_code == 422


def test_who_does_not_agree_comes_back_to_the_login_page(telegram_login, begun):
    browser, url = begun()
    state = re.search(r"state=([^&]+)", url)[1]
    page = browser.get(f"/login/oidc/back?error=access_denied&state={state}", **CROSS)
    assert page.status_code == 422
    assert "Telegram did not log you in" in page.get_data(as_text=True)


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_after_it_nobody_is_led_away(telegram_login, begun, target):
    browser, url = begun(target)
    assert browser.get(telegram_login.agree(url, ANN)).headers["Location"] == "/"


def test_where_it_is_not_configured_it_is_not_offered(make_browser):
    browser = make_browser()
    assert "/login/oidc" not in browser.page("/login")
    assert browser.post("/login/oidc").status_code == 404
    assert browser.get("/login/oidc/back?code=x&state=y").status_code == 422


def test_the_login_can_be_undone(telegram_login, begun, desk):
    browser, url = begun()
    browser.get(telegram_login.agree(url, ANN))
    (session,) = sessions.listed(desk.account_of(ANN).id)
    assert session.login_id
