"""The rate limit of a delivery policy: checked, and stated by the adapters that have one."""

from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from plugins.contract import DeliveryPolicy, Outcome, RateLimit, Request, Verdict, hookimpl
from plugins.registry import Adapter, AdapterFailed, make_adapter
from plugins.trackers.adtarget import adapter as adtarget
from plugins.trackers.altcraft import adapter as altcraft

KEY = "atk_live_12345678_abcdefghijklmnopqrstuvwxyz012345"
TOKEN = "0123456789abcdef0123456789abcdef"


class Plain:
    @hookimpl
    def settings_schema(self):
        return marshmallow.Schema()

    @hookimpl
    def build_request(self):
        return Request("GET", "https://t.example/")

    @hookimpl
    def classify_response(self):
        return Outcome(Verdict.DELIVERED)


def paced(limit: Any) -> Adapter:
    class Paced(Plain):
        @hookimpl
        def delivery_policy(self, settings):
            return DeliveryPolicy(rate_limit=limit)

    return make_adapter("paced", Paced())


def test_without_the_hook_there_is_no_rate_limit():
    assert make_adapter("plain", Plain()).delivery_policy({}).rate_limit is None
    assert paced(None).delivery_policy({}).rate_limit is None


@pytest.mark.parametrize(
    "wrong",
    [
        60,
        "fast",
        RateLimit(b"key", 60, 1),  # type: ignore[arg-type]
        RateLimit("key", 0, 1),
        RateLimit("key", -1, 1),
        RateLimit("key", float("nan"), 1),
        RateLimit("key", float("inf"), 1),
        RateLimit("key", 1e-300, 1),
        RateLimit("key", True, 1),
        RateLimit("key", 60, 0),
        RateLimit("key", 60, True),
        RateLimit("key", 60, 1.5),  # type: ignore[arg-type]
        RateLimit("key", 60, 10**30),
    ],
)
def test_a_rate_limit_that_cannot_be_followed_is_the_adapters_failure(wrong: Any):
    with pytest.raises(AdapterFailed, match="delivery_policy returned"):
        paced(wrong).delivery_policy({})


def test_a_key_is_not_shown():
    assert "s3cret" not in repr(RateLimit("s3cret", 60, 1))


def test_adtarget_is_told_as_fast_as_it_says():
    adapter = make_adapter("adtarget_capi", adtarget)
    kept = adapter.check_settings({"key": KEY, "site": "atid_1"})
    assert adapter.delivery_policy(kept).rate_limit == RateLimit(KEY, 300, 50)


@pytest.mark.parametrize(
    ("typed", "per_minute", "burst"),
    [({}, 300, 5), ({"per_second": 20}, 1200, 20), ({"per_second": 0.5}, 30, 1)],
)
def test_altcraft_is_told_as_fast_as_the_customer_says(typed, per_minute, burst):
    adapter = make_adapter("altcraft", altcraft)
    kept = adapter.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7, **typed})
    told = adapter.delivery_policy(kept).rate_limit
    assert told is not None
    assert (told.per_minute, told.burst) == (per_minute, burst)


def test_altcraft_settings_of_before_the_limit_keep_the_usual_pace():
    adapter = make_adapter("altcraft", altcraft)
    kept = adapter.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7})
    del kept["per_second"]
    told = adapter.delivery_policy(kept).rate_limit
    assert told is not None
    assert told.per_minute == 300
