"""What is stored of a link that was made, and what a refusal does."""

import pytest
from sqlalchemy import select, text

from app.domain.telegram.evidence import Evidence
from app.extensions import db
from app.models import Bot, BotChat, BotFault, Campaign, InviteKind, InviteState, SourceMode
from app.outbound.telegram import TelegramRefused, TelegramUnreachable
from app.services.clicks.invites import minting
from app.services.clicks.invites.minting import Maker, Order

LINK = "https://t.me/+AbC-_123"
TOKEN = "t" * 16


@pytest.fixture
def inviting(make_inviting):
    return make_inviting(mode=SourceMode.INVITE)


def order(inviting, kind=InviteKind.SINGLE, **fields):
    maker = Maker(inviting.stage.bot, inviting.token, 0.0)
    return minting.order(maker, inviting.chat.id, kind, 3600, inviting.now, **fields)


def test_a_link_lives_its_time_from_the_hand_out_though_it_lay_in_the_pool(inviting):
    made = order(inviting)
    assert made.expires == int(inviting.now) + 3600 + minting.SHELF_SECONDS
    assert made.params["member_limit"] == 1
    assert made.params["creates_join_request"] is None
    assert made.name.startswith("g")


def test_a_link_with_requests_has_no_limit_of_members(inviting):
    params = order(inviting, InviteKind.REQUEST).params
    assert (params["member_limit"], params["creates_join_request"]) == (None, True)


def test_it_is_stored_encrypted_and_found_by_its_key(inviting):
    assert minting.record(order(inviting), {"invite_link": LINK}, inviting.now) == LINK
    (invite,) = inviting.invites()
    assert (invite.link, invite.link_key) == (LINK, Evidence(link=LINK).link_key)
    assert (invite.state, invite.token) == (InviteState.POOL, None)
    stored = db.session.execute(text("SELECT * FROM invite")).one()
    db.session.commit()
    assert not any("AbC-_123" in str(value) for value in stored)


def test_a_link_of_a_click_is_never_in_the_pool(inviting):
    made = order(inviting, source_id=inviting.source.id, click_token=TOKEN)
    minting.record(made, {"invite_link": LINK}, inviting.now)
    (invite,) = inviting.invites()
    assert (invite.state, invite.token) == (InviteState.HANDED_OUT, TOKEN)


@pytest.mark.parametrize(
    "reply",
    [
        True,
        {},
        {"invite_link": None},
        {"invite_link": "https://evil.example/+AbC"},
        {"invite_link": "https://t.me/+Ab…"},
        {"invite_link": "https://t.me/+" + "a" * 300},
        TelegramUnreachable("no answer", sent=True),
    ],
)
def test_an_answer_without_a_usable_link_stores_nothing(inviting, reply):
    assert minting.record(order(inviting), reply, inviting.now) == ""
    assert inviting.invites() == []


def test_the_second_named_link_of_a_source_is_revoked_and_not_shared(inviting):
    maker = Maker(inviting.stage.bot, inviting.token, 0.0)
    named = Order(maker, inviting.chat.id, InviteKind.NAMED, None, "Reels", inviting.source.id)
    assert minting.record(named, {"invite_link": LINK}, inviting.now)
    assert minting.record(named, {"invite_link": LINK + "2"}, inviting.now) == ""
    states = [(row.link, row.state) for row in inviting.invites()]
    assert states == [(LINK, InviteState.HANDED_OUT), (LINK + "2", InviteState.TO_REVOKE)]


@pytest.mark.parametrize(
    "refusal",
    [
        TelegramRefused(400, "Bad Request: not enough rights to manage chat invite link"),
        TelegramRefused(400, "Bad Request: CHAT_ADMIN_REQUIRED"),
        TelegramRefused(403, "Forbidden: bot is not a member of the channel chat"),
    ],
)
def test_lost_rights_stop_the_chat_and_the_owner_is_told_once(inviting, refusal):
    for _ in range(2):
        minting.record(order(inviting), refusal, inviting.now)
    chat = db.session.scalars(select(BotChat)).one()
    assert not chat.can_invite
    assert len(db.session.scalars(select(BotFault)).all()) == 1
    db.session.commit()


def test_a_group_that_moved_takes_its_campaign_along(inviting):
    moved = TelegramRefused(400, "group chat was upgraded", migrate_to=-100777)
    minting.record(order(inviting), moved, inviting.now)
    assert db.session.get_one(Campaign, inviting.stage.campaign).chat_id == -100777
    db.session.commit()


def test_a_refused_token_pauses_the_bot(inviting):
    minting.record(order(inviting), TelegramRefused(401, "Unauthorized"), inviting.now)
    assert db.session.get_one(Bot, inviting.stage.bot).paused
    db.session.commit()
