"""Logging in by the service bot, and what a link that somebody else has made can do: nothing."""

import re

import pytest

from app.services.service_bot import sessions
from tests.support.dashboard import OWN, text_of
from tests.support.desk import ANN, IVAN

LINK = re.compile(r"https://t\.me/gate_service_bot\?start=(login-[A-Za-z0-9_-]+)")


@pytest.fixture
def begun(desk, make_browser, clean_redis):
    """`begun("/bots")`: a browser that shows a link, and the payload of the link."""

    def begin(target="/"):
        browser = make_browser()
        browser.get(f"/login?next={target}")
        page = browser.done("/login/telegram", next=target)
        return browser, LINK.search(page)[1]

    return begin


def test_whoever_agrees_in_telegram_is_logged_in(desk, begun):
    browser, payload = begun("/bots")
    page = browser.page("/login/wait?next=/bots")
    assert "<svg" in page
    assert "was opened with" in text_of(page)
    desk.start(ANN, payload)
    browser.page("/login/wait?next=/bots")
    desk.agree(ANN)
    response = browser.get("/login/wait?next=/bots")
    assert (response.status_code, response.headers["Location"]) == (303, "/bots")
    assert "Ann Lee" in browser.page("/bots")
    (session,) = sessions.listed(desk.account_of(ANN).id)
    assert not session.by_key


def test_a_login_opens_one_browser_once(desk, begun):
    browser, payload = begun()
    desk.start(ANN, payload)
    desk.agree(ANN)
    nonce = browser.cookie("gatepost_nonce")
    browser.get("/login/wait")
    browser.set_cookie("")
    browser.set_cookie(nonce, "gatepost_nonce")
    assert browser.get("/login/wait").headers["Location"] == "/login"


def test_a_victims_browser_gets_nothing_of_a_login_that_an_attacker_has_prepared(
    desk, begun, make_browser
):
    """The attacker agrees to a login of their own, and has the victim open its page."""
    attacker, payload = begun()
    desk.start(IVAN, payload)
    desk.agree(IVAN)
    victim = make_browser()
    victim.get("/login")
    victim.set_cookie(attacker.cookie("gatepost_nonce"), "gatepost_nonce")
    response = victim.get("/login/wait")
    assert (response.status_code, response.headers["Location"]) == (303, "/login")
    assert victim.cookie() == ""
    assert attacker.get("/login/wait").headers["Location"] == "/"  # it was not used up


def test_an_attackers_browser_gets_nothing_of_a_victims_login(desk, begun, make_browser):
    """The attacker has seen the link on the victim's screen."""
    victim, payload = begun()
    attacker = make_browser()
    attacker.get("/login")
    attacker.set_cookie(victim.cookie("gatepost_nonce"), "gatepost_nonce")
    desk.start(ANN, payload)
    desk.agree(ANN)
    assert attacker.get("/login/wait").headers["Location"] == "/login"
    assert attacker.cookie() == ""
    assert victim.get("/login/wait").headers["Location"] == "/"


def test_who_does_not_agree_to_an_attackers_link_gives_nothing_away(desk, begun):
    """The victim opens, in Telegram, the link of a page that the attacker looks at."""
    attacker, payload = begun()
    desk.start(ANN, payload)
    assert "Press Yes only if you opened that page yourself" in desk.staged()[-1].text
    assert attacker.get("/login/wait").status_code == 200
    desk.press(ANN, desk.button(ANN, "undo"))
    assert attacker.get("/login/wait").headers["Location"] == "/login"
    assert attacker.cookie() == ""


def test_a_form_of_another_site_begins_no_login(desk, make_browser):
    browser = make_browser()
    browser.get("/login")
    values = {"csrf": browser.token}
    cross = browser.send("/login/telegram", values, {"Sec-Fetch-Site": "cross-site"})
    assert cross.status_code == 403
    assert browser.send("/login/telegram", {"csrf": ""}, OWN).status_code == 403
    assert browser.cookie("gatepost_nonce") == ""


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_after_it_nobody_is_led_away(desk, begun, target):
    browser, payload = begun(target)
    desk.start(ANN, payload)
    desk.agree(ANN)
    assert browser.get(f"/login/wait?next={target}").headers["Location"] == "/"


def test_without_a_service_bot_it_is_not_offered(make_browser):
    browser = make_browser()
    assert "/login/telegram" not in browser.page("/login")
    assert browser.post("/login/telegram").status_code == 404
    assert browser.get("/login/wait").headers["Location"] == "/login"
