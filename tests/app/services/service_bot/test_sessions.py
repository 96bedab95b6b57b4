"""A session does what the key does, and a little more, until it ends."""

import time

import pytest
from sqlalchemy import select, update

from app.errors import BadKey
from app.extensions import db
from app.models import Account, Login, NoticeKind, Session
from app.services import purge
from app.services.accounts import accounts, keys
from app.services.service_bot import bot, entry_links, logins, sessions
from tests.support.desk import ANN, BROWSER, IVAN, rows


@pytest.fixture
def token(desk, clean_redis):
    """A session of Ann's."""
    return desk.log_in(ANN)


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


def test_a_session_ends_when_it_is_told_to(desk, token, api):
    other = desk.log_in(ANN, "o" * 20)
    assert api(token).post("auth/logout") == {"status": "ok"}
    assert api(token).get("profile/info")["error"] == "key"
    assert api(other).get("profile/info")["status"] == "ok"


def test_all_sessions_end_together_and_no_stranger_s(desk, token, api):
    anns, ivans = desk.log_in(ANN, "o" * 20), desk.log_in(IVAN, "i" * 20)
    assert api(token).post("auth/logout", everywhere=True) == {"status": "ok"}
    assert api(anns).get("profile/info")["error"] == "key"
    assert api(ivans).get("profile/info")["status"] == "ok"


def test_a_login_that_was_agreed_to_ends_with_all_sessions(desk, token, api):
    """A stranger could keep it for ten minutes, until the person thinks that nobody is left."""
    nonce = "k" * 20
    logins.poll(nonce, BROWSER)
    desk.start(ANN, f"login-{nonce}")
    desk.agree(ANN)
    assert api(token).post("auth/logout", everywhere=True) == {"status": "ok"}
    assert logins.poll(nonce, BROWSER).token is None
    assert rows(select(Session)) == []


def test_a_login_that_was_agreed_to_ends_with_all_other_sessions(desk, token, api):
    nonce = "k" * 20
    (mine,) = rows(select(Session))
    logins.poll(nonce, BROWSER)
    desk.start(ANN, f"login-{nonce}")
    desk.agree(ANN)
    sessions.end_others(mine.account_id, mine.id)
    assert logins.poll(nonce, BROWSER).token is None
    assert [row.id for row in rows(select(Session))] == [mine.id]


def test_a_session_that_has_ended_ends_no_others(desk, token):
    (mine,) = rows(select(Session))
    desk.log_in(ANN, "o" * 20)
    sessions.end(mine.account_id, mine.id)
    with pytest.raises(BadKey):
        sessions.end_others(mine.account_id, mine.id)
    assert len(rows(select(Session))) == 1


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


def test_logins_are_forgotten_a_day_after_their_end_or_when_no_undo_can_come(desk, token):
    purge._after.clear()
    now = time.time()
    desk.start(ANN, f"login-{'o' * 20}")
    sessions.forget(now)
    assert len(rows(select(Login))) == 2
    sessions.forget(now + 3700 + sessions.KEPT_SECONDS)
    assert [one.used is not None for one in rows(select(Login))] == [True]
    sessions.forget(now + keys.UNDO_SECONDS + 10)
    purge.purge(now + keys.UNDO_SECONDS + 10)
    assert rows(select(Login)) == []


def test_an_api_key_opens_a_session_that_ends_with_the_key(account, clean_redis):
    here = {"address": "127.0.0.1", "agent": "Firefox/1"}
    mine, others = (sessions.open_by_key(account.key, **here) for _ in range(2))
    caller = sessions.authenticate(mine)
    assert (caller.id, caller.login_id) == (account.id, None)
    assert [row.agent for row in sessions.listed(account.id)] == ["Firefox/1"] * 2
    sessions.rotate_key(caller)
    assert sessions.authenticate(mine).id == account.id  # the one that calls goes on
    with pytest.raises(BadKey):
        sessions.authenticate(others)


def test_when_a_session_was_last_used_is_known(account, clean_redis):
    token = sessions.open_by_key(account.key, address="127.0.0.1", agent="")
    assert sessions.listed(account.id)[0].used is None
    sessions.authenticate(token)
    db.session.expire_all()
    assert sessions.listed(account.id)[0].used == pytest.approx(time.time(), abs=60)


