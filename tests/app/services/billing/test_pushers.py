"""From where the payment gateway pushes is known to all processes, and to each without Redis."""

import redis

from app.services.accounts.concurrent_calls import NOTICES, PUSHES
from app.services.billing.pushers import KnownPushers


def test_who_has_pushed_rightly_is_known_to_all_processes(clean_redis):
    here, there = (KnownPushers(lambda: clean_redis) for _ in range(2))
    here.remember("192.0.2.1")
    assert there.places("192.0.2.1") is PUSHES
    assert there.places("192.0.2.2") is NOTICES


def test_without_redis_each_process_knows_its_own():
    asked = []

    def away():
        asked.append(1)
        raise redis.ConnectionError

    pushers = KnownPushers(away)
    pushers.remember("192.0.2.1")
    assert pushers.has("192.0.2.1")
    assert not pushers.has("192.0.2.2")
    assert len(asked) == 1  # it is not asked again for a while
