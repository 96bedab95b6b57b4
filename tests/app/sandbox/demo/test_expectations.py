"""The demo finds every postback that is missing, too many or wrong."""

from dataclasses import replace

import pytest

from app.sandbox.demo.expectations import differences, reported_by
from app.sandbox.demo.scenario import COFFEE, FLOWERS, MARKET, rounds
from app.sandbox.vendors.tracker import Hit

ACTIONS = [action for turn in rounds() for action in turn]


def hit(action, report, status):
    query = {"subscriber": str(action.person.id), "click": action.click, "status": report}
    path = f"{action.show.prefix}/postback"
    return Hit(0.0, "GET", path, path, query, {}, b"", status)


def good_log():
    answers = {FLOWERS: (200,), COFFEE: (500, 200), MARKET: (500, 500)}
    return [
        hit(action, report, status)
        for action in ACTIONS
        for report in action.reports
        for status in answers[action.show]
    ]


def test_a_log_as_it_should_be_has_no_differences():
    assert differences(ACTIONS, good_log()) == []


def test_any_postback_that_is_missing_is_found():
    log = good_log()
    for at, one in enumerate(log):
        rest = log[:at] + log[at + 1 :]
        tried_again = one.path.startswith(MARKET.prefix)  # the dead one heard it twice
        assert bool(differences(ACTIONS, rest)) is not tried_again


def test_any_postback_too_many_is_found():
    log = good_log()
    for one in log:
        if not one.path.startswith(MARKET.prefix):
            assert differences(ACTIONS, [*log, one])


@pytest.mark.parametrize("change", [{"subscriber": "1"}, {"click": "x"}, {"status": "sale"}])
def test_a_postback_with_a_wrong_value_is_found(change):
    log = good_log()
    log[0] = replace(log[0], query={**log[0].query, **change})
    assert len(differences(ACTIONS, log)) == 2


def test_a_request_is_read_as_what_it_reports():
    action = ACTIONS[0]
    assert reported_by(hit(action, "wait", 200)) == (
        action.show.prefix, str(action.person.id), action.click, "wait",
    )  # fmt: skip
