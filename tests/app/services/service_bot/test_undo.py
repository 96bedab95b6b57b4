"""After "It was not me" all that a login did is taken back, also when it is said much later."""

import json
import threading
import time

import pytest
from sqlalchemy import select, update

from app.domain.time_ranges import DAY
from app.errors import ApiError, BadKey
from app.extensions import db
from app.models import Bot, EventKey, Login, ReplacedEventKey, ReplacedKey, Session
from app.services import purge
from app.services.accounts import keys as account_keys
from app.services.accounts import notifications
from app.services.accounts.accounts import Caller
from app.services.campaigns import settlement, transfer
from app.services.conversions import keys
from app.services.service_bot import sessions, undo
from tests.support.desk import ANN, IVAN, rows

UNDONE = "That login is undone: its session is over, and so is all that it made or gave away."


@pytest.fixture
def hijacked(desk, clean_redis, api):
    """Ann has a key and a session; then she agrees to a stranger's page. Its session token."""
    mine = desk.log_in(ANN, "a" * 20)
    desk.key = api(mine).post("profile/apikey")["data"]["key"]
    desk.mine = mine
    return desk.log_in(ANN, "x" * 20)


def told(desk):
    """What the next tick tells Ann, and the data of its buttons."""
    assert desk.tell() == 1
    message = desk.staged()[-1]
    buttons = json.loads(message.markup)["inline_keyboard"] if message.markup else []
    return message.text, [button["callback_data"] for row in buttons for button in row]


def test_an_attacker_who_replaced_the_key_loses_it_and_the_owner_has_it_back(desk, hijacked, api):
    desk.tell()
    first = api(hijacked).post("profile/apikey", end_sessions=1)["data"]["key"]
    second = api(first).post("profile/apikey")["data"]["key"]
    assert api(desk.key).get("profile/info")["error"] == "key"
    assert api(desk.mine).get("profile/info")["error"] == "key"
    text, (button,) = told(desk)
    assert text.count("Your API key was replaced") == 2
    assert desk.press(IVAN, button) == "Эта кнопка больше не работает."
    assert desk.press(ANN, button) == UNDONE
    assert api(hijacked).get("profile/info")["error"] == "key"
    assert api(first).get("profile/info")["error"] == "key"
    assert api(second).get("profile/info")["error"] == "key"
    assert api(desk.key).get("profile/info")["status"] == "ok"
    assert desk.press(ANN, button) == UNDONE  # once more changes nothing
    assert api(desk.key).get("profile/info")["status"] == "ok"


def test_a_new_session_is_told_at_once_with_its_page_and_a_way_out(desk, hijacked, api):
    desk.speak()  # a message has just left: what is urgent does not wait for its minute
    text, buttons = told(desk)
    assert text.count("A page has logged in to your account.") == 2
    assert "203.0.113.5" in text
    logins = [one.id for one in rows(select(Login).order_by(Login.id))]
    assert buttons == [f"undo:{login}" for login in logins]
    desk.press(ANN, buttons[-1])
    assert api(hijacked).get("profile/login")["error"] == "key"
    assert api(desk.mine).get("profile/login")["status"] == "ok"


def test_a_replaced_key_is_told_at_once_whoever_replaced_it(desk, hijacked, api):
    desk.tell()
    api(desk.key).post("profile/apikey")
    text, _ = told(desk)
    assert text.startswith("Your API key was replaced at ")


def incoming(client, made):
    """Whether a key for events opens."""
    answer = client.get(f"/in/{made['data']['key']}?event=reg&click=c1&tid=1")
    return answer.status_code != 404


def test_keys_for_events_of_a_login_are_void_and_those_it_replaced_work_again(
    desk, hijacked, api, client
):
    mine = api(desk.mine).post("eventkeys/add", title="CRM", signed=0)
    number = mine["data"]["id"]
    made = api(hijacked).post("eventkeys/add", title="theirs")
    by_key = api(hijacked).post("profile/apikey")["data"]["key"]
    again = api(by_key).post("eventkeys/add", title="theirs too")
    first = api(hijacked).post("eventkeys/rotate", id=number)
    second = api(by_key).post("eventkeys/rotate", id=number, signed=1)
    assert not incoming(client, mine)
    stranger = rows(select(Login).order_by(Login.id))[1]
    desk.press(ANN, f"undo:{stranger.id}")
    assert [incoming(client, one) for one in (made, again, first, second)] == [False] * 4
    assert incoming(client, mine)
    listed = api(desk.mine).get("eventkeys/list")["data"]
    assert [(one["id"], one["title"], one["signed"]) for one in listed] == [(number, "CRM", False)]


