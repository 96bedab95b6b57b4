"""What happens to a bot is remembered, also what it did not ask to hear of."""

import time

import pytest

from app.sandbox.telegram import people
from app.sandbox.telegram.bot.state import new_bot
from app.sandbox.telegram.call import Rules
from app.sandbox.telegram.core import Core

ANN = people.Person(77)
CHAT = people.Chat(-1001)
TOKEN = "42:x"


@pytest.fixture
def core() -> Core:
    core = Core(Rules(), 1.0, time.time)
    core.bots[TOKEN] = new_bot(TOKEN, "gate_bot", "Gate", 100)
    return core


def test_an_update_gets_a_number_if_the_bot_wants_it(core):
    assert core.push(TOKEN, people.start(ANN)) == 100
    assert core.push(TOKEN, people.join(ANN, CHAT)) == 0
    assert core.push(TOKEN, people.start(ANN)) == 101
    assert core.bots[TOKEN].chats.is_inside(CHAT.id, ANN.id)


def test_a_method_acts_with_the_clock_and_the_rules_of_the_double(core):
    call = core.run(lambda call: call, core.bots[TOKEN], {"a": 1})
    assert (call.params, call.rules, call.now > 1) == ({"a": 1}, Rules(), True)


def test_an_unknown_bot_is_an_error(core):
    with pytest.raises(KeyError):
        core.push("1:nobody", people.start(ANN))
