"""An invite link lets people in within its limits, and is shown to its maker alone."""

import pytest

from app.sandbox.telegram.bot.invite_links import InviteLinks

BOT = {"id": 42, "is_bot": True, "first_name": "Gate"}
CHAT = -1001


@pytest.fixture
def links() -> InviteLinks:
    return InviteLinks(BOT)


def test_a_link_belongs_to_one_chat_and_each_is_another(links):
    first, second = links.add(CHAT), links.add(CHAT)
    assert first.url != second.url
    assert links.get(CHAT, first.url) is first
    assert links.get(-5, first.url) is None


def test_a_place_is_free_again_when_its_member_leaves(links):
    link = links.add(CHAT)
    link.member_limit = 1
    links.join(link, 77)
    assert link.fault(0) == "INVITE_HASH_EXPIRED"
    links.leave(-5, 77)
    assert link.fault(0)
    links.leave(CHAT, 77)
    assert link.fault(0) == ""


def test_a_revoked_or_expired_link_lets_nobody_in(links):
    link = links.add(CHAT)
    link.expire_date = 100
    assert (link.fault(99.9), link.fault(100)) == ("", "INVITE_HASH_EXPIRED")
    link.expire_date, link.is_revoked = 0, True
    assert link.fault(0)


def test_its_own_link_is_shown_whole_and_a_foreign_one_is_cut(links):
    link = links.add(CHAT)
    link.name, link.member_limit = "ads", 3
    assert links.shown(CHAT, {"invite_link": link.url}, 2) == {
        "invite_link": link.url, "creator": BOT, "creates_join_request": False,
        "is_primary": False, "is_revoked": False, "name": "ads", "member_limit": 3,
        "pending_join_request_count": 2,
    }  # fmt: skip
    foreign = {"invite_link": "https://t.me/+abcdefghijkl", "name": "theirs"}
    assert links.shown(CHAT, foreign, 0) == foreign | {"invite_link": "https://t.me/+abcdefgh…"}
    cut = {"invite_link": "https://t.me/+abcdefgh…"}
    assert links.shown(CHAT, cut, 0) == cut
