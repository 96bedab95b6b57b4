"""What requests/* takes, and how a request is shown."""

import pytest
from marshmallow import ValidationError

from app.schemas.requests import RequestOut, RequestsList


@pytest.mark.parametrize(
    "field", [{"state": "done"}, {"how": "magic"}, {"language": "x" * 17}, {"source": 0}]
)
def test_a_filter_that_can_match_nothing_is_refused(field):
    with pytest.raises(ValidationError) as caught:
        RequestsList().load(field)
    assert list(caught.value.messages_dict) == list(field)


def test_numbers_of_states_are_shown_as_words():
    row = {"state": 6, "action": 2, "decided_by": 3, "came": 1, "rule_id": None}
    assert RequestOut().dump(row) == {
        "state": "gone", "action": "decline", "decided_by": "nobody", "how": "source", "rule": 0,
    }  # fmt: skip
