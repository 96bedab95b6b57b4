"""What was taken over from dead workers is counted by all processes together."""

import time

from app.extensions import db, wakeup
from app.services import lease_reclaims, postbacks


def test_postbacks_whose_lease_ran_out_are_counted(app, world):
    now, destination = time.time(), world.destination()
    for _ in range(2):
        world.postback(destination, state=1, due=now - 90, lease="x", lease_until=now - 1)
    world.postback(destination, state=1, due=now - 90, lease="x", lease_until=now + 60)
    assert postbacks.sweep(db.session.connection(), now) == 2
    assert lease_reclaims.totals() == {"postbacks": 2, "messages": 0, "requests": 0}
    postbacks.sweep(db.session.connection(), now)
    assert lease_reclaims.totals()["postbacks"] == 2, "none is counted twice"


def test_a_redis_that_is_away_counts_nothing_and_stops_nobody(app, redis_server):
    wakeup.open("redis://127.0.0.1:1")
    try:
        lease_reclaims.record(lease_reclaims.MESSAGES, 1)
    finally:
        wakeup.open(redis_server.url)
    assert lease_reclaims.totals()["messages"] == 0
