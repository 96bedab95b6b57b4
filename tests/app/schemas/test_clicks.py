"""What clicks/* takes, and how a click is shown."""

import pytest
from marshmallow import ValidationError

from app.domain.clicks.link_query import QueryFlag
from app.schemas.clicks import ClickDetail, ClickOut, ClicksList


@pytest.mark.parametrize("field", [{"token": "x" * 17}, {"external": "x" * 257}, {"joined": "x"}])
def test_a_filter_that_can_match_nothing_is_refused(field):
    with pytest.raises(ValidationError) as caught:
        ClicksList().load(field)
    assert list(caught.value.messages_dict) == list(field)


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (QueryFlag.NONE, set()),
        (QueryFlag.CUT, {"cut"}),
        (QueryFlag.UNREPLACED, {"unreplaced"}),
        (QueryFlag.NO_CONSENT, {"no_consent"}),
        (QueryFlag.INVALID_ID, {"invalid_id"}),
        (QueryFlag.CUT | QueryFlag.UNREPLACED | 1, {"cut", "unreplaced"}),
    ],
)
def test_the_flags_of_a_click_are_told_apart(flags, shown):
    dumped = ClickDetail().dump({"flags": int(flags)})
    assert {name for name, is_set in dumped.items() if is_set} == shown
    assert dumped.keys() == {"cut", "unreplaced", "no_consent", "invalid_id"}


def test_a_click_that_became_no_lead_has_lead_0():
    assert ClickOut().dump({"lead_id": None}) == {"lead": 0}
