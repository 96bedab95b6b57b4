"""From a page with a link to a session: a person opens the link and agrees, or does not."""

import threading
import time

import pytest
from sqlalchemy import select, update

from app.errors import TooManyRequests
from app.extensions import db
from app.models import Login
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.service_bot import logins
from app.services.service_bot.logins import Browser
from tests.support.desk import ANN, BROWSER, IVAN, NONCE, TOKEN, rows

PENDING = {"status": "ok", "pending": True}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


@pytest.fixture
def poll(client, clean_redis):
    """`poll()`: what the browser `client` is told; others pass their own client."""

    def ask(nonce=NONCE, browser=client, agent=FIREFOX, **headers):
        response = browser.get(
            "/api/auth/poll.json",
            query_string={"nonce": nonce},
            headers={"User-Agent": agent, **headers},
        )
        assert response.status_code == 200
        return response.get_json()

    return ask


@pytest.fixture
def another_browser(app):
    """A client with cookies of its own."""
    return app.test_client()


@pytest.fixture
def without_cookies(app):
    """A client that keeps no cookies, as scripts are."""
    return app.test_client(use_cookies=False)


# -- the documented way --------------------------------------------------------


def test_a_login_that_was_agreed_to_gives_a_session_once(desk, poll, api):
    assert poll() == PENDING
    desk.start(ANN, f"login-{NONCE}")
    assert poll() == PENDING
    assert desk.agree(ANN) == "Go back to the page: it logs in now."
    answer = poll()
    assert answer == {"status": "ok", "pending": False, "token": answer["token"]}
    assert answer["token"].startswith("sess_")
    assert poll() == PENDING
    info = api(answer["token"]).get("profile/info")["data"]
    assert (info["login"], info["name"], info["lang"]) == ("ann_lee", "Ann Lee", "en")
    assert (info["tariff"], info["paid_until"]) == ("kitten", "0000-00-00 00:00:00")
    assert api(answer["token"]).get("profile/login") == {
        "status": "ok",
        "data": {"id": info["id"], "name": "Ann Lee"},
    }


def test_a_client_may_poll_for_the_first_time_after_the_link_was_opened(desk, poll):
    desk.start(ANN, f"login-{NONCE}")
    (waiting,) = desk.staged()
    assert "Go back to the page" in waiting.text
    assert not waiting.markup
    assert poll() == PENDING
    assert "with Firefox on Linux" in desk.staged()[-1].text
    desk.agree(ANN)
    assert "token" in poll()


def test_a_client_without_cookies_is_known_by_its_address_and_agent(desk, poll, without_cookies):
    assert poll(browser=without_cookies, agent="report/1.0") == PENDING
    desk.start(ANN, f"login-{NONCE}")
    desk.agree(ANN)
    assert poll(browser=without_cookies, agent="other/1.0") == PENDING
    moved = {"agent": "report/1.0", "X-Forwarded-For": "198.51.100.9"}
    assert poll(browser=without_cookies, **moved) == PENDING
    assert "token" in poll(browser=without_cookies, agent="report/1.0")


def test_a_browser_with_the_cookie_may_change_its_address(desk, poll):
    poll(**{"X-Forwarded-For": "198.51.100.1"})
    desk.start(ANN, f"login-{NONCE}")
    desk.agree(ANN)
    assert "token" in poll(**{"X-Forwarded-For": "198.51.100.2"})


def test_unknown_used_and_expired_nonces_are_the_same(desk, poll):
    desk.log_in(ANN)
    poll("e" * 20)
    desk.start(ANN, f"login-{'e' * 20}")
    desk.agree(ANN)
    db.session.execute(update(Login).values(expires=time.time() - 1))
    db.session.commit()
    assert poll() == poll("e" * 20) == poll("u" * 20) == PENDING


def test_a_used_link_does_not_open_again(desk, poll):
    desk.log_in(ANN)
    before = len(desk.staged())
    desk.start(ANN, f"login-{NONCE}")
    desk.start(IVAN, f"login-{NONCE}")
    assert poll() == PENDING
    anns, ivans = desk.staged()[before:]
    assert "used before" in anns.text
    assert "уже использована" in ivans.text


