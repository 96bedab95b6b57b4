"""How a person came, by what is known of their lead."""

import pytest

from app.domain.attribution import How
from app.domain.join_requests.facts import Came, came


@pytest.mark.parametrize(
    ("how", "click", "source", "expected"),
    [
        (How.START, "c1", None, Came.CLICK),
        (How.LINK, "c1", 5, Came.CLICK),
        (How.REQUEST, "c1", 5, Came.CLICK),
        (How.LINK, "", 5, Came.SOURCE),
        (How.NAMED, "", 5, Came.SOURCE),
        (How.FORWARDED, "", 5, Came.SOURCE),
        (How.START, "", None, Came.UNKNOWN),
        (How.ORGANIC, "", None, Came.UNKNOWN),
        (How.OTHER, "", None, Came.UNKNOWN),
    ],
)
def test_a_click_is_more_than_a_source(how, click, source, expected):
    assert came(how, click, source) is expected


def test_each_way_has_a_word():
    assert [kind.word for kind in Came] == ["unknown", "source", "click"]
