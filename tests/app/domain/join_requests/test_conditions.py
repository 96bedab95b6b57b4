"""Each condition of a rule: what it takes, and for whom it holds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.join_requests.conditions import CONDITIONS, check, hold, is_within, share_of
from app.domain.join_requests.facts import Came, Facts

NOBODY = Facts(subscriber=5_000_000_000, campaign=1)

#: name, value, facts for which it holds, facts for which it does not
HELD = [
    ("how", ["click"], {"came": Came.CLICK}, {"came": Came.SOURCE}),
    ("how", ["source", "unknown"], {}, {"came": Came.CLICK}),
    ("source", [5, 6], {"source": 6}, {"source": 7}),
    ("source", [5], {"source": 5}, {"source": None}),
    ("link_name", "promo*", {"link_name": "Promo June"}, {"link_name": "June promo"}),
    ("link_name", "*june*", {"link_name": "promo JUNE 2"}, {"link_name": ""}),
    ("link_name", "a.b", {"link_name": "a.b"}, {"link_name": "axb"}),
    ("link_name", "ab*ba", {"link_name": "abba"}, {"link_name": "aba"}),
    ("link_name", "a*b*b*", {"link_name": "a-b.b"}, {"link_name": "a-b"}),
    # A regular expression would never come to the end of this one.
    ("link_name", "*a" * 15 + "*b", {"link_name": "a" * 31 + "b"}, {"link_name": "a" * 32}),
    ("premium", True, {"premium": True}, {}),
    ("premium", False, {}, {"premium": True}),
    ("language", ["ru", "uk"], {"language": "ru-RU"}, {"language": "en"}),
    ("language", ["en"], {"language": "EN"}, {"language": ""}),
    ("language_not", ["ru"], {"language": "en"}, {"language": "ru"}),
    ("language_not", ["ru"], {"language": ""}, {"language": "ru-RU"}),
    ("username", True, {"username": "ann"}, {}),
    ("username", False, {}, {"username": "ann"}),
    ("id_above", 4_999_999_999, {}, {"subscriber": 4_999_999_999}),
    ("bio_has_link", True, {"bio": "look: t.me/casino"}, {"bio": "I love tea. Me too"}),
    ("bio_has_link", True, {"bio": "write @casino"}, {"bio": "a @ b"}),
    ("bio_has_link", False, {}, {"bio": "https://casino.example"}),
    ("name_has_link", True, {"name": "Casino.com "}, {"name": "Ann Lee"}),
    ("name_has_link", True, {"name": "Ann @casino"}, {"name": ""}),
    ("blocked", True, {"is_blocked": True}, {}),
    ("blocked", False, {}, {"is_blocked": True}),
    ("asked_before", 7, {"declined_days": 6.9}, {"declined_days": 7.1}),
    ("asked_before", 7, {"declined_days": 0.0}, {"declined_days": None}),
    ("was_member", True, {"was_member": True}, {}),
    ("hours", [9, 18], {"minute": 9 * 60}, {"minute": 18 * 60}),
    ("hours", [22, 6], {"minute": 5 * 60 + 59}, {"minute": 12 * 60}),
    ("hours", [0, 24], {"minute": 1439}, None),
    ("weekday", [6, 7], {"weekday": 6}, {"weekday": 5}),
    ("share", 100, {}, None),
]


@pytest.mark.parametrize(("name", "value", "held", "not_held"), HELD)
def test_a_condition_holds_for_whom_it_should(name, value, held, not_held):
    kept = check({name: value})
    assert hold(kept, replace(NOBODY, **held))
    if not_held is not None:
        assert not hold(kept, replace(NOBODY, **not_held))


def test_every_condition_is_in_the_table_of_this_test():
    assert {row[0] for row in HELD} == set(CONDITIONS)


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("photo", True, "there is no condition 'photo'"),
        ("premium", 1, "premium: must be true or false"),
        ("premium", "yes", "premium: must be true or false"),
        ("how", ["magic"], "how: must be one of click, source, unknown"),
        ("how", [], "how: must be a list of at most 100 values"),
        ("how", "click", "how: must be a list of at most 100 values"),
        ("how", [["click"]], "how: must be one of click, source, unknown"),
        ("source", [0], "source: must be from 1 to 9223372036854775807"),
        ("source", [True], "source: must be from 1 to 9223372036854775807"),
        ("share", 0, "share: must be from 1 to 100"),
        ("share", 101, "share: must be from 1 to 100"),
        ("share", 1.5, "share: must be from 1 to 100"),
        ("hours", [9], "hours: must be two hours, from and to"),
        ("hours", [9, 25], "hours: must be from 0 to 24"),
        ("weekday", [8], "weekday: must be from 1 to 7"),
        ("language", ["x" * 65], "language: must be text"),
        ("language", ["a\x00"], "language: must be text"),
        ("link_name", "", "link_name: must be text"),
        ("asked_before", 0, "asked_before: must be from 1 to 366"),
    ],
)
def test_a_condition_that_can_mean_nothing_is_refused_by_name(name, value, fault):
    with pytest.raises(ValueError, match=r".") as caught:
        check({name: value})
    assert str(caught.value) == fault


def test_all_conditions_must_hold_and_none_is_for_all():
    both = {"premium": True, "username": True}
    assert hold({}, NOBODY)
    assert not hold(both, replace(NOBODY, premium=True))
    assert hold(both, replace(NOBODY, premium=True, username="ann"))


def test_a_condition_of_a_later_release_never_holds():
    assert not hold({"astrology": "leo"}, NOBODY)


@given(st.integers(1, 2**60), st.integers(1, 2**40))
def test_the_share_of_a_person_stays_the_same(person, campaign):
    facts = Facts(person, campaign)
    assert share_of(facts) == share_of(replace(facts, premium=True, minute=5))
    assert 0 <= share_of(facts) < 100


@given(st.integers(1, 2**60), st.integers(1, 100), st.integers(1, 100))
def test_whoever_is_in_a_share_is_in_every_larger_one(person, one, other):
    low, high = sorted((one, other))
    facts = Facts(person, 1)
    assert hold({"share": high}, facts) or not hold({"share": low}, facts)


def test_a_share_of_many_people_is_about_as_large_as_it_says():
    inside = sum(hold({"share": 30}, Facts(person, 1)) for person in range(10_000))
    assert 2_800 < inside < 3_200


@given(st.integers(0, 1440), st.integers(0, 1440), st.integers(0, 1439))
def test_a_minute_is_in_a_time_or_in_the_rest_of_the_day(start, end, minute):
    if start != end and {start, end} != {0, 1440}:
        assert is_within(start, end, minute) is not is_within(end, start, minute)
    assert start != end or not is_within(start, end, minute)
