"""A typed rule is one of the API, and a rule is told in words."""

import pytest

from app.dashboard import rule_form
from app.dashboard.access.forms import Form
from app.domain.join_requests.conditions import CONDITIONS
from app.errors import BadParameter


def test_what_is_left_empty_is_no_condition():
    typed = rule_form.typed(Form([(name, "") for name in CONDITIONS]))
    assert typed["conditions"] == {}
    assert typed["enabled"] is False


def test_every_condition_has_a_name_for_people(app):
    with app.test_request_context():
        assert rule_form.titles().keys() == CONDITIONS.keys()


def test_a_number_that_is_none_is_refused_by_its_field():
    typed = rule_form.typed(Form([("share", "half")]))
    with pytest.raises(BadParameter) as refused:
        rule_form.checked(typed)
    assert refused.value.field == "share"


def test_a_condition_of_a_later_release_is_told_by_its_name(app):
    with app.test_request_context():
        assert rule_form.in_words({"mood": [1]}, {}) == [("mood", "1")]
