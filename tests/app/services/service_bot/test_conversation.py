"""The service bot greets, and its buttons do only what they say."""

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import Account, Campaign, JoinRequest, Login, Message, RequestState
from app.sandbox.telegram.people import Person
from app.services.service_bot import bot, logins
from tests.support.desk import ANN, BROWSER, IVAN, NONCE, rows


@pytest.mark.parametrize(
    "data", ["", "undo", "undo:", "undo:x", "undo:999", "allow:999", "mute:-1", "x:1"]
)
def test_a_button_that_is_not_ours_does_nothing(desk, data):
    desk.start(ANN, f"login-{NONCE}")
    assert desk.press(ANN, data) == "This button no longer works."


def test_the_buttons_of_a_login_are_its_persons_alone(desk, clean_redis, api):
    token = desk.log_in(ANN)
    undo = desk.button(ANN, "undo")
    assert desk.press(IVAN, undo) == "Эта кнопка больше не работает."
    assert api(token).get("profile/login")["status"] == "ok"
    assert desk.press(ANN, undo).startswith("That login is undone")
    assert api(token).get("profile/login")["error"] == "key"


def test_a_login_undone_before_it_was_redeemed_gives_nothing(desk, clean_redis):
    logins.poll(NONCE, BROWSER)
    desk.start(ANN, f"login-{NONCE}")
    desk.agree(ANN)
    assert desk.press(ANN, desk.button(ANN, "undo")).startswith("That login is undone")
    assert logins.poll(NONCE, BROWSER).token is None


def test_a_bare_start_is_greeted_and_makes_no_account(desk):
    desk.start(IVAN)
    desk.speak()
    assert "личный кабинет" in desk.sent_to(IVAN)[0].text
    assert desk.account_of(IVAN) is None


def test_the_greeting_opens_the_dashboard_in_telegram_where_telegram_would(desk, change_settings):
    desk.start(IVAN)
    change_settings(public_url="https://gate.example")
    desk.start(IVAN)
    plain, with_button = [message.markup for message in desk.staged()]
    assert plain == ""
    assert "https://gate.example/login" in with_button


def test_someone_without_a_username_gets_a_login_of_their_number(desk):
    desk.start(Person(55, "\u202e\u0007", "", "", "de"), f"login-{NONCE}")
    account = rows(select(Account).where(Account.tg_id == 55))[0]
    assert (account.login, account.name, account.lang) == ("tg55", "tg55", "en")


def test_whoever_opens_the_bot_without_end_is_answered_a_few_times_and_makes_few_logins(desk):
    for number in range(bot.ANSWERS_A_MINUTE + 10):
        desk.start(IVAN, f"login-{number:020}")
    desk.start(ANN)
    assert [row.chat_id for row in desk.staged()].count(IVAN.id) == bot.ANSWERS_A_MINUTE
    assert len(rows(select(Login))) == bot.ANSWERS_A_MINUTE
    assert [row.chat_id for row in desk.staged()].count(ANN.id) == 1
    db.session.execute(update(Message).values(created=Message.created - 60))
    db.session.commit()
    desk.start(IVAN)
    assert [row.chat_id for row in desk.staged()].count(IVAN.id) == bot.ANSWERS_A_MINUTE + 1


def test_the_button_about_waiting_people_lets_in_those_of_its_own_account(
    desk, ann, make_campaign, world_of
):
    make_campaign(ann.id)
    (campaign,) = rows(select(Campaign))
    waiting = world_of(ann.id).request(campaign.id)
    declined = world_of(ann.id).request(campaign.id, state=RequestState.DECLINED)
    desk.press(IVAN, f"approve:{campaign.id}")
    assert {row.state for row in rows(select(JoinRequest))} == {0, RequestState.DECLINED}
    assert desk.press(ANN, f"approve:{campaign.id}") == "1 request is let in."
    states = {row.id: row.state for row in rows(select(JoinRequest))}
    assert states == {waiting: RequestState.SCHEDULED, declined: RequestState.DECLINED}
