"""The hook `pace`: asked, checked at the border, and told by those who have a limit."""

from __future__ import annotations

from typing import Any

import marshmallow
import pytest

from plugins.contract import Outcome, Pace, Request, Verdict, hookimpl
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


def paced(told: Any) -> Adapter:
    class Paced(Plain):
        @hookimpl
        def pace(self, settings):
            return told

    return make_adapter("paced", Paced())


def test_without_the_hook_there_is_no_pace():
    assert make_adapter("plain", Plain()).pace({}) is None
    assert paced(None).pace({}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        60,
        "fast",
        Pace(b"key", 60, 1),  # type: ignore[arg-type]
        Pace("key", 0, 1),
        Pace("key", -1, 1),
        Pace("key", float("nan"), 1),
        Pace("key", float("inf"), 1),
        Pace("key", 1e-300, 1),
        Pace("key", True, 1),
        Pace("key", 60, 0),
        Pace("key", 60, True),
        Pace("key", 60, 1.5),  # type: ignore[arg-type]
        Pace("key", 60, 10**30),
    ],
)
def test_a_pace_that_cannot_be_kept_is_the_adapters_failure(wrong: Any):
    with pytest.raises(AdapterFailed, match="pace returned"):
        paced(wrong).pace({})


def test_a_key_is_not_shown():
    assert "s3cret" not in repr(Pace("s3cret", 60, 1))


def test_adtarget_is_told_as_fast_as_it_says():
    adapter = make_adapter("adtarget_capi", adtarget)
    kept = adapter.check_settings({"key": KEY, "site": "atid_1"})
    assert adapter.pace(kept) == Pace(KEY, 300, 50)


@pytest.mark.parametrize(
    ("typed", "per_minute", "burst"),
    [({}, 300, 5), ({"per_second": 20}, 1200, 20), ({"per_second": 0.5}, 30, 1)],
)
def test_altcraft_is_told_as_fast_as_the_customer_says(typed, per_minute, burst):
    adapter = make_adapter("altcraft", altcraft)
    kept = adapter.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7, **typed})
    told = adapter.pace(kept)
    assert told is not None
    assert (told.per_minute, told.burst) == (per_minute, burst)


def test_altcraft_settings_of_before_the_limit_keep_the_usual_pace():
    adapter = make_adapter("altcraft", altcraft)
    kept = adapter.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7})
    del kept["per_second"]
    told = adapter.pace(kept)
    assert told is not None
    assert told.per_minute == 300