def test_a_key_for_events_comes_back_after_two_strangers_have_replaced_it_in_turns(
    desk, hijacked, api, client
):
    """In the order in which they came, or in the other."""
    kept, lost = (api(desk.mine).post("eventkeys/add", title="CRM", signed=0) for _ in range(2))
    second = desk.log_in(ANN, "y" * 20)
    theirs = [
        api(stranger).post("eventkeys/rotate", id=number["data"]["id"], signed=1)
        for number in (kept, lost)
        for stranger in (hijacked, second, hijacked, second)
    ]
    logins = [one.id for one in rows(select(Login).order_by(Login.id))]
    desk.press(ANN, f"undo:{logins[2]}")
    assert not incoming(client, kept)  # the first one's key is in force
    desk.press(ANN, f"undo:{logins[1]}")
    assert [incoming(client, one) for one in theirs] == [False] * 8
    assert incoming(client, kept)
    assert incoming(client, lost)


def test_a_key_for_events_that_its_owner_replaced_since_stays_so(desk, hijacked, api, client):
    number = api(desk.mine).post("eventkeys/add", title="CRM")["data"]["id"]
    theirs = api(hijacked).post("eventkeys/rotate", id=number)
    mine = api(desk.mine).post("eventkeys/rotate", id=number)
    logins = rows(select(Login).order_by(Login.id))
    desk.press(ANN, f"undo:{logins[1].id}")
    assert incoming(client, mine)
    assert not incoming(client, theirs)
    desk.press(ANN, f"undo:{logins[0].id}")
    assert not incoming(client, theirs)


def test_a_key_that_is_replaced_by_whoever_was_not_logged_in_is_not_kept(desk, api):
    made = api.post("eventkeys/add", title="CRM")["data"]["id"]
    api.post("eventkeys/rotate", id=made)
    (row,) = rows(select(EventKey))
    assert row.login_id is None
    assert rows(select(ReplacedEventKey)) == []


def test_a_login_that_is_undone_at_this_moment_makes_no_key_for_events(desk, hijacked, api):
    number = api(desk.mine).post("eventkeys/add", title="CRM")["data"]["id"]
    stranger = rows(select(Login).order_by(Login.id))[1]
    caller = sessions.authenticate(hijacked)
    desk.press(ANN, f"undo:{stranger.id}")
    with pytest.raises(BadKey):
        keys.add(caller.id, title="late", login_id=caller.login_id)
    db.session.rollback()
    with pytest.raises(BadKey):
        keys.rotate(caller.id, number, login_id=caller.login_id)


def test_undoing_another_login_leaves_what_this_one_made(desk, hijacked, api):
    logins = rows(select(Login).order_by(Login.id))
    key = api(hijacked).post("profile/apikey")["data"]["key"]
    desk.press(ANN, f"undo:{logins[0].id}")
    assert api(key).get("profile/info")["status"] == "ok"
    assert api(desk.key).get("profile/info")["error"] == "key"


def test_a_strangers_account_cannot_undo(desk, hijacked, api):
    ivan = desk.log_in(IVAN, "i" * 20)
    account = api(ivan).get("profile/login")["data"]["id"]
    stranger = rows(select(Login).order_by(Login.id))[1]
    assert not undo.undo(stranger.id, account, time.time())
    db.session.rollback()
    assert api(hijacked).get("profile/login")["status"] == "ok"


def test_a_new_key_ends_the_other_sessions_if_the_owner_says_so(desk, hijacked, api):
    api(desk.mine).post("profile/apikey")
    assert len(rows(select(Session))) == 2
    answer = api(desk.mine).post("profile/apikey", end_sessions=1)
    assert list(answer["data"]) == ["key"]
    assert api(hijacked).get("profile/login")["error"] == "key"
    assert api(desk.mine).get("profile/login")["status"] == "ok"
    api(answer["data"]["key"]).post("profile/apikey", end_sessions=1)
    assert rows(select(Session)) == []


# -- how long ------------------------------------------------------------------

DAY_13 = 13 * DAY


def age(login_id, seconds):
    """Let a login and its session be older by so many seconds."""
    times = {
        name: getattr(Login, name) - seconds for name in ("used", "agreed", "shown", "expires")
    }
    db.session.execute(update(Login).where(Login.id == login_id).values(times))
    session = update(Session).where(Session.login_id == login_id)
    db.session.execute(session.values(expires=Session.expires - seconds))
    db.session.commit()


def clock(now):
    """What the clock forgets at `now`."""
    purge._after.clear()
    sessions.forget(now)
    settlement.forget(now)
    db.session.commit()
    purge.purge(now)


