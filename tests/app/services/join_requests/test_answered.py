"""Who answers the question is let in, and guard bots leave the decision to the desk at once."""

import json

import pytest

from app.domain.join_requests.rules import Verdict
from app.models import Account, AccountStatus, DeskMode, RequestState
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.messages.callbacks import CALLBACK_ANSWERS


def press(asking, person, data):
    query = {"id": f"q{person}", "from": Person(person).user(), "chat_instance": "1", "data": data}
    asking.stage.play({"callback_query": query})
    CALLBACK_ANSWERS.join()
    return [
        call.params["text"] for call in asking.bot_api.calls(asking.token, "answerCallbackQuery")
    ]


def button(message):
    return json.loads(message.markup)["inline_keyboard"][0][0]["callback_data"]


@pytest.fixture
def asked(make_asking):
    asking = make_asking(DeskMode.RULES, greet="Are you human?", greet_button="Yes")
    asking.rule(Verdict.ASK, otherwise=Verdict.DECLINE, delay_to=600)
    asking.ask(7)
    return asking


def test_who_presses_the_button_is_let_in(asked):
    (message,) = asked.greetings()
    assert press(asked, 7, button(message)) == ["Thank you!"]
    row = asked.row(7)
    assert (row.state, row.action, row.reason) == (1, Verdict.APPROVE, "answered")
    asked.greet()
    asked.now += 2
    asked.decide(2)
    assert asked.approved() == [7]


def test_another_persons_press_and_a_made_up_one_let_nobody_in(asked):
    (message,) = asked.greetings()
    assert press(asked, 8, button(message)) == ["This button no longer works."]
    press(asked, 7, "human:999999")
    press(asked, 7, "human:" + "9" * 40)
    press(asked, 7, "robot:1")
    assert asked.row(7).action == Verdict.DECLINE
    assert asked.row(7).asks


def test_the_bot_of_a_banned_account_answers_nobody(asked):
    (message,) = asked.greetings()
    asked.set(Account, status=AccountStatus.BANNED)
    assert press(asked, 7, button(message)) == []
    assert asked.row(7).asks
    asked.set(Account, status=AccountStatus.ACTIVE)
    assert press(asked, 7, button(message)) == ["Thank you!"]


def test_a_button_of_somebody_elses_bot_lets_nobody_in(asked, make_stage):
    (message,) = asked.greetings()
    stranger = make_stage()
    query = {"id": "q", "from": Person(7).user(), "chat_instance": "1", "data": button(message)}
    stranger.play({"callback_query": query})
    assert asked.row(7).asks


def test_without_an_answer_the_rules_other_action_follows(asked):
    asked.greet()
    asked.now += 601
    asked.decide()
    assert asked.declined() == [7]
    assert asked.state(7) is RequestState.DECLINED


def test_a_query_of_a_guard_bot_is_left_to_the_desk_at_once_also_while_that_is_off(make_asking):
    asking = make_asking()
    asking.tell(people.join_request(Person(7), asking.chat, int(asking.now), query="q-1"))
    CALLBACK_ANSWERS.join()
    (call,) = asking.bot_api.calls(asking.token, "answerChatJoinRequestQuery")
    assert call.params["chat_join_request_query_id"] == "q-1"
    assert call.params["result"] == "queue"
    assert asking.row(7).query == "q-1"
