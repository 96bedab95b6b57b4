"""Calls come in in every way, and getUpdates waits for what happens."""

import threading
import time

import requests

from app.sandbox.telegram import people
from tests.app.sandbox.conftest import TOKEN

ANN = people.Person(77, username="ann")
BEN = people.Person(78)
CHANNEL = people.Chat(-1001234567890, "A channel")


def test_an_unknown_token_is_unauthorized(double, session):
    answer = session.get(f"{double.url}/bot1:nobody/getMe", timeout=60)
    assert answer.status_code == 401
    assert answer.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}


def test_an_unknown_method_is_not_found(bot):
    assert bot("getLost")["error_code"] == 404


def test_names_of_methods_have_no_case(bot):
    assert bot("GETME")["ok"]


def test_a_long_poll_ends_when_something_happens(bot, double):
    answers: list[dict] = []
    poll = threading.Thread(target=lambda: answers.append(bot("getUpdates", timeout=20)))
    poll.start()
    while not double.calls(TOKEN, "getUpdates"):
        time.sleep(0.001)
    double.push(TOKEN, people.start(ANN))
    poll.join(60)
    assert len(answers[0]["result"]) == 1


def test_polling_conflicts_with_a_webhook(bot):
    bot("setWebhook", url="https://example.org/x")
    assert bot("getUpdates")["error_code"] == 409


def test_a_second_poll_ends_the_first(bot, double):
    answers: list[dict] = []
    poll = threading.Thread(target=lambda: answers.append(bot("getUpdates", timeout=20)))
    poll.start()
    while not double.calls(TOKEN, "getUpdates"):
        time.sleep(0.001)
    with requests.Session() as other:
        other.get(f"{double.url}/bot{TOKEN}/getUpdates", timeout=60)
    poll.join(60)
    assert answers[0]["error_code"] == 409
