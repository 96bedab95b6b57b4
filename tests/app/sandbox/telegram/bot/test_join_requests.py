"""A join request waits until it is decided, and lets the bot write for five minutes."""

import pytest

from app.sandbox.telegram import people
from app.sandbox.telegram.bot.join_requests import WINDOW_SECONDS, JoinRequest, JoinRequests

ANN, BEN = people.Person(77), people.Person(78)
CHAT = people.Chat(-1001)


def asked(person: people.Person = ANN, now: float = 0.0, link: str = "") -> JoinRequest:
    by = {"invite_link": link} if link else {}
    return JoinRequest(CHAT.chat(), person.user(), person.id, by, now)


def test_a_request_waits_until_it_is_taken_out():
    requests = JoinRequests()
    requests.add(asked(ANN))
    requests.add(asked(BEN))
    assert requests.of(CHAT.id) == [77, 78]
    assert requests.pop(CHAT.id, 77).user["id"] == 77
    assert requests.pop(CHAT.id, 77) is None
    assert requests.of(CHAT.id) == [78]


def test_the_window_lasts_five_minutes_to_the_second():
    requests = JoinRequests()
    requests.add(asked(now=1000.0))
    assert WINDOW_SECONDS == 300
    assert requests.is_window_open(77, 1299.999)
    assert not requests.is_window_open(77, 1300.0)
    assert not requests.is_window_open(78, 1000.0)


def test_a_decision_and_another_administrator_close_the_window():
    requests = JoinRequests()
    requests.add(asked())
    requests.contact(CHAT.id, 77)
    assert not requests.is_window_open(77, 1.0)
    requests.add(asked(now=5.0))  # asked again
    assert requests.is_window_open(77, 6.0)
    requests.pop(CHAT.id, 77)
    assert not requests.is_window_open(77, 6.0)


def test_nobody_is_contacted_who_does_not_wait():
    with pytest.raises(KeyError):
        JoinRequests().contact(CHAT.id, 77)


def test_requests_are_counted_by_their_link():
    requests = JoinRequests()
    requests.add(asked(ANN, link="https://t.me/+a"))
    requests.add(asked(BEN))
    assert requests.count_by("https://t.me/+a") == 1
    assert requests.count_by("") == 0
    requests.add(asked(ANN, link="https://t.me/+b"))  # asked again, by another link
    assert (requests.count_by("https://t.me/+a"), requests.count_by("https://t.me/+b")) == (0, 1)
