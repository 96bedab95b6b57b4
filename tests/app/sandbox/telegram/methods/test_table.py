"""The table of methods, and those of a line."""

from app.sandbox.telegram import people
from app.sandbox.telegram.methods.table import METHODS
from tests.app.sandbox.conftest import TOKEN

ANN = people.Person(77)
CHANNEL = people.Chat(-1001234567890, "A channel")


def test_every_method_is_found_by_its_name_in_lower_case():
    assert all(name == name.lower() for name in METHODS)
    assert {"getme", "approvechatjoinrequest", "revokechatinvitelink"} <= set(METHODS)


def test_a_member_is_what_the_last_update_told(bot, double):
    double.push(TOKEN, people.member(ANN, CHANNEL, "left", "restricted"))
    member = bot("getChatMember", chat_id=CHANNEL.id, user_id=77)["result"]
    assert (member["status"], member["is_member"]) == ("restricted", True)
    assert bot("getChatMember", chat_id=CHANNEL.id, user_id=5)["error_code"] == 400


def test_a_chat_is_what_the_last_update_told(bot, double):
    public = people.Chat(CHANNEL.id, CHANNEL.title, username="club")
    for chat, username in ((CHANNEL, None), (public, "club")):
        double.push(TOKEN, people.member(ANN, chat, "left", "member"))
        shown = bot("getChat", chat_id=CHANNEL.id)["result"]
        assert (shown["title"], shown.get("username")) == (CHANNEL.title, username)
    assert bot("getChat", chat_id=-5)["error_code"] == 400


def test_a_method_that_nobody_looks_at_says_yes(bot):
    assert bot("setMyCommands", commands=[])["result"] is True
