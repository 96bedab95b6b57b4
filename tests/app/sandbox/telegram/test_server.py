"""The double as tests and the demo use it."""

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN

ANN = people.Person(77, username="ann")
BEN = people.Person(78)
CHANNEL = people.Chat(-1001234567890, "A channel")


def test_get_me_tells_who_the_token_is(bot):
    assert bot("getMe")["result"]["username"] == "gate_bot"
    assert bot("getMe")["result"]["id"] == 123456


def test_a_taken_port_is_an_error_and_not_a_hang(double):
    port = int(double.url.rpartition(":")[2])
    with pytest.raises(OSError, match="address"), running(BotApiDouble(), port=port):
        pass


def test_only_kinds_that_were_asked_for_happen(bot, double):
    assert double.push(TOKEN, people.join(ANN, CHANNEL)) == 0
    assert double.push(TOKEN, people.bot_rights(CHANNEL, True)) > 0
    bot("getUpdates", allowed_updates=["chat_member"])
    assert double.push(TOKEN, people.join(ANN, CHANNEL)) > 0
    assert double.push(TOKEN, people.start(ANN)) == 0


def test_ids_rise_by_one_and_a_given_one_is_kept(double):
    first = double.push(TOKEN, people.start(ANN))
    assert double.push(TOKEN, people.start(ANN)) == first + 1
    assert double.push(TOKEN, {"update_id": 5, **people.start(ANN)}) == 5
    assert double.push(TOKEN, people.start(ANN)) == 6


def test_an_unknown_kind_goes_through(bot, double):
    double.push(TOKEN, {"subscription": {"odd": [1]}, "update_id": 3})
    # Not in the default list, since nobody knows it: as when the list is older.
    assert [update["update_id"] for update in bot("getUpdates")["result"]] == [3]


def test_offset_confirms(bot, double):
    ids = [double.push(TOKEN, people.start(ANN)) for _ in range(3)]
    assert [one["update_id"] for one in bot("getUpdates", limit=2)["result"]] == ids[:2]
    left = bot("getUpdates", offset=ids[1] + 1)["result"]
    assert [one["update_id"] for one in left] == ids[2:]
    assert double.pending(TOKEN) == 1


def test_ids_that_restart_lower_are_confirmed_too(bot, double):
    for number in (500, 3):
        double.push(TOKEN, {"update_id": number, **people.start(ANN)})
    assert bot("getUpdates", offset=4)["result"] == []


def test_a_negative_offset_keeps_the_newest(bot, double):
    ids = [double.push(TOKEN, people.start(ANN)) for _ in range(3)]
    assert [one["update_id"] for one in bot("getUpdates", offset=-1)["result"]] == ids[2:]
