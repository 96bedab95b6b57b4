"""How trackers have fared is told from counts by day, of one account only."""

from __future__ import annotations

import pytest

from app.extensions import db
from app.models import Postback
from app.services.lists import row_counts
from app.services.trackers import delivery_rates

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
    fared = delivery_rates.of_trackers(account.id, TODAY + 8000)
    assert fared[good] == delivery_rates.DeliveryRate(2, 2, TODAY - DAY)
    assert fared[good].rate == 50.0
    assert (fared[bad].rate, fared[bad].last_success) == (0.0, 0)
    assert fared[good + bad].rate is None


def test_what_was_delivered_and_is_sent_again_counts_no_more(app, account, world):
    number = world.postback(dest := world.destination(), created=TODAY + 5.5, state=DELIVERED)
    row_counts.compact()
    db.session.get_one(Postback, number).state = FAILED
    db.session.commit()
    assert delivery_rates.of_trackers(account.id, TODAY)[dest] == delivery_rates.DeliveryRate(
        0, 1, 0
    )
