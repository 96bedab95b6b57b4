"""How fast a bot makes and revokes links: under the limits, behind messages, slower after a 429."""

import pytest

from app.extensions import db
from app.models import Bot
from app.services.clicks.invites import pace
from app.services.messages.claim import BURST, STEP

NOW = 1_900_000_000.0
CHATS = 10_000


@pytest.fixture
def bot(live_app, world):
    pace.BUCKETS.forget()
    yield world.bot()
    pace.BUCKETS.forget()


def calls(bot: int, *, seconds: float, chats: int = 1, slow_until: float = 0.0) -> int:
    """How many calls a bot may make that tries ten times a second."""
    attempts = range(int(seconds * 10))
    return sum(
        pace.allows_call(bot, -(number % chats), slow_until, NOW + number / 10)
        for number in attempts
    )


def row(bot: int) -> Bot:
    db.session.expire_all()
    found = db.session.get_one(Bot, bot)
    db.session.commit()
    return found


def test_a_bot_makes_at_most_240_calls_a_minute(bot):
    assert 200 <= calls(bot, seconds=59.9, chats=CHATS) <= 240


def test_a_chat_has_at_most_20_of_them(bot):
    assert 15 <= calls(bot, seconds=59.9) <= 20


def test_messages_go_first_and_a_call_counts_as_one(bot):
    assert pace.allows_call(bot, -1, 0.0, NOW)
    assert row(bot).next_send == NOW + pace.STEP
    db.session.get_one(Bot, bot).next_send = NOW + 10 + BURST * STEP
    db.session.commit()
    assert not pace.allows_call(bot, -1, 0.0, NOW + 10)
    assert pace.allows_call(bot, -1, 0.0, NOW + 10 + BURST * STEP)


@pytest.mark.parametrize("fields", [{"paused": "x"}, {"quiet_until": NOW + 1}])
def test_a_bot_that_is_paused_or_waits_makes_no_call(live_app, world, fields):
    pace.BUCKETS.forget()
    assert not pace.allows_call(world.bot(**fields), -1, 0.0, NOW)


def test_after_a_flood_wait_it_is_half_as_fast_and_recovers_by_a_tenth_a_minute(bot):
    pace.flood_wait(bot, 30, 0.0, NOW)
    after = row(bot)
    assert NOW + 30 <= after.quiet_until <= NOW + 33
    assert after.invites_slow_until == NOW + 300  # five minutes to the other half
    pace.flood_wait(bot, 30, 0.0, NOW + 1)  # an answer of the same moment
    assert row(bot).invites_slow_until == NOW + 300
    db.session.get_one(Bot, bot).quiet_until = 0.0
    db.session.commit()
    assert 110 <= calls(bot, seconds=59.9, chats=CHATS, slow_until=NOW + 300) <= 140


def test_the_pace_is_told_in_steps_of_messages():
    assert pace.STEP == STEP
    assert pace.AHEAD < BURST * STEP


def test_it_never_stands_still_for_good(bot):
    slow_until = NOW + pace.RECOVERY_SECONDS
    assert calls(bot, seconds=59.9, chats=CHATS, slow_until=slow_until) >= 10
