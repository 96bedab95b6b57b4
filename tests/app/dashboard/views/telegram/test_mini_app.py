"""Logging in inside Telegram, and what a link with a stranger's init data can do: nothing."""

import time

import pytest

from app.services.service_bot import sessions
from tests.support.dashboard import OWN, tags, text_of
from tests.support.desk import ANN, IVAN
from tests.support.mini_app import init_data


@pytest.fixture
def visitor(desk, make_browser, clean_redis):
    browser = make_browser()
    browser.get("/login")
    return browser


def agree(browser, data, **more):
    return browser.post("/login/app", init_data=data, agreed="1", **more)


def test_whom_telegram_names_is_asked_and_then_logged_in(desk, visitor):
    data = init_data(ANN)
    page = visitor.post("/login/app", init_data=data, next="/bots").get_data(as_text=True)
    assert "Open the dashboard of Ann Lee (@ann_lee)?" in text_of(page)
    assert visitor.cookie() == ""
    assert desk.account_of(ANN) is None
    response = agree(visitor, data, next="/bots")
    assert (response.status_code, response.headers["Location"]) == (303, "/bots")
    assert "Ann Lee" in visitor.page("/bots")
    (session,) = sessions.listed(desk.account_of(ANN).id)
    assert not session.by_key


def test_it_is_the_account_of_the_login_by_link(desk, visitor):
    desk.log_in(ANN)
    account = desk.account_of(ANN)
    agree(visitor, init_data(ANN))
    assert len(sessions.listed(account.id)) == 2


def test_an_opening_logs_in_once(desk, visitor, make_browser):
    data = init_data(ANN)
    assert agree(visitor, data).status_code == 303
    thief = make_browser()
    thief.get("/login")
    response = agree(thief, data)
    assert response.status_code == 422
    assert "used before" in response.get_data(as_text=True)
    assert thief.cookie() == ""


def test_a_prepared_link_logs_nobody_in_without_their_yes(desk, visitor):
    """The script of the login page sends what stands in the address, whoever wrote it there."""
    page = visitor.post("/login/app", init_data=init_data(IVAN)).get_data(as_text=True)
    assert "Go on only if it is yours" in text_of(page)
    assert visitor.cookie() == ""


def test_a_form_of_another_site_says_no_yes(desk, visitor):
    values = {"csrf": visitor.token, "init_data": init_data(IVAN), "agreed": "1"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        assert visitor.send("/login/app", values, headers).status_code == 403
    assert visitor.send("/login/app", {**values, "csrf": ""}, OWN).status_code == 403
    assert visitor.cookie() == ""


def test_no_session_that_was_planted_before_goes_on(desk, visitor):
    visitor.set_cookie("sess_planted-by-somebody-else")
    visitor.get("/login")
    assert agree(visitor, init_data(ANN)).status_code == 303
    assert visitor.cookie() not in ("", "sess_planted-by-somebody-else")


@pytest.mark.parametrize(
    "data",
    [
        "",
        "x" * 5000,
        init_data(ANN, token="5151:AAsomebody-elses_token"),
        init_data(ANN, auth_date=str(int(time.time()) - 301)),
    ],
)
def test_what_telegram_does_not_confirm_is_refused_in_words(desk, visitor, data):
    for more in ({}, {"agreed": "1"}):
        response = visitor.post("/login/app", init_data=data, **more)
        assert response.status_code == 422
        assert "Telegram does not confirm" in response.get_data(as_text=True)
    assert visitor.cookie() == ""


def test_after_it_nobody_is_led_away(desk, visitor):
    assert agree(visitor, init_data(ANN), next="//evil.example").headers["Location"] == "/"


def test_a_name_is_text(desk, visitor):
    person = type(ANN)(77, "<script>alert(1)</script>")
    page = visitor.post("/login/app", init_data=init_data(person)).get_data(as_text=True)
    assert "<script>alert" not in page


def test_without_a_service_bot_there_is_no_app(make_browser):
    browser = make_browser()
    assert "/login/app" not in browser.page("/login")
    assert browser.post("/login/app", init_data=init_data(ANN)).status_code == 404


FRAME = {"sec_fetch_dest": "iframe", "sec_fetch_site": "cross-site"}


def test_in_a_frame_of_telegram_the_login_page_leads_out_of_it(desk, make_browser):
    response = make_browser().get("/login?next=/bots", **FRAME)
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    policy = response.headers["Content-Security-Policy"]
    assert policy.endswith(
        "form-action 'none'; base-uri 'none'; frame-ancestors https://web.telegram.org"
    )
    assert "Open it in a window of its own" in page
    assert not {"form", "input", "select", "a"} & set(tags(page))
    assert "Set-Cookie" not in response.headers


def test_no_page_but_that_one_may_be_framed(desk, visitor, make_browser):
    agree(visitor, init_data(ANN))
    stranger = make_browser()
    for browser, path in (
        (visitor, "/"),
        (visitor, "/settings"),
        (stranger, "/login/wait"),
    ):
        response = browser.get(path, **FRAME)
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"], path
    answer = visitor.post("/login/app", init_data=init_data(IVAN))
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_without_a_service_bot_nothing_may_be_framed(make_browser):
    response = make_browser().get("/login", **FRAME)
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
