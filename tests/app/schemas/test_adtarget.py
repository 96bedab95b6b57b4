"""Fields of AdTarget's API: numbers, ids, and what is null."""

import pytest
from marshmallow import ValidationError

from app.schemas.adtarget import Conversion, LeadGet, Value, Visit


@pytest.mark.parametrize(
    ("sent", "text"),
    [(5, "5"), (49.5, "49.5"), (0.1 + 0.2, "0.3"), ("12.345678", "12.345678"), (-3, "-3"),
     (100.0, "100")],
)  # fmt: skip
def test_a_value_is_a_number_or_its_text(sent, text):
    assert Value().load({"value": sent}) == {"value": text}


@pytest.mark.parametrize("sent", [True, "5,0", "", [], 1e300, float("inf"), float("nan")])
def test_what_is_no_value_is_refused(sent):
    with pytest.raises(ValidationError) as info:
        Value().load({"value": sent})
    assert list(info.value.messages) == ["value"]


def test_what_is_null_is_not_there():
    body = {"href": "https://a.example/", "fbc": None, "tempId": None, "channelId": None}
    assert Visit().load(body) == {"href": "https://a.example/"}
    with pytest.raises(ValidationError):
        Visit().load({"href": None})


def test_an_id_may_be_a_number():
    assert LeadGet().load({"channelId": -1001234567890}) == {"channel_id": "-1001234567890"}
    for wrong in (True, 1.5, [1]):
        with pytest.raises(ValidationError):
            LeadGet().load({"channelId": wrong})


def test_what_is_not_kept_is_ignored():
    body = {"telegramUserId": 5, "eventType": "Lead", "pii": {"email": "a@b.example"}}
    assert Conversion().load(body) == {"telegram_user_id": 5, "event_type": "Lead"}
