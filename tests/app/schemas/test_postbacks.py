"""The delivery log is filtered by names, and shows a postback with the event it carried."""

from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from app.models import PostbackState
from app.schemas.postbacks import (
    AttemptOut,
    PostbackDetail,
    PostbackFilter,
    PostbackResend,
    PostbackTest,
)
from app.schemas.postbacks import TestSendOut as SendOut
from plugins.contract import EventKind

POSTBACK = SimpleNamespace(
    id=1, campaign_id=2, lead_id=3, destination_id=4, kind="hold", state=PostbackState.FAILED,
    reason="HTTP 500", tries=9, occurrence=0, due=86_400.5, created=86_400.25, settled=None,
    event='{"kind": "hold", "payout": null}', adapter_state="s3cret", lease="x",
)  # fmt: skip


@pytest.mark.parametrize("state", PostbackState)
def test_every_state_can_be_asked_for_by_its_name(state):
    assert PostbackFilter().load({"state": state.name.lower()}) == {"state": state}


@pytest.mark.parametrize("kind", EventKind)
def test_every_event_can_be_asked_for_by_its_name(kind):
    assert PostbackFilter().load({"event": kind.value}) == {"event": kind.value}


@pytest.mark.parametrize(("field", "value"), [("state", "3"), ("event", "buy"), ("dest", 0)])
def test_an_unknown_filter_is_named(field, value):
    with pytest.raises(ValidationError) as caught:
        PostbackFilter().load({field: value})
    assert list(caught.value.messages_dict) == [field]


def test_what_is_sent_again_is_one_by_id_or_all_of_a_filter():
    assert PostbackResend().load({"id": 5}) == {"postback_id": 5}
    assert PostbackResend().load({"lead": 5, "from": 1}) == {"lead": 5, "since": 1}


def test_a_test_is_of_an_approve_and_is_not_sent_unless_asked():
    assert PostbackTest().load({"dest": 1}) == {
        "dest": 1, "event": "approve", "click": "", "send": False,
    }  # fmt: skip
    with pytest.raises(ValidationError, match="template"):
        PostbackTest().load({"template": ""})


def test_one_postback_is_shown_with_its_event_and_its_attempts_in_order():
    attempts = [{"number": number, "status": None} for number in (1, 2)]
    shown = PostbackDetail().dump(SimpleNamespace(postback=POSTBACK, attempts=attempts))
    assert shown["sent"] == {"kind": "hold", "payout": None}
    assert (shown["event"], shown["state"], shown["dest"]) == ("hold", "failed", 4)
    assert (shown["due"], shown["settled"]) == ("1970-01-02 00:00:00", "0000-00-00 00:00:00")
    assert shown["attempts"] == [{"number": 1, "status": 0}, {"number": 2, "status": 0}]
    assert not {"adapter_state", "lease"} & set(shown)


def test_an_attempt_without_an_answer_has_status_zero():
    assert AttemptOut().dump({"status": None, "next_try": None, "key": "k"}) == {
        "status": 0, "next_try": "0000-00-00 00:00:00",
    }  # fmt: skip


def test_a_test_shows_the_event_as_a_postback_would_freeze_it():
    shown = SendOut().dump({"event": '{"id": "e1"}', "sent": False, "steps": []})
    assert shown == {"event": {"id": "e1"}, "sent": False, "steps": []}
