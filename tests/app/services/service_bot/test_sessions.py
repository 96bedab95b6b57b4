"""From a link in Telegram to a session, and out of it."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Login, Session
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.service_bot import sessions
from tests.support.desk import ANN, IVAN, NONCE, TOKEN, rows

PENDING = {"status": "ok", "pending": True}


@pytest.fixture
def poll(client, clean_redis):
    def ask(nonce=NONCE, **headers):
        response = client.get("/api/auth/poll.json", query_string={"nonce": nonce}, headers=headers)
        assert response.status_code == 200
        return response.get_json()

    return ask


@pytest.fixture
def token(desk, poll):
    """A session of Ann's."""
    desk.start(ANN, f"login-{NONCE}")
    return poll()["token"]


def test_a_link_that_was_opened_gives_a_session_once(desk, poll, api):
    assert poll() == PENDING
    desk.start(ANN, f"login-{NONCE}")
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


def test_unknown_used_and_expired_nonces_are_the_same(desk, poll):
    desk.start(ANN, f"login-{NONCE}")
    assert "token" in poll()
    desk.start(ANN, f"login-{'e' * 20}")
    db.session.execute(update(Login).values(expires=time.time() - 1))
    db.session.commit()
    assert poll() == poll("e" * 20) == poll("u" * 20) == PENDING


def test_a_used_link_does_not_open_again(desk, poll):
    desk.start(ANN, f"login-{NONCE}")
    assert "token" in poll()
    desk.start(ANN, f"login-{NONCE}")
    desk.start(IVAN, f"login-{NONCE}")
    assert poll() == PENDING
    _, anns, ivans = desk.staged()
    assert "used before" in anns.text
    assert "уже использована" in ivans.text


def test_who_opens_a_link_first_is_who_logs_in(desk, poll, api):
    desk.start(IVAN, f"login-{NONCE}")
    desk.start(ANN, f"login-{NONCE}")
    assert api(poll()["token"]).get("profile/login")["data"]["name"] == "Иван"


@pytest.mark.parametrize("nonce", ["n" * 16, "n" * 58, "_-" * 8])
def test_nonces_of_all_allowed_sizes_work(desk, poll, nonce):
    assert len(f"login-{nonce}") <= 64
    desk.start(ANN, f"login-{nonce}")
    assert "token" in poll(nonce)


def test_a_broken_link_grants_nothing(desk):
    for payload in ("login-", "login", "login-short", f"login-{'n' * 70}"):
        desk.start(ANN, payload)
    assert rows(select(Login)) == []


def test_a_second_login_finds_the_same_account(desk, poll, api):
    desk.start(ANN, f"login-{NONCE}")
    first = api(poll()["token"]).get("profile/login")["data"]["id"]
    desk.start(Person(ANN.id, "Anna", "", "renamed"), f"login-{'o' * 20}")
    again = api(poll("o" * 20)["token"]).get("profile/login")["data"]
    assert again == {"id": first, "name": "Ann Lee"}


def test_a_username_is_no_claim_to_an_account(desk, make_account, poll, api):
    make_account(login="ann_lee", name="Another")
    desk.start(ANN, f"login-{NONCE}")
    info = api(poll()["token"]).get("profile/info")["data"]
    assert (info["login"], info["name"]) == (f"tg{ANN.id}", "Ann Lee")


def test_someone_without_a_username_gets_a_login_of_their_number(desk):
    desk.start(Person(55, "\u202e\u0007", "", "", "de"), f"login-{NONCE}")
    account = rows(select(Account).where(Account.tg_id == 55))[0]
    assert (account.login, account.name, account.lang) == ("tg55", "tg55", "en")


def test_secrets_are_stored_as_hashes_only(desk, token):
    for table in ("login", "session"):
        stored = str(db.session.execute(db.metadata.tables[table].select()).all())
        assert NONCE not in stored
        assert token not in stored
    db.session.commit()


def test_the_bot_says_what_happens_and_lets_it_be_undone(desk, token, api):
    desk.speak()
    (said,) = desk.sent_to(ANN)
    assert "logging in as Ann Lee" in said.text
    ((button,),) = said.reply_markup["inline_keyboard"]
    assert desk.press(IVAN, button["callback_data"]) == "Эта кнопка больше не работает."
    assert api(token).get("profile/login")["status"] == "ok"
    assert desk.press(ANN, button["callback_data"]) == "That login is undone."
    assert api(token).get("profile/login")["error"] == "key"


def test_a_login_undone_before_it_was_redeemed_gives_nothing(desk, poll):
    desk.start(ANN, f"login-{NONCE}")
    login = rows(select(Login))[0]
    assert desk.press(ANN, f"undo:{login.id}") == "That login is undone."
    assert poll() == PENDING


@pytest.mark.parametrize("data", ["", "undo", "undo:", "undo:x", "undo:999", "mute:-1", "x:1"])
def test_a_button_that_is_not_ours_does_nothing(desk, data):
    desk.start(ANN, f"login-{NONCE}")
    assert desk.press(ANN, data) == "This button no longer works."


