"""The double of TikTok's Events API: the status is 200, and `code` tells what happened."""

from typing import Any

import pytest

from app.sandbox.vendors.tiktok import OLDEST_SECONDS, TRACK, TiktokDouble
from app.sandbox.vendors.vendor import VendorCall

NOW = 1_900_000_000
EVENT = {"event": "Subscribe", "event_time": NOW, "event_id": "e1", "user": {"ttclid": "E.C.P"}}


@pytest.fixture
def double() -> TiktokDouble:
    return TiktokDouble(clock=lambda: NOW)


def ask(double: TiktokDouble, *events: Any, token: str = TiktokDouble.token, **more: Any) -> Any:
    body = {"event_source": "web", "event_source_id": double.pixel, "data": list(events), **more}
    answer = double.answer(VendorCall("POST", TRACK, {"access-token": token}, body))
    assert answer.status == 200
    return answer.body


def test_a_good_event_is_taken_and_counted_once(double):
    assert ask(double, EVENT)["code"] == 0
    assert ask(double, EVENT)["code"] == 0
    assert len(double.counted()) == 1


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"event": ""}, "data.1.event"),
        ({"event_time": "now"}, "event_time"),
        ({"event_time": NOW - OLDEST_SECONDS - 1}, "too old"),
        ({"user": {}}, "user"),
        ({"user": {"external_id": "77"}}, "hashed"),
        ({"user": {"email": ["ann@example.org"]}}, "hashed"),
        ({"properties": {"value": 1}}, "currency"),
    ],
)
def test_a_bad_event_is_refused_by_its_number_with_the_good_one_beside_it(double, changes, word):
    answer = ask(double, EVENT, {**EVENT, **changes})
    assert (answer["code"], word in answer["message"]) == (40002, True)
    assert double.taken() == []


def test_a_wrong_token_a_wrong_pixel_and_no_token_have_their_codes(double):
    assert ask(double, EVENT, token="wrong")["code"] == 40105
    assert ask(double, EVENT, event_source_id="C0")["code"] == 40001
    assert double.answer(VendorCall("POST", TRACK, {}, {})).body["code"] == 40104
