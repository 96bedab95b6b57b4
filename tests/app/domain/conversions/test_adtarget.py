"""Events as AdTarget names them."""

import pytest

from app.domain.conversions import adtarget
from app.domain.conversions.adtarget import EventType
from app.domain.conversions.report import InvalidReport


def read(event, **params):
    return adtarget.read({"event_type": event, **params}, 5, "t1")


@pytest.mark.parametrize("event", EventType)
def test_each_type_comes_back_as_itself(event):
    more = {"value": "5", "currency": "USD"} if event is EventType.PURCHASE else {}
    name = "Upgrade" if event is EventType.CUSTOM else ""
    report = read(event, custom_event_name=name, **more)
    assert adtarget.type_of(report.kind.value, report.name) == (event.value, name)


def test_an_event_of_our_own_has_a_type_too():
    assert adtarget.type_of("purchase", "deposit") == ("Purchase", "")
    assert adtarget.type_of("register", "registration") == ("CompleteRegistration", "")
    assert adtarget.type_of("refund", "") == ("Custom", "refund")
    assert adtarget.type_of("custom", "level") == ("Custom", "level")


def test_a_report_waits_for_its_person_and_keeps_what_was_said():
    report = read(
        "Purchase", value="9.5", currency="EUR", event_time=1_790_000_000_999,
        content_name="VIP", external_user_id="user-7",
    )  # fmt: skip
    assert (report.value_micro, report.currency, report.time) == (9_500_000, "EUR", 1_790_000_000)
    assert (report.note, report.click, report.subscriber, report.tid, report.may_wait) == (
        "VIP", "user-7", 5, "t1", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"event": "Custom"}, "customEventName"),
        ({"event": "Custom", "custom_event_name": "  "}, "customEventName"),
        ({"event": "Purchase"}, "value"),
        ({"event": "Purchase", "value": "5"}, "currency"),
        ({"event": "Lead", "value": "5"}, "currency"),
    ],
)
def test_what_is_missing_is_named_as_adtarget_names_it(params, field):
    with pytest.raises(InvalidReport) as info:
        read(**params)
    assert info.value.field == field


def test_an_idempotency_key_is_one_event_of_one_account():
    assert adtarget.tid_of(1, "k") == adtarget.tid_of(1, "k")
    assert len({adtarget.tid_of(1, "k"), adtarget.tid_of(2, "k"), adtarget.tid_of(1, "l")}) == 3
