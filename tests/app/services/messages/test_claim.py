"""The pace of a bot, as arithmetic."""

import time

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Account
from app.services import pending_work
from app.services.bots import bots
from app.services.messages.claim import BURST, STEP, allowance
from tests.support.desk import ANN, TOKEN, Desk

PER_SECOND = 30


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 50)), max_size=60))
def test_no_second_ever_holds_more_than_thirty(visits: list[tuple[float, int]]) -> None:
    now, next_send = 1_700_000_000.0, 0.0
    sent: list[float] = []
    for pause, wanted in visits:
        now += pause
        count = min(wanted, allowance(next_send, now))
        next_send = max(next_send, now) + STEP * count
        sent += [now] * count
    for start in sent:
        assert sum(start <= moment < start + 1 for moment in sent) <= PER_SECOND


def test_a_silent_bot_may_say_a_few_things_at_once() -> None:
    assert allowance(0.0, 1000.0) == BURST


def test_a_bot_that_is_ahead_of_its_pace_waits() -> None:
    assert allowance(1000.0 + BURST * STEP, 1000.0) == 0


def test_the_service_bot_speaks_also_when_the_account_that_it_belongs_to_is_suspended(
    live_app, bot_api, change_settings, account
):
    """An operator may use the same bot for campaigns; others must still be asked to log in."""
    bot_api.add_bot(TOKEN, "gate_service_bot")
    bots.add(account.id, TOKEN)
    change_settings(service_bot_token=TOKEN)
    desk = Desk(bot_api)
    lapsed = {"tariff": "cat", "paid_until": int(time.time()) - 8 * DAY}
    db.session.execute(update(Account).where(Account.id == account.id).values(**lapsed))
    db.session.commit()
    desk.start(ANN)
    assert pending_work.look(time.time()).messages
    db.session.commit()
    desk.speak()
    assert len(desk.sent_to(ANN)) == 1
    desk.start(ANN)
    change_settings(service_bot_token="")
    assert not pending_work.look(time.time() + 60).messages
    db.session.commit()
