"""Which link a visitor of a source gets."""

from types import SimpleNamespace

import pytest

from app.domain.clicks.link_query import QueryFlag
from app.models import (
    Bot,
    BotChat,
    Campaign,
    DeskMode,
    InviteKind,
    InviteState,
    SourceFallback,
    SourceMode,
)
from app.sandbox.telegram.faults import HANG, NO_RIGHTS, SERVER_ERROR, flood
from app.services.clicks import target
from app.services.clicks.invites import pace, pool

SOURCE = SimpleNamespace(
    username="trackbot",
    campaign_code="c00001",
    mode=SourceMode.START,
    fallback=SourceFallback.START,
)
NOW = 1_700_000_000.0
CREATE = "createChatInviteLink"


def test_a_click_goes_to_the_bot_with_its_token():
    choice = target.choose(SOURCE, "t" * 16, NOW)
    assert choice.link == f"https://t.me/trackbot?start=c00001_{'t' * 16}"
    assert target.choose_again(SOURCE, "t" * 16, NOW + 5) == choice


def test_what_is_no_click_goes_to_the_bot_without_one():
    assert target.plain(SOURCE).link == "https://t.me/trackbot?start=c00001"


@pytest.mark.parametrize(
    ("chat", "is_invited"),
    [
        ({}, True),
        ({"username": "club"}, False),
        ({"can_invite": False}, False),
        ({"is_admin": False}, False),
    ],
)
def test_auto_invites_to_a_private_chat_where_the_bot_may_invite(make_inviting, chat, is_invited):
    inviting = make_inviting(mode=SourceMode.AUTO)
    if chat:
        inviting.set(BotChat, **chat)
    assert inviting.press().startswith("https://t.me/+") is is_invited
    assert not inviting.clicks()[0].flags & QueryFlag.FALLBACK


@pytest.mark.parametrize("desk", [DeskMode.ALL, DeskMode.RULES])
def test_auto_lets_people_ask_where_a_desk_decides(make_inviting, desk):
    inviting = make_inviting(mode=SourceMode.AUTO)
    inviting.set(Campaign, desk=int(desk))
    inviting.press()
    (call,) = inviting.bot_api.calls(inviting.token, CREATE)
    assert call.params["creates_join_request"]
    (invite,) = inviting.invites()
    assert invite.kind == InviteKind.REQUEST
    inviting.set(BotChat, username="club")
    assert "?start=" in inviting.press()


def test_an_empty_pool_makes_the_link_while_the_visitor_waits(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE, link_ttl=7200)
    link = inviting.press()
    (invite,) = inviting.invites()
    assert (invite.link, invite.token) == (link, inviting.clicks()[0].token)
    assert invite.expires >= inviting.now + 7200


@pytest.mark.parametrize("fault", [NO_RIGHTS, flood(30), SERVER_ERROR])
def test_without_a_link_the_fallback_goes_to_the_bot_and_the_click_says_so(make_inviting, fault):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.bot_api.fail(inviting.token, CREATE, fault)
    link = inviting.press()
    (click,) = inviting.clicks()
    assert link.endswith(f"?start={inviting.stage.code}_{click.token}")
    assert click.flags & QueryFlag.FALLBACK


def test_a_telegram_that_hangs_keeps_one_visitor_waiting_and_not_the_next(
    make_inviting, monkeypatch
):
    inviting = make_inviting(mode=SourceMode.INVITE)
    monkeypatch.setattr(pool, "MINT_SECONDS", 0.2)
    inviting.bot_api.fail(inviting.token, CREATE, HANG, times=2)
    for _ in range(2):
        assert "?start=" in inviting.press()
    assert inviting.calls == 1


def test_a_fallback_without_a_click_leads_to_the_plain_link_of_the_bot(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE, fallback=SourceFallback.NONE)
    inviting.set(BotChat, can_invite=False)
    assert inviting.press().endswith(f"?start={inviting.stage.code}")


def test_the_named_fallback_is_the_link_that_the_source_shares(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE, fallback=SourceFallback.NAMED)
    inviting.fill()
    assert inviting.named()
    inviting.set(Bot, paused="the token was refused")
    while (link := inviting.press()) != inviting.named():
        assert link.startswith("https://t.me/+")
    assert inviting.clicks()[-1].flags & QueryFlag.FALLBACK


def test_a_named_source_gives_everybody_the_same_link(make_inviting):
    inviting = make_inviting(mode=SourceMode.NAMED)
    assert "?start=" in inviting.press()  # nobody has made it yet
    inviting.fill()
    assert inviting.press() == inviting.press() == inviting.named()


def test_the_same_browser_gets_the_same_link_until_somebody_came_by_it(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    mark = "m" * 22
    first = inviting.press(by=mark)
    assert inviting.press(by=mark) == first
    inviting.join(7, first)
    assert inviting.press(by=mark) != first
    assert len(inviting.clicks()) == 2


def test_a_browser_that_got_the_fallback_gets_it_again_and_makes_no_link(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.bot_api.fail(inviting.token, CREATE, SERVER_ERROR)
    mark = "m" * 22
    assert inviting.press(by=mark) == inviting.press(by=mark)
    assert inviting.calls == 1


def test_no_visitor_makes_a_link_beyond_the_pace_of_the_chat(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.now += 1_000_000  # far from what other tests took
    for _ in range(3 * pace.CHAT.burst):
        inviting.now += 0.3
        inviting.press()
    assert pace.CHAT.burst <= inviting.calls <= pace.CHAT.burst + 2


@pytest.mark.parametrize("agent", ["TelegramBot (like TwitterBot)", "facebookexternalhit/1.1", ""])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_programs_that_look_at_a_link_make_none_and_take_none(make_inviting, client, method, agent):
    inviting = make_inviting(mode=SourceMode.INVITE)
    ready = inviting.fill()
    before = inviting.calls
    answer = client.open(f"/c/{inviting.source.code}", method=method, headers={"User-Agent": agent})
    assert answer.status_code == 200
    assert "t.me/+" not in answer.get_data(as_text=True)
    assert inviting.calls == before
    assert [row.state for row in inviting.invites()] == [InviteState.POOL] * ready


def test_a_browser_is_redirected_to_the_link_of_its_click(make_inviting, client):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    answer = client.get(f"/c/{inviting.source.code}", headers={"User-Agent": "Mozilla/5.0"})
    assert answer.status_code == 302
    assert answer.headers["Location"] in {row.link for row in inviting.invites()}
