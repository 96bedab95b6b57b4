"""Updates wait in Telegram's queues, and live as long as Telegram lets them."""

import pytest

from app.domain.time_ranges import DAY
from app.sandbox.telegram import people
from app.sandbox.telegram.bot.update_kinds import kind_of, life_seconds, queue_key
from tests.support import bot_api

ANN = people.Person(77)
CHANNEL = people.Chat(-1001)
OTHER = people.Chat(-1002)


@pytest.mark.parametrize(
    ("update", "key"),
    [
        (people.start(ANN), "chat:77"),
        (bot_api.migrated(CHANNEL, OTHER), "chat:-1001"),
        (people.join(ANN, CHANNEL), "member:77"),
        (people.kick(ANN, OTHER), "member:77"),
        (people.join_request(ANN, OTHER), "member:77"),
        (people.bot_rights(CHANNEL, True), "my_chat_member:-1001"),
        (people.bot_blocked(ANN), "my_chat_member:77"),
        ({"callback_query": {"from": {"id": 77}}}, "callback_query:77"),
        ({"message": "odd"}, "chat:None"),
        ({}, ":None"),
    ],
)
def test_queues_are_telegrams(update, key):
    assert queue_key({"update_id": 1, **update}) == key


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [("message", DAY), ("callback_query", 150), ("inline_query", 30), ("news_of_2030", DAY)],
)
def test_an_update_lives_as_long_as_its_kind(kind, seconds):
    assert life_seconds({"update_id": 1, kind: {}}) == seconds
    assert kind_of({"update_id": 1, kind: {}}) == kind
