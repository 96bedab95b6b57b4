"""Commands become what Telegram tells the bot, and what cannot be is said."""

from typing import Any

import pytest

from app.sandbox.play.commands import Mistake
from app.sandbox.play.player import Player
from app.sandbox.telegram.server import BotApiDouble
from tests.app.sandbox.conftest import TOKEN

ALL = ["message", "chat_member", "chat_join_request", "my_chat_member"]


@pytest.fixture
def player(double: BotApiDouble, bot: Any) -> Player:
    bot("getUpdates", allowed_updates=ALL)
    return Player(double)


@pytest.fixture
def updates(bot: Any) -> Any:
    return lambda: [
        next(value for name, value in update.items() if name != "update_id")
        for update in bot("getUpdates")["result"]
    ]


def refused(player: Player, name: str, *arguments: str) -> str:
    with pytest.raises(Mistake) as mistake:
        player.perform(name, list(arguments))
    return str(mistake.value)


def test_after_a_restart_the_last_chat_is_the_one_that_the_bot_knows(player, double):
    player.perform("admin", ["Club"])
    again = Player(double)
    again.perform("join", ["Ann"])
    assert next(iter(again.perform("who", []))).endswith("Ann")
    again.perform("bot", ["77:another"])
    assert "no administrator of News" in refused(again, "join", "Ann")


def test_a_play_is_told_to_the_bot_in_its_order(player, updates):
    for line in ("admin News", "start Ann abc-1", "join Ann", "leave Ann", "request Ann",
                 "join Ann News", "kick Ann", "block Ann", "unblock Ann"):  # fmt: skip
        name, *arguments = line.split()
        assert player.perform(name, arguments)[0].startswith("update ")
    admin, start, joined, left, asked, let_in, banned, blocked, back = updates()
    assert admin["chat"]["title"] == "News"
    assert start["text"] == "/start abc-1"
    assert (joined["from"]["first_name"], joined["new_chat_member"]["status"]) == ("Ann", "member")
    assert left["new_chat_member"]["status"] == "left"
    assert asked["user_chat_id"] == start["from"]["id"]
    assert (let_in["from"]["first_name"], let_in["via_join_request"]) == ("Admin", True)
    assert banned["new_chat_member"]["status"] == "kicked"
    assert [one["new_chat_member"]["status"] for one in (blocked, back)] == ["kicked", "member"]


def test_a_link_of_the_bot_lets_in_within_its_limit(player, bot, updates):
    player.perform("admin", ["News"])
    chat = updates()[0]["chat"]["id"]
    link = bot("createChatInviteLink", chat_id=chat, member_limit=1)["result"]["invite_link"]
    player.perform("join", ["Ann", "News", link])
    assert updates()[-1]["invite_link"]["invite_link"] == link
    assert "INVITE_HASH_EXPIRED" in refused(player, "join", "Ben", "News", link)


def test_what_cannot_be_is_said_and_not_told_to_the_bot(player, updates):
    assert "type: admin" in refused(player, "join", "Ann")
    player.perform("admin", ["Flower Deals"])
    player.perform("join", ["Ann"])
    assert "already" in refused(player, "join", "Ann")
    assert "already" in refused(player, "request", "Ann")
    assert "not in" in refused(player, "leave", "Ben")
    assert "has not asked" in refused(player, "withdraw", "Ben")
    assert "channel, group" in refused(player, "admin", "News", "forum")
    assert len(updates()) == 2


def test_a_bot_that_did_not_ask_is_not_told(player, bot):
    bot("getUpdates", allowed_updates=["my_chat_member"])
    player.perform("admin", [])
    assert player.perform("join", ["Ann"]) == [
        "the bot is not told: it asked for no chat_member in allowed_updates"
    ]


def test_who_is_where_is_told(player):
    assert player.perform("who", []) == ["the bot knows no chat; type: admin"]
    player.perform("admin", ["News", "supergroup"])
    player.perform("join", ["Ann"])
    player.perform("request", ["Ben"])
    [line] = player.perform("who", [])
    assert line.startswith("News (supergroup, -100")
    assert line.endswith("Ann; waiting: Ben")
    player.perform("withdraw", ["Ben"])
    assert player.perform("who", [])[0].endswith("Ann")


def test_a_bot_is_chosen_or_made_by_its_token(player, double):
    assert player.perform("bot", []) == ["* @gate_bot"]
    assert player.perform("bot", ["9:z"]) == ["  @gate_bot", "* @bot9_bot"]
    player.perform("start", ["Ann"])
    assert (double.pending(TOKEN), double.pending("9:z")) == (0, 1)
    assert "number" in refused(player, "bot", "token")
    assert "bot TOKEN" in refused(Player(BotApiDouble()), "start", "Ann")


def test_names_are_found_by_ids(player, updates):
    player.perform("admin", ["News"])
    player.perform("start", ["Ann"])
    admin, start = updates()
    assert player.name_of(admin["chat"]["id"]) == "News"
    assert player.name_of(start["from"]["id"]) == "Ann"
