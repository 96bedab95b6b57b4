"""Faults are ordered for calls, and each fails in its own way."""

import pytest
import requests

from app.sandbox.telegram import faults
from tests.app.sandbox.conftest import TOKEN
from tests.support.bot_api import heal


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("unauthorized", 401),
        ("blocked", 403),
        ("deactivated", 403),
        ("never_started", 403),
        ("kicked", 403),
        ("flood:4000", 429),
        ("moved:-100", 400),
        ("server_error", 500),
        ("bad_gateway", 502),
    ],
)
def test_a_fault_lasts_as_long_as_ordered(bot, double, name, code):
    double.fail(TOKEN, "sendMessage", name, times=2)
    codes = [bot("sendMessage", chat_id=1, text="x").get("error_code") for _ in range(3)]
    assert codes == [code, code, None]
    assert len(double.sent()) == 1


def test_parameters_of_an_error_are_told(bot, double):
    double.fail(TOKEN, "*", faults.flood(4000))
    double.fail(TOKEN, "*", faults.moved(-100))
    assert bot("getMe")["parameters"] == {"retry_after": 4000}
    assert bot("getMe")["parameters"] == {"migrate_to_chat_id": -100}


def test_a_fault_may_be_for_one_chat(bot, double):
    double.fail(TOKEN, "sendMessage", faults.BLOCKED, -1, chat=77)
    assert bot("sendMessage", chat_id=78, text="x")["ok"]
    assert bot("sendMessage", chat_id=77, text="x")["error_code"] == 403
    heal(double, TOKEN)
    assert bot("sendMessage", chat_id=77, text="x")["ok"]


@pytest.mark.parametrize(("name", "sent"), [("reset", 1), ("drop", 0)])
def test_a_broken_connection_may_have_sent(bot, double, name, sent):
    double.fail(TOKEN, "sendMessage", name)
    with pytest.raises(requests.ConnectionError):
        bot("sendMessage", chat_id=77, text="x")
    assert len(double.sent()) == sent


def test_a_malformed_answer_is_no_json(bot, double):
    double.fail(TOKEN, "getMe", faults.MALFORMED)
    with pytest.raises(requests.JSONDecodeError):
        bot("getMe")


def test_a_hang_gives_no_answer_and_does_not_hold_the_end_up(double, session):
    double.fail(TOKEN, "getMe", faults.HANG)
    with pytest.raises(requests.ReadTimeout):
        session.get(f"{double.url}/bot{TOKEN}/getMe", timeout=0.2)


def test_an_unknown_fault_is_named(double):
    with pytest.raises(ValueError, match="bad_gateway"):
        double.fail(TOKEN, "getMe", "gremlins")