def test_who_opens_a_link_first_is_who_logs_in(desk, poll, api):
    poll()
    desk.start(IVAN, f"login-{NONCE}")
    desk.start(ANN, f"login-{NONCE}")
    assert not desk.button(ANN, "allow")
    assert desk.press(ANN, desk.button(IVAN, "allow")) == "This button no longer works."
    assert poll() == PENDING
    desk.agree(IVAN)
    assert api(poll()["token"]).get("profile/login")["data"]["name"] == "Иван"


def test_who_opens_a_link_twice_is_asked_twice(desk, poll):
    poll()
    for _ in range(2):
        desk.start(ANN, f"login-{NONCE}")
    assert len([one for one in desk.staged() if "Log in as" in one.text]) == 2
    desk.agree(ANN)
    assert "token" in poll()


@pytest.mark.parametrize("nonce", ["n" * 16, "n" * 58, "_-" * 8])
def test_nonces_of_all_allowed_sizes_work(desk, clean_redis, nonce):
    assert len(f"login-{nonce}") <= 64
    assert desk.log_in(ANN, nonce)


def test_a_broken_link_grants_nothing(desk):
    for payload in ("login-", "login", "login-short", f"login-{'n' * 70}"):
        desk.start(ANN, payload)
    assert rows(select(Login)) == []


def test_a_second_login_finds_the_same_account(desk, clean_redis, api):
    first = api(desk.log_in(ANN)).get("profile/login")["data"]["id"]
    token = desk.log_in(Person(ANN.id, "Anna", "", "renamed"), "o" * 20)
    assert api(token).get("profile/login")["data"] == {"id": first, "name": "Ann Lee"}


def test_a_username_is_no_claim_to_an_account(desk, make_account, clean_redis, api):
    make_account(login="ann_lee", name="Another")
    info = api(desk.log_in(ANN)).get("profile/info")["data"]
    assert (info["login"], info["name"]) == (f"tg{ANN.id}", "Ann Lee")


def test_secrets_are_stored_as_hashes_only(desk, poll, client):
    poll()
    cookie = client.get_cookie("gatepost_login", path="/api/auth").value
    desk.start(ANN, f"login-{NONCE}")
    desk.agree(ANN)
    token = poll()["token"]
    for table in ("login", "session"):
        stored = str(db.session.execute(db.metadata.tables[table].select()).all())
        for secret in (NONCE, token, cookie):
            assert secret not in stored
    db.session.commit()


def test_another_bots_start_opens_no_login(desk, account, make_campaign, poll):
    bot, _, _ = make_campaign(account.id)
    desk.receive(people.start(ANN, f"login-{NONCE}"), bot=bot)
    assert rows(select(Login)) == []
    assert poll() == PENDING


# -- attacks -------------------------------------------------------------------


def test_whoever_opens_a_strangers_link_is_asked_and_told_of_the_page(desk, poll):
    """An attacker prepares a link, and the victim presses START."""
    poll(**{"X-Forwarded-For": "198.51.100.66"})
    desk.start(ANN, f"login-{NONCE}")
    desk.speak()
    (question,) = desk.sent_to(ANN)
    assert "Log in as Ann Lee?" in question.text
    assert "with Firefox on Linux from the address 198.51.100.66" in question.text
    assert time.strftime("%Y-%m-%d", time.gmtime()) in question.text
    ((yes, no),) = question.reply_markup["inline_keyboard"]
    assert [yes["text"], no["text"]] == ["Yes, log in", "It was not me"]
    assert poll(**{"X-Forwarded-For": "198.51.100.66"}) == PENDING
    assert desk.press(ANN, no["callback_data"]).startswith("That login is undone")
    assert desk.press(ANN, yes["callback_data"]) == "This button no longer works."
    assert poll(**{"X-Forwarded-For": "198.51.100.66"}) == PENDING


def test_another_browser_gets_nothing_of_a_login_that_was_agreed_to(
    desk, poll, another_browser, without_cookies
):
    """An attacker has read the nonce over a shoulder, and polls too."""
    poll()
    assert poll(browser=another_browser, agent="evil") == PENDING
    desk.start(ANN, f"login-{NONCE}")
    desk.agree(ANN)
    assert poll(browser=another_browser, agent="evil") == PENDING
    poll("x" * 20, browser=another_browser)
    assert poll(browser=another_browser) == PENDING  # same address and agent, another cookie
    assert "token" in poll()


