"""Answers to buttons and checkouts leave after the commit, and are repeated a few times."""

from typing import Any

import pytest

from app.sandbox.telegram import faults
from app.services.messages.callbacks import MAX_BUTTONS, MAX_TEXT, TRIES, CallbackAnswers

TOKEN = "4242:AAsecret"


@pytest.fixture
def answers(bot_api: Any) -> CallbackAnswers:
    bot_api.add_bot(TOKEN, "bot4242")
    return CallbackAnswers()


def send(answers: CallbackAnswers) -> None:
    answers.send()
    answers.join()


def calls(bot_api: Any, method: str) -> list[dict[str, Any]]:
    return [call.params for call in bot_api.calls(TOKEN, method)]


def test_nothing_leaves_before_send(answers: CallbackAnswers, bot_api: Any) -> None:
    answers.answer_button(bot_api.url, TOKEN, "query", "Done")
    answers.forget()
    send(answers)
    assert calls(bot_api, "answerCallbackQuery") == []


def test_a_button_is_answered_once_and_with_a_text_that_fits(
    answers: CallbackAnswers, bot_api: Any
) -> None:
    answers.answer_button(bot_api.url, TOKEN, "query", "x" * (MAX_TEXT + 50))
    send(answers)
    send(answers)
    (params,) = calls(bot_api, "answerCallbackQuery")
    assert params == {"callback_query_id": "query", "text": "x" * MAX_TEXT}


def test_a_checkout_is_confirmed_or_refused_with_its_reason(
    answers: CallbackAnswers, bot_api: Any
) -> None:
    answers.answer_checkout(bot_api.url, TOKEN, "good", "")
    answers.answer_checkout(bot_api.url, TOKEN, "bad", "too late")
    send(answers)
    by_query = {
        params["pre_checkout_query_id"]: params
        for params in calls(bot_api, "answerPreCheckoutQuery")
    }
    assert by_query["good"] == {"pre_checkout_query_id": "good", "ok": True}
    assert (by_query["bad"]["ok"], by_query["bad"]["error_message"]) == (False, "too late")


def test_of_too_many_buttons_the_newest_are_answered(
    answers: CallbackAnswers, bot_api: Any
) -> None:
    for number in range(MAX_BUTTONS + 3):
        answers.answer_button(bot_api.url, TOKEN, str(number), "")
    send(answers)
    queries = {params["callback_query_id"] for params in calls(bot_api, "answerCallbackQuery")}
    assert queries == {str(number) for number in range(3, MAX_BUTTONS + 3)}


def test_a_fault_of_telegram_is_tried_again(answers: CallbackAnswers, bot_api: Any) -> None:
    bot_api.fail(TOKEN, "answerCallbackQuery", faults.SERVER_ERROR, times=TRIES - 1)
    answers.answer_button(bot_api.url, TOKEN, "query", "Done")
    send(answers)
    assert len(calls(bot_api, "answerCallbackQuery")) == TRIES
