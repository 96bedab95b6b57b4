"""What clicks/* takes, and how a click is shown."""

from __future__ import annotations

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
    ("flags", "cut", "unreplaced"),
    [
        (QueryFlag.NONE, False, False),
        (QueryFlag.CUT, True, False),
        (QueryFlag.UNREPLACED, False, True),
        (QueryFlag.CUT | QueryFlag.UNREPLACED | 1, True, True),
    ],
)
def test_the_flags_of_a_click_are_told_apart(flags, cut, unreplaced):
    shown = ClickDetail().dump({"flags": int(flags)})
    assert shown == {"cut": cut, "unreplaced": unreplaced}


def test_a_click_that_became_no_lead_has_lead_0():
    assert ClickOut().dump({"lead_id": None}) == {"lead": 0}
