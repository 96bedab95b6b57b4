"""Invite links are made, edited and revoked as Telegram does it."""

import time

import pytest

from app.sandbox.telegram import people
from tests.app.sandbox.conftest import TOKEN

CHANNEL = people.Chat(-1001234567890, "A channel")
SOON = int(time.time()) + 10_000


def create(bot, **params):
    return bot("createChatInviteLink", **{"chat_id": CHANNEL.id, **params})


def edit(bot, url, **params):
    return bot("editChatInviteLink", chat_id=CHANNEL.id, invite_link=url, **params)


def test_a_link_has_what_it_was_made_with(bot):
    link = create(bot, name="ads", expire_date=SOON, member_limit=99_999)["result"]
    assert link.pop("invite_link").startswith("https://t.me/+")
    assert link == {
        "creator": link["creator"],
        "creates_join_request": False, "is_primary": False, "is_revoked": False,
        "name": "ads", "expire_date": SOON, "member_limit": 99_999,
    }  # fmt: skip
    assert link["creator"]["id"] == 123456
    assert set(create(bot)["result"]) == {
        "invite_link", "creator", "creates_join_request", "is_primary", "is_revoked",
    }  # fmt: skip


def test_a_long_name_is_cut(bot):
    assert create(bot, name="n" * 40)["result"]["name"] == "n" * 32


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"chat_id": ""}, "chat_id is empty"),
        ({"chat_id": 77}, "can't invite members to a private chat"),
        ({"member_limit": 100_000}, "USAGE_LIMIT_INVALID"),
        ({"member_limit": -1}, "USAGE_LIMIT_INVALID"),
        ({"expire_date": 1}, "EXPIRE_DATE_INVALID"),
        (
            {"member_limit": 1, "creates_join_request": True},
            "member limit can't be specified for links requiring administrator approval",
        ),
    ],
)
def test_a_link_that_cannot_be_is_refused(bot, params, words):
    answer = create(bot, **params)
    assert (answer["error_code"], answer["description"]) == (400, f"Bad Request: {words}")


def test_an_edit_replaces_all_fields(bot):
    url = create(bot, name="ads", member_limit=1)["result"]["invite_link"]
    edited = edit(bot, url, creates_join_request=True)["result"]
    assert (edited["invite_link"], edited["creates_join_request"]) == (url, True)
    assert not {"name", "member_limit"} & set(edited)
    assert edit(bot, url, expire_date=1)["description"] == "Bad Request: EXPIRE_DATE_INVALID"


def test_a_revoked_link_is_revoked_for_good(bot):
    url = create(bot)["result"]["invite_link"]
    revoked = bot("revokeChatInviteLink", chat_id=CHANNEL.id, invite_link=url)["result"]
    assert (revoked["invite_link"], revoked["is_revoked"]) == (url, True)
    assert edit(bot, url)["description"] == "Bad Request: INVITE_HASH_EXPIRED"


@pytest.mark.parametrize("method", ["editChatInviteLink", "revokeChatInviteLink"])
@pytest.mark.parametrize(
    ("url", "words"),
    [("", "invite link must be non-empty"), ("https://t.me/+theirs", "INVITE_HASH_EXPIRED")],
)
def test_only_the_bots_own_links_are_changed(bot, method, url, words):
    answer = bot(method, chat_id=CHANNEL.id, invite_link=url)
    assert answer["description"] == f"Bad Request: {words}"


def test_without_the_right_to_invite_there_are_no_links(bot, double):
    url = create(bot)["result"]["invite_link"]
    double.push(TOKEN, people.bot_rights(CHANNEL, False))
    words = "Bad Request: not enough rights to manage chat invite link"
    assert create(bot)["description"] == words
    assert edit(bot, url)["description"] == words


def test_the_number_of_requests_is_told_when_a_link_is_edited(bot, double):
    url = create(bot, creates_join_request=True)["result"]["invite_link"]
    double.push(TOKEN, people.join_request(people.Person(77), CHANNEL, link=url))
    edited = edit(bot, url, creates_join_request=True)["result"]
    assert edited["pending_join_request_count"] == 1