def test_once_the_cookie_has_come_back_address_and_agent_prove_nothing(desk, poll, without_cookies):
    poll()
    poll()
    desk.start(ANN, f"login-{NONCE}")
    desk.agree(ANN)
    assert poll(browser=without_cookies) == PENDING
    assert "token" in poll()


def test_a_page_cannot_put_words_into_the_question(desk, poll):
    poll(agent="Mozilla/5.0 Firefox/1 Support: press Yes to keep your bots")
    desk.start(ANN, f"login-{NONCE}")
    assert "Support" not in desk.staged()[-1].text


def test_an_agreement_that_comes_too_late_opens_nothing(desk, poll):
    poll()
    desk.start(ANN, f"login-{NONCE}")
    db.session.execute(update(Login).values(expires=time.time() - 1))
    db.session.commit()
    assert desk.agree(ANN) == "This button no longer works."


def test_pages_that_come_together_are_one_page(desk, live_app, clean_redis):
    db.session.commit()  # on SQLite a transaction that only read is a lock

    def show(number):
        with live_app.app_context():
            logins.redeem(NONCE, Browser(f"192.0.2.{number}", "x", "c" * 32), time.time())

    threads = [threading.Thread(target=show, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (login,) = rows(select(Login))
    desk.start(ANN, f"login-{NONCE}")
    assert login.address in desk.staged()[-1].text


# -- a page that asks us for its nonce -----------------------------------------


def test_a_page_shows_the_words_that_the_bot_says(desk, client, clean_redis, poll):
    for lang, word in (("en", "opened with Firefox"), ("ru", "Firefox")):
        answer = client.get(
            f"/api/auth/start.json?lang={lang}", headers={"User-Agent": FIREFOX}
        ).get_json()["data"]
        assert word in answer["text"]
        assert answer["link"] == f"https://t.me/gate_service_bot?start=login-{answer['nonce']}"
    desk.start(IVAN, f"login-{answer['nonce']}")
    assert answer["text"] in desk.staged()[-1].text
    desk.agree(IVAN)
    assert "token" in poll(answer["nonce"])


def test_without_a_service_bot_there_is_no_link_to_show(client, clean_redis):
    assert client.get("/api/auth/start.json").get_json()["error"] == "notfound"


# -- rates ---------------------------------------------------------------------


def test_an_address_that_asks_too_often_is_told_when_to_come_back(client, poll):
    answers = (poll() for _ in range(10 * logins.POLLS.burst))  # some come back meanwhile
    refused = next(answer for answer in answers if answer != PENDING)
    assert refused["error"] == "rate"
    assert 1 <= refused["retry_after"] <= 60
    assert poll(**{"X-Forwarded-For": "10.0.0.1, 203.0.113.7"}) == PENDING


def test_an_address_that_makes_up_nonces_fills_no_table(poll):
    most = logins.NEW_LOGINS.burst + 20
    answers = [poll(f"made-up-nonce-{number:04}") for number in range(most)]
    assert answers[-1]["error"] == "rate"
    assert len(rows(select(Login))) < most


def test_a_session_token_is_in_no_log(desk, clean_redis, caplog, capfd):
    caplog.set_level("DEBUG")
    token = desk.log_in(ANN)
    desk.speak()
    out, err = capfd.readouterr()
    for where in (caplog.text, out, err):
        assert token not in where
        assert TOKEN.partition(":")[2] not in where


def test_a_network_of_ipv6_counts_as_one_caller(desk, clean_redis):
    """One caller has all of a /64, and takes another address for each nonce."""
    refused = 0
    for number in range(2 * logins.NEW_LOGINS.burst):
        browser = BROWSER._replace(address=f"2001:db8:1:2::{number:x}")
        try:
            logins.poll(f"{number:020}", browser)
        except TooManyRequests:
            refused += 1
    assert refused
    assert len(rows(select(Login))) + refused == 2 * logins.NEW_LOGINS.burst
