"""A bot may write to those who wrote first, and not to those who block it."""

from app.sandbox.telegram.bot.reach import Reach
from app.sandbox.telegram.faults import BLOCKED, NEVER_STARTED


def test_a_person_who_only_asked_is_reached_while_the_window_is_open():
    reach = Reach()
    reach.ask(7)
    assert reach.fault(7, window_open=True) is None
    assert reach.fault(7, window_open=False) is NEVER_STARTED


def test_a_start_opens_the_conversation_for_good():
    reach = Reach()
    reach.ask(7)
    reach.start(7)
    assert reach.fault(7, window_open=False) is None


def test_a_block_closes_it_until_it_is_taken_back():
    reach = Reach()
    reach.start(7)
    reach.block(7)
    assert reach.fault(7, window_open=True) is BLOCKED
    reach.start(7)
    assert reach.fault(7, window_open=False) is None


def test_a_person_of_whom_nothing_is_known_is_reached():
    assert Reach().fault(7, window_open=False) is None
