import pytest

from app.services.service_bot import entry_links, sessions
from tests.support.dashboard import OWN

TYPED = {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "navigate"}


def test_a_key_opens_the_dashboard_and_leads_where_one_wanted_to_go(make_browser, account):
    browser = make_browser()
    led = browser.get("/bots?x=1")
    assert led.headers["Location"] == "/login?next=%2Fbots%3Fx%3D1"
    page = browser.page(led.headers["Location"])
    assert 'name="next" value="/bots?x=1"' in page
    response = browser.post("/login", key=f" {account.key} ", next="/bots?x=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/bots?x=1")
    assert account.name in browser.page("/bots")


@pytest.mark.parametrize("wrong", ["", "1-wrong", "nonsense"])
def test_a_wrong_key_is_refused_in_words(make_browser, account, wrong):
    browser = make_browser()
    browser.get("/login")
    response = browser.post("/login", key=wrong)
    assert response.status_code in (401, 422)
    assert 'role="alert"' in response.get_data(as_text=True)
    assert browser.cookie() == ""


@pytest.mark.parametrize(
    "target", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "x"]
)
def test_after_a_login_nobody_is_led_away(make_browser, account, target):
    browser = make_browser()
    browser.get("/login")
    assert browser.post("/login", key=account.key, next=target).headers["Location"] == "/"


def test_guessing_keys_is_slow(make_browser, account):
    browser = make_browser()
    browser.get("/login")
    for _ in range(10):
        assert browser.post("/login", key="1-wrong").status_code == 401
    assert browser.post("/login", key=account.key).status_code == 429


def test_a_session_gets_a_new_id_at_each_login_and_the_old_one_is_over(make_browser, account):
    browser = make_browser().log_in(account.key)
    first = browser.cookie()
    browser.page("/login", 303)
    browser.get("/")
    browser.set_cookie("", "gatepost")
    planted = make_browser()
    planted.set_cookie(first)
    page = planted.get("/login")
    assert page.status_code == 303  # it is logged in already
    other = make_browser()
    other.set_cookie("sess_planted-by-somebody-else")
    other.log_in(account.key)
    assert other.cookie() not in ("", first, "sess_planted-by-somebody-else")


def test_the_session_before_is_over_after_a_login_over_it(make_browser, account):
    browser = make_browser().log_in(account.key)
    before = browser.cookie()
    link = entry_links.make(account.login)
    browser.get(f"/enter/{link}")
    assert browser.post(f"/enter/{link}").status_code == 303
    assert browser.cookie() != before
    old = make_browser()
    old.set_cookie(before)
    assert old.get("/").status_code == 303


def test_logging_out_ends_the_session_and_clears_the_browser(browser):
    token = browser.cookie()
    response = browser.post("/logout")
    assert response.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert browser.cookie() == ""
    browser.set_cookie(token)
    assert browser.get("/").status_code == 303


def test_on_https_the_cookie_is_bound_to_the_host(app, account):
    client = app.test_client()
    page = client.get("/login", base_url="https://gate.example")
    assert "__Host-gatepost_form=" in page.headers["Set-Cookie"]
    assert "Secure" in page.headers["Set-Cookie"]
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_an_entry_link_that_was_typed_opens_once(make_browser, account):
    link = f"/enter/{entry_links.make(account.login)}"
    browser = make_browser()
    assert browser.get(link, **TYPED).headers["Location"] == "/"
    assert account.name in browser.page("/")
    assert make_browser().get(link, **TYPED).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"},
        {"Sec_Fetch_Site": "none", "Sec_Fetch_Mode": "no-cors"},
        {**TYPED, "Sec_Purpose": "prefetch"},
        {"Sec_Fetch_Site": ""},
    ],
)
def test_a_link_on_somebodys_page_asks_first_and_is_not_used_up(make_browser, account, headers):
    link = f"/enter/{entry_links.make(account.login)}"
    browser = make_browser()
    page = browser.get(link, **headers).get_data(as_text=True)
    assert account.name in page
    assert browser.cookie() == ""
    assert browser.post(link).status_code == 303
    assert account.name in browser.page("/")


def test_whoever_is_logged_in_is_asked_before_another_account_opens(
    make_browser, account, make_account
):
    victim = make_browser().log_in(account.key)
    attackers = make_account(name="Not yours")
    link = f"/enter/{entry_links.make(attackers.login)}"
    page = victim.get(link, **TYPED).get_data(as_text=True)
    assert "Not yours" in page
    assert account.name in victim.page("/")


def test_a_form_of_another_site_does_not_log_in(make_browser, account):
    browser = make_browser()
    browser.get("/login")
    link = entry_links.make(account.login)
    for path in ("/login", f"/enter/{link}"):
        values = {"key": account.key, "csrf": browser.token}
        assert browser.send(path, values, {"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert browser.send(path, values, {"Origin": "http://evil.example"}).status_code == 403
        assert browser.send(path, {**values, "csrf": ""}, OWN).status_code == 403
    assert browser.cookie() == ""


def test_a_banned_account_is_told_so(make_browser, make_account):
    banned = make_account(status=1)
    browser = make_browser()
    browser.get("/login")
    response = browser.post("/login", key=banned.key)
    assert response.status_code == 403
    assert "suspended" in response.get_data(as_text=True)
    assert sessions.listed(banned.id) == []
