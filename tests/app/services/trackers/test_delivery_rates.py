"""How trackers have fared is told from counts by day, of one account only."""

import pytest

from app.extensions import db
from app.models import Postback
from app.services.lists import row_counts
from app.services.trackers import delivery_rates
from tests.support.world import NOON

DAY = 86_400
TODAY = 20_602 * DAY
DELIVERED, REJECTED, FAILED, SUPERSEDED = 2, 3, 4, 5


@pytest.mark.parametrize("are_folded", [False, True])
def test_a_tracker_tells_its_rate_and_the_day_of_its_last_success(
    app, account, world, others_world, are_folded
):
    good, bad = world.destination(), world.destination()
    for days, state in ((0, FAILED), (1, DELIVERED), (6, DELIVERED), (7, FAILED), (0, REJECTED)):
        world.postback(good, created=TODAY - days * DAY + 5.5, state=state)
    for state in (FAILED, SUPERSEDED, 0):
        world.postback(bad, created=TODAY + 7200.5, state=state)
    others_world.postback(good, created=TODAY + 5.5, state=DELIVERED)
    if are_folded:
        row_counts.compact()
    fared = delivery_rates.of_trackers(account.id, [good, bad], TODAY + 8000)
    assert fared[good] == delivery_rates.DeliveryRate(2, 2, TODAY - DAY, NOON + 9.75)
    assert fared[good].rate == 50.0
    assert (fared[bad].rate, fared[bad].last_success) == (0.0, 0)
    assert fared[good + bad].rate is None


def rate_of(account, dest: int) -> delivery_rates.DeliveryRate:
    return delivery_rates.of_trackers(account.id, [dest], TODAY)[dest]


def test_what_was_delivered_and_is_sent_again_counts_no_more(app, account, world):
    number = world.postback(dest := world.destination(), created=TODAY + 5.5, state=DELIVERED)
    row_counts.compact()
    db.session.get_one(Postback, number).state = FAILED
    db.session.commit()
    assert rate_of(account, dest) == delivery_rates.DeliveryRate(0, 1, 0)


def test_the_moment_of_the_last_success_is_looked_for_among_the_newest(app, account, world):
    number = world.postback(dest := world.destination(), created=TODAY + 5.5, state=DELIVERED)
    db.session.get_one(Postback, number).settled = TODAY + 9.5
    db.session.commit()
    assert rate_of(account, dest).last_success_time == TODAY + 9.5
    for second in range(delivery_rates.NEWEST):
        world.postback(dest, created=TODAY + 10.0 + second, state=FAILED)
    late = rate_of(account, dest)
    assert (late.last_success, late.last_success_time) == (TODAY, 0.0), "its day is known still"


def test_trackers_that_nobody_asked_about_are_not_counted(app, account, world):
    shown, other = world.destination(), world.destination()
    for dest in (shown, other):
        world.postback(dest, created=TODAY + 5.5, state=DELIVERED)
    assert set(delivery_rates.of_trackers(account.id, [shown], TODAY)) == {shown}
