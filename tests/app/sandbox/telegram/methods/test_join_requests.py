"""Join requests are decided as Telegram does it, and open a window of five minutes."""

from typing import Any

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN, Bot

ANN, BEN = people.Person(77, "Ann"), people.Person(78, "Ben")
CHANNEL = people.Chat(-1001234567890, "A channel")
ALL = ["message", "chat_member", "chat_join_request", "my_chat_member"]


class Clock:
    """Time that passes when told to."""

    now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def double(clock):
    double = BotApiDouble(clock=clock)
    double.add_bot(TOKEN, "gate_bot")
    with running(double) as url:
        double.url = url
        yield double


@pytest.fixture
def bot(double, session):
    bot = Bot(double.url, TOKEN, session)
    bot("getUpdates", allowed_updates=ALL)
    return bot


def decide(bot: Bot, method: str = "approve", user: int = 77, chat: Any = CHANNEL.id) -> Any:
    return bot(f"{method}ChatJoinRequest", chat_id=chat, user_id=user)


def write(bot: Bot, person: people.Person = ANN) -> int:
    """Return 0 if the message is taken, else the code of the error."""
    return int(bot("sendMessage", chat_id=person.id, text="Hello").get("error_code", 0))


def test_an_approval_lets_in_and_an_update_tells_of_it(bot, double):
    double.push(TOKEN, people.join_request(ANN, CHANNEL))
    assert double.join_requests(TOKEN, CHANNEL) == [ANN.id]
    assert decide(bot)["result"] is True
    assert double.join_requests(TOKEN, CHANNEL) == []
    change = bot("getUpdates")["result"][-1]["chat_member"]
    assert (change["from"]["id"], change["via_join_request"]) == (123456, True)
    assert change["new_chat_member"] == {"user": ANN.user(), "status": "member"}
    member = bot("getChatMember", chat_id=CHANNEL.id, user_id=ANN.id)["result"]
    assert member["status"] == "member"


def test_an_approved_request_by_link_carries_the_link(bot, double):
    link = bot("createChatInviteLink", chat_id=CHANNEL.id, creates_join_request=True)["result"]
    double.push(TOKEN, people.join_request(ANN, CHANNEL, link=link["invite_link"]))
    decide(bot)
    asked, joined = (next(iter(list(one.values())[1:])) for one in bot("getUpdates")["result"])
    assert asked["invite_link"]["invite_link"] == link["invite_link"]
    assert joined["invite_link"]["invite_link"] == link["invite_link"]
    assert "via_join_request" not in joined


def test_a_decline_tells_nobody_and_the_person_may_ask_again(bot, double):
    double.push(TOKEN, people.join_request(ANN, CHANNEL))
    assert decide(bot, "decline")["result"] is True
    assert len(bot("getUpdates")["result"]) == 1
    assert decide(bot, "decline")["description"] == "Bad Request: HIDE_REQUESTER_MISSING"
    double.push(TOKEN, people.join_request(ANN, CHANNEL))
    assert decide(bot)["ok"]


@pytest.mark.parametrize("method", ["approve", "decline"])
@pytest.mark.parametrize(
    ("whom", "words"),
    [
        ({"user": 0}, "invalid user_id specified"),
        ({"user": "ann"}, "invalid user_id specified"),
        ({"chat": ""}, "chat_id is empty"),
        ({"chat": "@news"}, "chat not found"),
        ({"chat": 77}, "the chat can't have join requests"),
        ({"user": 78}, "HIDE_REQUESTER_MISSING"),
        ({"user": 79}, "USER_ALREADY_PARTICIPANT"),
    ],
)
def test_what_cannot_be_decided_is_refused_in_telegrams_words(bot, double, method, whom, words):
    double.push(TOKEN, people.join_request(ANN, CHANNEL))
    double.push(TOKEN, people.join(people.Person(79), CHANNEL))
    answer = decide(bot, method, **whom)
    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {words}")
    assert double.join_requests(TOKEN, CHANNEL) == [ANN.id]


def test_without_the_right_to_invite_nothing_is_decided(bot, double):
    double.push(TOKEN, people.join_request(ANN, CHANNEL))
    double.push(TOKEN, people.bot_rights(CHANNEL, True, rights={"can_invite_users": False}))
    assert decide(bot)["description"] == (
        "Bad Request: not enough rights to manage chat join requests"
    )
    double.push(TOKEN, people.bot_rights(CHANNEL, True))
    assert decide(bot)["ok"]


def test_another_administrator_may_be_first(bot, double):
    double.push(TOKEN, people.join_request(ANN, CHANNEL))
    double.push(TOKEN, people.join(ANN, CHANNEL, by=people.ADMIN))
    assert decide(bot)["description"] == "Bad Request: USER_ALREADY_PARTICIPANT"
    double.push(TOKEN, people.join_request(BEN, CHANNEL))
    assert double.withdraw(TOKEN, BEN, CHANNEL)
    assert not double.withdraw(TOKEN, BEN, CHANNEL)
    assert decide(bot, user=BEN.id)["description"] == "Bad Request: HIDE_REQUESTER_MISSING"


def test_one_person_may_be_in_too_many_chats(bot, double):
    for person in (ANN, BEN):
        double.push(TOKEN, people.join_request(person, CHANNEL))
    double.fail(TOKEN, "approveChatJoinRequest", "channels_too_much", user=BEN.id)
    assert decide(bot)["ok"]
    assert decide(bot, user=BEN.id)["description"] == "Bad Request: USER_CHANNELS_TOO_MUCH"
    assert double.join_requests(TOKEN, CHANNEL) == [BEN.id]


class TestWindow:
    def test_it_lasts_five_minutes_to_the_second(self, bot, double, clock):
        double.push(TOKEN, people.join_request(ANN, CHANNEL))
        clock.now += 299.9
        assert write(bot) == 0
        clock.now += 0.1
        assert write(bot) == 403
        assert decide(bot)["ok"]

    @pytest.mark.parametrize("method", ["approve", "decline"])
    def test_a_decision_ends_it(self, bot, double, method):
        double.push(TOKEN, people.join_request(ANN, CHANNEL))
        decide(bot, method)
        answer = bot("sendMessage", chat_id=ANN.id, text="Hello")
        assert answer["description"] == ("Forbidden: bot can't initiate conversation with a user")

    def test_another_administrators_message_ends_it(self, bot, double):
        double.push(TOKEN, people.join_request(ANN, CHANNEL))
        double.contact(TOKEN, ANN, CHANNEL)
        assert write(bot) == 403

    def test_it_opens_again_with_another_request(self, bot, double, clock):
        double.push(TOKEN, people.join_request(ANN, CHANNEL))
        clock.now += 301
        assert write(bot) == 403
        double.push(TOKEN, people.join_request(ANN, CHANNEL))
        assert write(bot) == 0

    def test_a_person_who_started_the_bot_needs_none(self, bot, double, clock):
        double.push(TOKEN, people.start(ANN))
        double.push(TOKEN, people.join_request(ANN, CHANNEL))
        clock.now += 301
        assert write(bot) == 0

    def test_a_request_that_the_bot_did_not_ask_to_hear_of_opens_it_all_the_same(self, bot, double):
        bot("getUpdates", allowed_updates=["message"])
        assert double.push(TOKEN, people.join_request(ANN, CHANNEL)) == 0
        assert decide(bot)["ok"]