def last_login():
    return rows(select(Login).order_by(Login.id))[-1].id


def test_a_key_made_on_the_thirteenth_day_is_undone_for_fourteen_more(desk, hijacked, api):
    login, now = last_login(), time.time()
    age(login, DAY_13)
    stolen = api(hijacked).post("profile/apikey")["data"]["key"]
    clock(now + DAY_13)
    assert undo.undo(login, desk.account_of(ANN).id, now + DAY_13)
    db.session.commit()
    assert api(stolen).get("profile/info")["error"] == "key"
    assert api(desk.key).get("profile/info")["status"] == "ok"


def test_a_key_that_its_own_login_replaces_late_restores_the_owners_all_the_same(
    desk, hijacked, api
):
    login, now = last_login(), time.time()
    api(hijacked).post("profile/apikey")
    age(login, DAY_13)
    db.session.execute(update(ReplacedKey).values(replaced=ReplacedKey.replaced - DAY_13))
    db.session.commit()
    stolen = api(hijacked).post("profile/apikey")["data"]["key"]
    clock(now + DAY_13)
    assert undo.undo(login, desk.account_of(ANN).id, now + DAY_13)
    db.session.commit()
    assert api(stolen).get("profile/info")["error"] == "key"
    assert api(desk.key).get("profile/info")["status"] == "ok"


def test_a_key_of_a_login_can_be_voided_for_as_long_as_it_opens_anything(desk, hijacked, api):
    login, now = last_login(), time.time()
    stolen = api(hijacked).post("profile/apikey")["data"]["key"]
    clock(now + 100 * DAY)
    assert undo.undo(login, desk.account_of(ANN).id, now + 100 * DAY)
    db.session.commit()
    assert api(stolen).get("profile/info")["error"] == "key"


def test_a_key_for_events_replaced_on_the_thirteenth_day_comes_back_for_fourteen_more(
    desk, hijacked, api, client
):
    mine = api(desk.mine).post("eventkeys/add", title="CRM", signed=0)
    login, now = last_login(), time.time()
    age(login, DAY_13)
    theirs = api(hijacked).post("eventkeys/rotate", id=mine["data"]["id"])
    db.session.execute(update(EventKey).values(created=EventKey.created - DAY_13))
    db.session.commit()
    clock(now + DAY_13)
    assert undo.undo(login, desk.account_of(ANN).id, now + DAY_13)
    db.session.commit()
    assert incoming(client, mine)
    assert not incoming(client, theirs)


# -- transfers -----------------------------------------------------------------


@pytest.fixture
def prey(desk, hijacked, world_of, make_account, api):
    """A bot of Ann's, which the stranger is about to give to an account of theirs."""
    anns = desk.account_of(ANN).id
    bot = world_of(anns).bot(username="flowers_bot")
    world_of(anns).lead(world_of(anns).campaign(bot_id=bot), bot_id=bot)
    accomplice = make_account(name="Mallory", tariff="tiger", paid_until=int(time.time()) + 9**7)
    token = api(accomplice.key).get("transfer/token")["data"]["token"]
    desk.tell()
    key = api(hijacked).post("profile/apikey")["data"]["key"]  # also by the key that it made
    assert api(key).post("transfer/bot", token=token, id=bot, leads=1) == {"status": "ok"}
    return accomplice, bot


def owner_of(bot):
    (row,) = rows(select(Bot).where(Bot.id == bot))
    return row.account_id


def test_a_transfer_is_told_at_once_and_called_off_by_its_button(desk, prey, api):
    text, buttons = told(desk)
    assert "@flowers_bot goes to Mallory at " in text
    keep = next(button for button in buttons if button.startswith("keep:"))
    assert desk.press(IVAN, keep) == "Эта кнопка больше не работает."
    assert desk.press(ANN, keep) == "It stays with you."
    assert desk.press(ANN, keep) == "This button no longer works."
    settlement.settle(time.time() + 9**6)
    assert owner_of(prey[1]) == desk.account_of(ANN).id
    assert "@flowers_bot stays" in told(desk)[0]


def test_no_flood_of_new_keys_or_old_news_hides_a_transfer_or_its_buttons(desk, prey, api):
    desk.tell()
    accomplice, bot = prey
    mine = api(desk.mine)
    (asked,) = mine.get("transfer/list")["data"]
    mine.post("transfer/cancel", id=asked["id"])
    for _ in range(12):
        notifications.payment(desk.account_of(ANN).id, "cat", 0, time.time())
    for _ in range(12):
        mine.post("profile/apikey")
    token = api(accomplice.key).get("transfer/token")["data"]["token"]
    answer = mine.post("transfer/bot", token=token, id=bot, leads=1)
    assert answer["status"] == "ok", answer
    texts, buttons = zip(*(told(desk) for _ in range(2)), strict=True)
    assert "".join(texts).count("Your API key was replaced") == 12
    assert "@flowers_bot goes to Mallory at " in texts[1]
    assert any(data.startswith("keep:") for data in buttons[1])


