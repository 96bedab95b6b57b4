import itertools

import pytest

from app.sandbox.telegram import people
from app.sandbox.telegram.chat_members import STATUSES
from tests.support import bot_api

ANN = people.Person(2**52 - 1, "Ann", "Lee", username="ann", language="de", premium=True)
CHANNEL = people.Chat(-1001234567890, "News")


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATUSES, repeat=2)))
def test_all_pairs_of_standings_can_be_told(old, new):
    change = people.member(ANN, CHANNEL, old, new, date=5)["chat_member"]
    for status, told in ((old, change["old_chat_member"]), (new, change["new_chat_member"])):
        assert told["user"]["id"] == ANN.id
        if status.startswith("restricted"):
            assert told["status"] == "restricted"
            assert told["is_member"] is (status == "restricted")
        else:
            assert told["status"] == status


def test_who_acts_is_the_person_unless_told():
    assert people.leave(ANN, CHANNEL)["chat_member"]["from"]["id"] == ANN.id
    assert people.kick(ANN, CHANNEL)["chat_member"]["from"]["id"] == people.ADMIN.id


def test_what_a_person_has_not_set_is_absent():
    assert people.Person(1, "Bo", language="").user() == {
        "id": 1,
        "is_bot": False,
        "first_name": "Bo",
    }
    assert ANN.user()["is_premium"] is True


def test_a_start_carries_its_payload():
    message = people.start(ANN, "abc123-x", date=5)["message"]
    assert (message["text"], message["date"]) == ("/start abc123-x", 5)
    assert message["entities"] == [{"offset": 0, "length": 6, "type": "bot_command"}]
    assert people.start(ANN)["message"]["text"] == "/start"


def test_the_bot_is_told_of_itself():
    promoted = people.bot_rights(CHANNEL, True)["my_chat_member"]
    assert promoted["new_chat_member"]["status"] == "administrator"
    assert promoted["new_chat_member"]["can_invite_users"] is True
    blocked = people.bot_blocked(ANN)["my_chat_member"]
    assert (blocked["chat"]["type"], blocked["new_chat_member"]["status"]) == ("private", "kicked")
    assert people.bot_unblocked(ANN)["my_chat_member"]["new_chat_member"]["status"] == "member"


def test_a_group_tells_from_both_ends_that_it_moved():
    old, new = people.Chat(-5, "G", "group"), people.Chat(-1005, "G", "supergroup")
    assert bot_api.migrated(old, new)["message"]["migrate_to_chat_id"] == -1005
    assert bot_api.migrated_from(old, new)["message"]["migrate_from_chat_id"] == -5


def test_a_request_says_where_to_write():
    request = people.join_request(ANN, CHANNEL, link="https://t.me/+x")["chat_join_request"]
    assert request["user_chat_id"] == ANN.id
    assert request["invite_link"]["creates_join_request"] is True


@pytest.mark.parametrize(
    ("how", "field", "value"),
    [
        (people.BY_REQUEST, "via_join_request", True),
        (people.BY_FOLDER, "via_chat_folder_invite_link", True),
        (people.by_link("https://t.me/+x"), "invite_link", "https://t.me/+x"),
    ],
)
def test_a_join_says_by_what_the_person_came(how, field, value):
    plain = people.join(ANN, CHANNEL)["chat_member"]
    assert field not in plain
    seen = people.join(ANN, CHANNEL, how=how)["chat_member"][field]
    assert (seen["invite_link"] if isinstance(seen, dict) else seen) == value


def test_a_request_may_carry_a_bio():
    assert "bio" not in people.join_request(ANN, CHANNEL)["chat_join_request"]
    asked = people.join_request(ANN, CHANNEL, bio="I am Ann")["chat_join_request"]
    assert asked["bio"] == "I am Ann"


def test_a_public_chat_has_a_username():
    assert people.Chat(-1001, "News").chat() == {"id": -1001, "title": "News", "type": "channel"}
    assert people.Chat(-1001, "News", username="news").chat()["username"] == "news"


def test_a_bot_may_lack_single_rights():
    update = people.bot_rights(CHANNEL, True, rights={"can_invite_users": False})
    member = update["my_chat_member"]["new_chat_member"]
    assert (member["can_invite_users"], member["can_manage_chat"]) == (False, True)