def test_a_session_is_ended_by_its_token(account, clean_redis):
    token = sessions.open_by_key(account.key, address="127.0.0.1", agent="")
    sessions.end_token("sess_unknown")
    assert len(sessions.listed(account.id)) == 1
    sessions.end_token(token)
    assert sessions.listed(account.id) == []


def test_a_wrong_key_opens_no_session(account, clean_redis):
    with pytest.raises(BadKey):
        sessions.open_by_key(f"{account.id}-wrong", address="127.0.0.1", agent="")


def test_a_key_opens_a_bounded_number_of_sessions_and_ends_its_oldest(desk, token, api, account):
    browser = {"address": "203.0.113.9", "agent": "Firefox/143.0"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "MOST_BY_KEY", 3)
        opened = []
        for number in range(5):
            sessions.KEY_LOGINS.buckets.forget()
            opened.append(sessions.open_by_key(account.key, **browser | {"address": str(number)}))
    works = [api(one).get("profile/info")["status"] == "ok" for one in opened]
    assert works == [False, False, True, True, True]
    assert api(token).get("profile/info")["status"] == "ok"  # of another account, and by Telegram


def test_a_key_that_is_replaced_at_this_moment_opens_nothing(app, account, monkeypatch):
    lock = accounts.lock

    def after_the_owner(account_id):
        monkeypatch.undo()
        keys.rotate(account_id)
        return lock(account_id)

    monkeypatch.setattr(accounts, "lock", after_the_owner)
    with pytest.raises(BadKey):
        sessions.open_by_key(account.key, address="203.0.113.9", agent="")
    db.session.rollback()
    assert rows(select(Session)) == []


AGENT = "Mozilla/5.0 (X11; Linux) Firefox/143.0"


@pytest.fixture
def told(desk, clean_redis, account):
    """What Ann, to whom the account belongs, is told; she has opened nothing yet."""
    bot.link_telegram_user(account.login, ANN.id)

    def texts():
        desk.tell()
        return [one.text for one in desk.staged() if one.chat_id == ANN.id]

    return texts


def _by_key(account, address="203.0.113.9"):
    return sessions.open_by_key(account.key, address=address, agent=AGENT)


def test_a_session_by_the_key_is_told_at_once(desk, told, account):
    _by_key(account)
    (said,) = told()
    assert said.startswith(
        "Your API key has opened the dashboard with Firefox on Linux from the address 203.0.113.9 "
    )
    assert "sessions by the key that are open: 1." in said
    assert desk.button(ANN, "undo") == ""


def test_a_session_by_an_entry_link_is_told_at_once_and_can_be_undone(desk, told, account):
    link = entry_links.make(account.login)
    token = entry_links.redeem(link, address="203.0.113.9", agent=AGENT)
    (said,) = told()
    assert said.startswith("A link of the operator's has opened your dashboard with Firefox on ")
    assert sessions.authenticate(token)
    desk.press(ANN, desk.button(ANN, "undo"))
    with pytest.raises(BadKey):
        sessions.authenticate(token)


def test_it_is_told_in_the_language_of_the_account(told, account):
    db.session.execute(update(Account).where(Account.id == account.id).values(lang="ru"))
    db.session.commit()
    _by_key(account)
    assert told()[0].startswith("Ваш API-ключ открыл панель: Firefox на Linux, адрес 203.0.113.9")


def test_whoever_logs_in_by_the_key_without_end_is_told_of_a_few_times(desk, told, account):
    for number in range(40):
        _by_key(account, f"203.0.113.{number}")
    assert len(desk.notices()) == sessions.TOLD.burst
    assert len(told()) == 1  # together
    _by_key(account, "203.0.113.99")
    assert desk.notices() == []


def test_a_program_that_logs_in_all_day_hides_nobody_who_does_so_from_elsewhere(
    desk, told, account
):
    for _ in range(9):
        _by_key(account)
    assert len(desk.notices()) == 1
    _by_key(account, "198.51.100.7")
    assert [one.kind for one in desk.notices()] == [NoticeKind.SESSION] * 2
    assert "198.51.100.7" in told()[0]


def test_sessions_of_an_account_that_nobody_in_telegram_has_are_told_to_nobody(
    desk, clean_redis, account
):
    _by_key(account)
    entry_links.redeem(entry_links.make(account.login), address="203.0.113.9", agent=AGENT)
    assert desk.notices() == []
