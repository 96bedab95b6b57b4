"""What updates tell of chats is remembered, whether they are delivered or not."""

import pytest

from app.sandbox.telegram import people
from app.sandbox.telegram.bot.chats import Chats, is_inside
from app.sandbox.telegram.chat_members import STATUSES
from app.sandbox.telegram.faults import BLOCKED

ANN = people.Person(77)
CHAT = people.Chat(-1001)
BOT = people.BOT.user()


@pytest.fixture
def chats() -> Chats:
    return Chats(BOT)


@pytest.mark.parametrize("status", STATUSES)
def test_whoever_is_inside_is_told_by_the_new_state(chats, status):
    chats.apply(people.member(ANN, CHAT, "left", status), 0)
    inside = status in ("creator", "administrator", "member", "restricted")
    assert chats.is_inside(CHAT.id, ANN.id) is inside
    assert is_inside(chats.member(CHAT.id, ANN.id)) is inside


def test_a_request_waits_until_the_person_comes_in(chats):
    chats.apply(people.join_request(ANN, CHAT), 0)
    assert chats.requests.of(CHAT.id) == [ANN.id]
    chats.apply(people.leave(ANN, CHAT), 0)
    assert chats.requests.of(CHAT.id) == [ANN.id]
    chats.apply(people.join(ANN, CHAT, by=people.ADMIN), 0)
    assert chats.requests.of(CHAT.id) == []


def test_the_bots_right_to_invite_is_what_it_was_told(chats):
    assert chats.may_invite(CHAT.id)
    chats.apply(people.bot_rights(CHAT, True), 0)
    assert chats.may_invite(CHAT.id)
    chats.apply(people.bot_rights(CHAT, True, rights={"can_invite_users": False}), 0)
    assert not chats.may_invite(CHAT.id)
    chats.apply(people.bot_rights(CHAT, False), 0)
    assert not chats.may_invite(CHAT.id)


def test_who_blocks_the_bot_is_out_of_reach_until_a_start(chats):
    chats.apply(people.bot_blocked(ANN), 0)
    assert chats.reach.fault(ANN.id, window_open=False) is BLOCKED
    chats.apply(people.start(ANN), 0)
    assert chats.reach.fault(ANN.id, window_open=False) is None


def test_a_join_by_a_link_of_the_bot_takes_a_place_of_it(chats):
    link = chats.links.add(CHAT.id)
    link.member_limit = 1
    how = people.by_link(link.url)
    seen = chats.apply(people.join(ANN, CHAT, how=how), 0)["chat_member"]["invite_link"]
    assert (seen["creator"], seen["member_limit"]) == (BOT, 1)
    with pytest.raises(ValueError, match="INVITE_HASH_EXPIRED"):
        chats.apply(people.join(people.Person(78), CHAT, how=how), 0)
    chats.apply(people.leave(ANN, CHAT), 0)
    chats.apply(people.join(people.Person(78), CHAT, how=how), 0)
    assert link.members == {78}


def test_of_a_public_chat_nothing_tells_by_which_link_somebody_came(chats):
    public = people.Chat(CHAT.id, username="club")
    link = chats.links.add(CHAT.id)
    seen = chats.apply(people.join(ANN, public, how=people.by_link(link.url)), 0)
    assert "invite_link" not in seen["chat_member"]
    assert link.members == {ANN.id}


def test_a_revoked_link_takes_no_request_and_lets_in_who_asked_before(chats):
    link = chats.links.add(CHAT.id)
    link.creates_join_request = True
    chats.apply(people.join_request(ANN, CHAT, link=link.url), 0)
    link.is_revoked = True
    with pytest.raises(ValueError, match="INVITE_HASH_EXPIRED"):
        chats.apply(people.join_request(people.Person(78), CHAT, link=link.url), 0)
    chats.apply(people.join(ANN, CHAT, how=people.by_link(link.url)), 0)
    assert chats.is_inside(CHAT.id, ANN.id)


@pytest.mark.parametrize(
    "odd", [{}, {"message": "odd"}, {"chat_member": {}}, {"my_chat_member": {"chat": 5}}]
)
def test_an_odd_update_is_left_as_it_is(chats, odd):
    assert chats.apply(odd, 0) == odd
