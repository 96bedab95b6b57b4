from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import pytest

from app.sandbox.demo.expectations import differences, expected_of
from app.sandbox.demo.output import WIDTH, Output
from app.sandbox.demo.scenario import COFFEE, FLOWERS, MARKET, PEOPLE, SHOWS, rounds
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


def test_the_play_has_everything_in_it():
    assert {report for action in ACTIONS for report in action.reports} == {
        "wait",
        "hold",
        "approve",
        "cancel",
        "trash",
    }
    assert len(PEOPLE) == 12
    assert expected_of(ACTIONS).total() == sum(len(action.reports) for action in ACTIONS)


def test_prefixes_of_campaigns_do_not_overlap():
    for show in SHOWS:
        assert [other for other in SHOWS if other.prefix.startswith(show.prefix)] == [show]


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


def test_updates_of_the_play_carry_the_campaigns_code():
    kinds = Counter(next(iter(action.update("abc123", 5))) for action in ACTIONS)
    assert set(kinds) == {"message", "chat_member", "chat_join_request"}
    start = next(action for action in ACTIONS if action.is_start).update("abc123", 5)
    assert start["message"]["text"] == "/start abc123-alice-ad1"


def test_no_line_is_wider_than_the_screen():
    stream = io.StringIO()
    output = Output(stream)
    for action in ACTIONS:
        output.action(action, [500, 200], 12.3456)
        output.action(action, [], None)
    rows = [{"id": n, "event": "approve", "state": "delivered"} for n in range(9)]
    output.lead("Boris", {"id": 123456, "status": 2}, rows)
    output.verdict(["this is wrong " * 20])
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "\x1b" not in stream.getvalue()
