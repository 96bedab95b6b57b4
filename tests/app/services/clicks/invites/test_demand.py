"""Which links are missing, and for which chats none is made."""

import pytest

from app.domain.clicks.pool_size import FEWEST
from app.models import (
    Bot,
    BotChat,
    Campaign,
    DeskMode,
    InviteKind,
    Source,
    SourceFallback,
    SourceMode,
    SourceStatus,
)
from app.services.clicks.invites import demand
from app.services.clicks.invites.demand import Demand


def missing(inviting):
    return [(one.kind, one.chat_id) for one in Demand().look(inviting.now)]


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (SourceMode.INVITE, InviteKind.SINGLE),
        (SourceMode.AUTO, InviteKind.SINGLE),
        (SourceMode.REQUEST, InviteKind.REQUEST),
    ],
)
def test_a_new_source_lacks_the_fewest_links(make_inviting, mode, kind):
    inviting = make_inviting(mode=mode)
    assert missing(inviting) == [(kind, inviting.chat.id)] * FEWEST


def test_a_start_source_lacks_nothing_and_a_named_one_its_link(make_inviting):
    inviting = make_inviting()
    assert missing(inviting) == []
    inviting.set(Source, mode=int(SourceMode.NAMED))
    assert missing(inviting) == [(InviteKind.NAMED, inviting.chat.id)]
    inviting.fill()
    assert missing(inviting) == []


def test_the_named_fallback_is_made_too(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE, fallback=SourceFallback.NAMED)
    kinds = [kind for kind, _ in missing(inviting)]
    assert kinds == [InviteKind.NAMED, *[InviteKind.SINGLE] * FEWEST]


def test_the_busier_the_source_the_more_links_it_keeps(make_inviting, world_of):
    inviting = make_inviting(mode=SourceMode.INVITE)
    world = world_of(inviting.stage.account)
    for _ in range(FEWEST + 2):
        world.click(inviting.source.id, created=int(inviting.now) - 60)
    assert len(missing(inviting)) == 2 * (FEWEST + 2)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Source, {"status": SourceStatus.PAUSED}),
        (Source, {"status": SourceStatus.DELETED}),
        (Bot, {"status": 3}),
        (Bot, {"paused": "the token was refused"}),
        (Bot, {"quiet_until": 10.0**12}),
        (BotChat, {"can_invite": False}),
        (BotChat, {"is_admin": False}),
    ],
)
def test_what_cannot_be_used_is_not_made(make_inviting, model, fields):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.set(model, **fields)
    assert missing(inviting) == []


def test_an_auto_source_of_a_public_chat_needs_no_links(make_inviting):
    inviting = make_inviting(mode=SourceMode.AUTO)
    inviting.set(BotChat, username="club")
    assert missing(inviting) == []


@pytest.mark.parametrize("desk", [DeskMode.ALL, DeskMode.RULES])
def test_an_auto_source_of_a_chat_with_a_desk_needs_links_by_which_one_asks(make_inviting, desk):
    inviting = make_inviting(mode=SourceMode.AUTO)
    inviting.set(Campaign, desk=int(desk))
    assert missing(inviting) == [(InviteKind.REQUEST, inviting.chat.id)] * FEWEST


def test_a_look_goes_on_where_the_last_one_ended(make_inviting, world_of, monkeypatch):
    monkeypatch.setattr(demand, "SLICE", 1)
    inviting = make_inviting(mode=SourceMode.INVITE)
    world = world_of(inviting.stage.account)
    other = world.campaign(bot_id=inviting.stage.bot, chat_id=-77)
    world.source(other, mode=SourceMode.INVITE)
    looks = Demand()
    chats = [{one.chat_id for one in looks.look(inviting.now)} for _ in range(4)]
    assert set().union(*chats) == {inviting.chat.id, -77}