def test_a_bare_start_is_greeted_and_makes_no_account(desk):
    desk.start(IVAN)
    desk.speak()
    assert "личный кабинет" in desk.sent_to(IVAN)[0].text
    assert desk.account_of(IVAN) is None


def test_another_bots_start_opens_no_login(desk, account, make_campaign, poll):
    bot, _, _ = make_campaign(account.id)
    desk.receive(people.start(ANN, f"login-{NONCE}"), bot=bot)
    assert rows(select(Login)) == []
    assert poll() == PENDING


# -- sessions ------------------------------------------------------------------


def test_a_session_does_what_the_key_does(token, api):
    assert api(token).post("profile/lang", lang="ru") == {"status": "ok"}
    assert api(token).get("camp/list") == {"status": "ok", "data": []}
    key = api(token).post("profile/apikey")["data"]["key"]
    assert api(key).get("profile/info")["data"]["lang"] == "ru"


def test_only_a_session_may_ask_who_it_is(api):
    assert api.get("profile/login")["error"] == "key"
    assert api.post("auth/logout")["error"] == "key"


def test_a_session_in_the_query_is_no_session(client, token):
    answer = client.get("/api/profile/info.json", query_string={"id": token}).get_json()
    assert answer["error"] == "key"


def test_a_session_ends_when_it_is_told_to(desk, token, poll, api):
    desk.start(ANN, f"login-{'o' * 20}")
    other = poll("o" * 20)["token"]
    assert api(token).post("auth/logout") == {"status": "ok"}
    assert api(token).get("profile/info")["error"] == "key"
    assert api(other).get("profile/info")["status"] == "ok"


def test_all_sessions_end_together_and_no_stranger_s(desk, token, poll, api):
    desk.start(ANN, f"login-{'o' * 20}")
    desk.start(IVAN, f"login-{'i' * 20}")
    anns, ivans = poll("o" * 20)["token"], poll("i" * 20)["token"]
    assert api(token).post("auth/logout", everywhere=True) == {"status": "ok"}
    assert api(anns).get("profile/info")["error"] == "key"
    assert api(ivans).get("profile/info")["status"] == "ok"


def test_a_session_expires(token, api):
    (session,) = rows(select(Session))
    assert session.expires - session.created == sessions.SESSION_SECONDS
    db.session.execute(update(Session).values(expires=time.time() - 1))
    db.session.commit()
    assert api(token).get("profile/info")["error"] == "key"
    sessions.forget(time.time())
    assert rows(select(Session)) == []


def test_a_made_up_session_is_a_wrong_key(api):
    for wrong in ("sess_", "sess_x", "sess_" + "x" * 500):
        assert api(wrong).get("profile/info")["error"] == "key"


def test_a_banned_account_is_told_so_by_its_session_too(desk, token, api):
    db.session.execute(update(Account).where(Account.tg_id == ANN.id).values(status=1))
    db.session.commit()
    assert api(token).get("profile/login")["error"] == "ban"


def test_the_dashboard_stops_at_once_when_a_plan_ends(desk, token, api):
    key = api(token).post("profile/apikey")["data"]["key"]
    ended = {"tariff": "cat", "paid_until": int(time.time()) - 60}
    db.session.execute(update(Account).where(Account.tg_id == ANN.id).values(**ended))
    db.session.commit()
    assert api(token).get("camp/list")["error"] == "unpaid"
    assert api(key).get("camp/list")["status"] == "ok"
    assert api(token).get("profile/info")["status"] == "ok"
    assert api(token).get("profile/login")["status"] == "ok"


def test_used_links_are_forgotten_after_a_day(desk, token):
    sessions.forget(time.time())
    assert len(rows(select(Login))) == 1
    sessions.forget(time.time() + sessions.LOGIN_SECONDS + sessions.KEPT_SECONDS + 1)
    assert rows(select(Login)) == []


def test_two_who_redeem_one_nonce_get_one_session(desk, live_app):
    desk.start(ANN, f"login-{NONCE}")
    got = []

    def redeem():
        with live_app.app_context():
            got.append(sessions.redeem(NONCE, time.time()))

    threads = [threading.Thread(target=redeem) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(token is not None for token in got) == 1


# -- rates ---------------------------------------------------------------------


def test_an_address_that_asks_too_often_is_told_when_to_come_back(client, poll):
    answers = (poll() for _ in range(10 * sessions.POLLS.burst))  # some come back meanwhile
    refused = next(answer for answer in answers if answer != PENDING)
    assert refused["error"] == "rate"
    assert 1 <= refused["retry_after"] <= 60
    assert poll(**{"X-Forwarded-For": "10.0.0.1, 203.0.113.7"}) == PENDING


def test_a_session_token_is_in_no_log(desk, poll, caplog, capfd):
    caplog.set_level("DEBUG")
    desk.start(ANN, f"login-{NONCE}")
    token = poll()["token"]
    desk.speak()
    out, err = capfd.readouterr()
    for where in (caplog.text, out, err):
        assert token not in where
        assert TOKEN.partition(":")[2] not in where