def test_after_undo_all_is_as_before_whether_the_bot_has_gone_or_not(desk, prey, api):
    accomplice, bot = prey
    anns = desk.account_of(ANN).id
    settlement.settle(time.time() + 700)
    assert owner_of(bot) == accomplice.id
    assert api(accomplice.key).get("leads/list")["total"] == 1
    assert api(accomplice.key).post("bots/del", id=bot)["status"] == "ok"
    text, buttons = told(desk)
    assert "@flowers_bot has gone to Mallory." in text
    assert desk.press(ANN, buttons[-1]) == UNDONE
    assert settlement.settle(time.time() + 1) == 1
    assert owner_of(bot) == anns
    assert "@flowers_bot has come back from Mallory." in told(desk)[0]
    mine = api(desk.key)
    assert [(row["id"], row["status"]) for row in mine.get("bots/list")["data"]] == [(bot, 0)]
    assert mine.get("leads/list")["total"] == 1
    assert api(accomplice.key).get("leads/list")["total"] == 0


def test_undo_keeps_what_has_not_gone_yet(desk, prey):
    _, buttons = told(desk)
    assert desk.press(ANN, buttons[-1]) == UNDONE
    settlement.settle(time.time() + 9**6)
    assert owner_of(prey[1]) == desk.account_of(ANN).id


def test_a_transfer_of_the_thirteenth_day_comes_back_fourteen_days_later(desk, prey, api):
    accomplice, bot = prey
    anns, login, now = desk.account_of(ANN).id, last_login(), time.time()
    age(login, DAY_13)
    api(desk.mine).post("profile/apikey")  # no key of that login is in force any more
    settlement.settle(now + 700)
    assert owner_of(bot) == accomplice.id
    clock(now + DAY_13)
    assert undo.undo(login, anns, now + DAY_13)
    db.session.commit()
    settlement.settle(now + DAY_13)
    assert owner_of(bot) == anns


def test_what_was_given_more_than_fourteen_days_ago_stays_given(desk, prey):
    accomplice, bot = prey
    login, now = last_login(), time.time()
    settlement.settle(now + 700)
    assert undo.undo(login, desk.account_of(ANN).id, now + 700 + 15 * DAY)
    db.session.commit()
    settlement.settle(now + 16 * DAY)
    assert owner_of(bot) == accomplice.id


def test_a_login_without_late_deeds_is_forgotten_with_its_session(desk, hijacked):
    made_the_key = rows(select(Login).order_by(Login.id))[0].id
    clock(time.time() + 14 * DAY + 3700)
    assert [login.id for login in rows(select(Login))] == [made_the_key]


def test_an_undo_amid_all_that_a_stranger_does_leaves_nothing_of_theirs(desk, prey, api, live_app):
    accomplice, bot = prey
    anns, login = desk.account_of(ANN).id, last_login()
    stranger = Caller(anns, "en", "free", None, login_id=login)
    token = api(accomplice.key).get("transfer/token")["data"]["token"]
    key = account_keys.rotate(anns, login_id=login)
    made = [key]
    deeds = (
        lambda: made.append(account_keys.rotate(anns, login_id=login)),
        lambda: sessions.open_by_key(key, address="203.0.113.9", agent=""),
        lambda: keys.add(anns, title="theirs", login_id=login),
        lambda: transfer.give_bot(stranger, token, bot, with_leads=True),
        lambda: settlement.settle(time.time() + 700),
        lambda: undo.undo(login, anns, time.time()) and db.session.commit(),
    )
    ready, ended = threading.Barrier(20), []

    def do(deed):
        with live_app.app_context():
            ready.wait()
            try:
                deed()
            except ApiError:
                db.session.rollback()
            ended.append(deed)

    threads = [threading.Thread(target=do, args=(deeds[n % len(deeds)],)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):  # what was undone before it had gone, and what had gone
        settlement.settle(time.time() + 10_000)
    assert len(ended) == 20  # in words, if not as the stranger wanted
    assert rows(select(Session).where(Session.login_id == login)) == []
    assert rows(select(EventKey)) == []
    assert {api(one).get("profile/info").get("error") for one in made} == {"key"}
    assert api(desk.key).get("profile/info")["status"] == "ok"
    assert owner_of(bot) == anns
