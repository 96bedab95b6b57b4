from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import pytest

from app.sandbox.demo.expectations import differences, owed_by
from app.sandbox.demo.output import WIDTH, Screen
from app.sandbox.demo.scenario import CAST, COFFEE, FLOWERS, MARKET, SHOWS, rounds
from app.sandbox.vendors.tracker import Hit

DEEDS = [deed for turn in rounds() for deed in turn]


def hit(deed, report, status):
    query = {"subscriber": str(deed.person.id), "click": deed.click, "status": report}
    path = f"{deed.show.prefix}/postback"
    return Hit(0.0, "GET", path, path, query, {}, b"", status)


def good_log():
    answers = {FLOWERS: (200,), COFFEE: (500, 200), MARKET: (500, 500)}
    return [
        hit(deed, report, status)
        for deed in DEEDS
        for report in deed.reports
        for status in answers[deed.show]
    ]


def test_the_play_has_everything_in_it():
    assert {report for deed in DEEDS for report in deed.reports} == {
        "wait",
        "hold",
        "approve",
        "cancel",
        "trash",
    }
    assert len(CAST) == 12
    assert owed_by(DEEDS).total() == sum(len(deed.reports) for deed in DEEDS)


def test_prefixes_of_campaigns_do_not_overlap():
    for show in SHOWS:
        assert [other for other in SHOWS if other.prefix.startswith(show.prefix)] == [show]


def test_a_log_as_it_should_be_has_no_differences():
    assert differences(DEEDS, good_log()) == []


def test_any_postback_that_is_missing_is_found():
    log = good_log()
    for at, one in enumerate(log):
        rest = log[:at] + log[at + 1 :]
        tried_again = one.path.startswith(MARKET.prefix)  # the dead one heard it twice
        assert bool(differences(DEEDS, rest)) is not tried_again


def test_any_postback_too_many_is_found():
    log = good_log()
    for one in log:
        if not one.path.startswith(MARKET.prefix):
            assert differences(DEEDS, [*log, one])


@pytest.mark.parametrize("change", [{"subscriber": "1"}, {"click": "x"}, {"status": "sale"}])
def test_a_postback_with_a_wrong_value_is_found(change):
    log = good_log()
    log[0] = replace(log[0], query={**log[0].query, **change})
    assert len(differences(DEEDS, log)) == 2


def test_updates_of_the_play_carry_the_campaigns_code():
    kinds = Counter(next(iter(deed.update("abc123", 5))) for deed in DEEDS)
    assert set(kinds) == {"message", "chat_member", "chat_join_request"}
    start = next(deed for deed in DEEDS if deed.is_start).update("abc123", 5)
    assert start["message"]["text"] == "/start abc123-alice-ad1"


def test_no_line_is_wider_than_the_screen():
    stream = io.StringIO()
    screen = Screen(stream)
    for deed in DEEDS:
        screen.deed(deed, [500, 200], 12.3456)
        screen.deed(deed, [], None)
    rows = [{"id": n, "event": "approve", "state": "delivered"} for n in range(9)]
    screen.lead("Boris", {"id": 123456, "status": 2}, rows)
    screen.verdict(["this is wrong " * 20])
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert "\x1b" not in stream.getvalue()
