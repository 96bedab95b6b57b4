"""The worker keeps links ready and revokes those that were used."""

import os
import signal
import subprocess
import sys

import pytest

from app.domain.clicks.link_query import QueryFlag
from app.domain.clicks.pool_size import FEWEST
from app.models import BotChat, InviteState, SourceMode
from app.sandbox.telegram.faults import NO_RIGHTS, flood
from app.services.clicks.invites import keeper, pool
from tests.support import ROOT
from tests.support.bot_api import heal

CREATE = "createChatInviteLink"


def test_the_pool_is_filled_and_not_overfilled(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    assert inviting.fill(4) == FEWEST
    assert inviting.calls == FEWEST


def test_one_round_fills_revokes_and_sweeps(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    link = inviting.press()
    inviting.join(7, link)
    inviting.now += 61
    assert keeper.keep(inviting.now) > 0
    assert inviting.invite("").state == InviteState.GONE
    (revoked,) = inviting.bot_api.calls(inviting.token, "revokeChatInviteLink")
    assert revoked.params["invite_link"] == link


def test_lost_rights_stop_the_pool_until_they_are_back(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.bot_api.fail(inviting.token, CREATE, NO_RIGHTS, times=keeper.MOST_CALLS)
    inviting.fill()
    made = inviting.calls
    assert inviting.fill(3) == 0
    assert inviting.calls == made
    heal(inviting.bot_api, inviting.token)
    inviting.set(BotChat, can_invite=True)
    assert inviting.fill(3) == FEWEST


def test_a_flood_wait_is_obeyed(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.bot_api.fail(inviting.token, CREATE, flood(100), times=keeper.MOST_CALLS)
    inviting.fill()
    heal(inviting.bot_api, inviting.token)
    made = inviting.calls
    keeper.make(inviting.now)  # a minute later it still waits
    assert inviting.calls == made
    inviting.now += 60
    keeper.make(inviting.now)
    assert inviting.calls > made


@pytest.mark.parametrize("mode", [SourceMode.START, SourceMode.AUTO])
def test_a_chat_that_needs_no_links_costs_no_call(make_inviting, mode):
    inviting = make_inviting(mode=mode)
    inviting.set(BotChat, username="club")
    assert keeper.keep(inviting.now) == 0
    assert inviting.calls == 0


#: A worker that dies when Telegram has made links and none of them is stored.
DYING_WORKER = """
import os, signal, time
from app import create_app
from app.services.clicks.invites import keeper, minting

minting.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with create_app().app_context():
    keeper.make(time.time())
"""


def test_a_kill_between_making_and_storing_loses_a_link_and_gives_none_twice(
    make_inviting, environ
):
    inviting = make_inviting(mode=SourceMode.INVITE)
    system = {"PATH": os.environ["PATH"], **environ, "TELEGRAM_API_URL": inviting.bot_api.url}
    command = [sys.executable, "-c", DYING_WORKER]
    done = subprocess.run(command, cwd=ROOT, env=system, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    orphans = inviting.calls
    assert orphans > 0
    assert inviting.invites() == []
    inviting.now += 60
    inviting.fill(3)
    links = [inviting.press() for _ in range(FEWEST)]
    assert len(set(links)) == FEWEST
    (state,) = inviting.bot_api.bots()
    made = {link["url"]: link for link in state.chats.links.as_json()}
    stored = {row.link for row in inviting.invites()}
    assert set(links) <= stored <= made.keys()
    lost = made.keys() - stored
    assert len(lost) == orphans
    assert all(made[link]["expire_date"] > inviting.now for link in lost)


def test_a_thousand_presses_in_a_minute_each_get_a_link_and_no_link_goes_twice(
    make_inviting, world_of
):
    """Fifteen chats of one bot, so that the pace of the bot bounds them and not that of a chat."""
    inviting = make_inviting(mode=SourceMode.INVITE)
    world = world_of(inviting.stage.account)
    bot = inviting.stage.bot
    codes = [inviting.source.code]
    for _ in range(14):
        campaign = world.campaign(bot_id=bot, chat_id=world.chat(bot))
        codes.append(f"p{campaign:07}")
        world.source(campaign, code=codes[-1], mode=SourceMode.INVITE)
    begin, links = inviting.now, []
    for number in range(1000):
        inviting.now = begin + 60 * number / 1000
        if number % 50 == 0:
            keeper.make(inviting.now)
        links.append(inviting.press(code=codes[number % 15]))
    invited = [link for link in links if link.startswith("https://t.me/+")]
    assert len(invited) == len(set(invited))
    assert 200 <= inviting.calls <= 240
    clicks = inviting.clicks()
    fallbacks = [click for click in clicks if click.flags & QueryFlag.FALLBACK]
    assert (len(clicks), len(fallbacks)) == (1000, 1000 - len(invited))
    starts = {link.rpartition("_")[2] for link in links if "?start=" in link}
    assert starts == {click.token for click in fallbacks}
    assert pool.MINT_SECONDS <= 1.5
