"""An account at Altcraft finds, changes and refuses profiles as the guide says."""

from typing import Any

import pytest

from app.sandbox.vendors.altcraft_account import SCENARIOS, TRIGGERS, Account, Refused

BY_FIELD = {"matching": "custom", "field_name": "telegram_id", "field_value": "77"}
ANN = {"db_id": 1, **BY_FIELD, "data": {"telegram_id": "77", "_fname": "Ann"}}
GOAL = {"db_id": 1, **BY_FIELD, "pixel_id": 7, "goal": "telegram_approve"}


@pytest.fixture
def account() -> Account:
    account = Account()
    account.databases, account.pixels = {1: []}, {7}
    account.automations = {TRIGGERS: {11}, SCENARIOS: {12}}
    return account


def refused(act: Any, body: dict[str, Any]) -> int:
    with pytest.raises(Refused) as refusal:
        act(body)
    return refusal.value.code


def test_an_import_creates_a_profile_once_and_changes_it_then(account):
    first = account.import_profile(ANN)
    second = account.import_profile({**ANN, "data": {"_fname": "Anna"}})
    assert first == second
    [profile] = account.databases[1]
    assert profile.data == {"telegram_id": "77", "_fname": "Anna"}
    assert len(profile.id) == 24


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"db_id": "1"}, 450),
        ({"db_id": 2}, 404),
        ({"data": None}, 450),
        ({"data": {"shoe_size": 38}}, 450),
        ({"matching": "profile_id", "profile_id": "5f"}, 404),
        ({"matching": "horoscope"}, 450),
        ({"field_value": ""}, 450),
        ({"field_name": "shoe_size"}, 450),
        ({"data": {"subscriptions": [{"channel": "telegram_bot"}]}}, 450),
    ],
)
def test_an_import_that_cannot_be_creates_nothing(account, changes, code):
    assert refused(account.import_profile, {**ANN, **changes}) == code
    assert account.databases[1] == []


def test_a_bad_subscription_may_be_skipped(account):
    good = {"channel": "telegram_bot", "cc_data": {"id": 77}, "status": "subscribed"}
    data = {"subscriptions": [good, {"channel": "telegram_bot"}]}
    account.import_profile({**ANN, "data": data, "skip_invalid_subscriptions": True})
    assert account.databases[1][0].subscriptions == [good]


def test_two_profiles_that_fit_are_ambiguous(account):
    account.import_profile(ANN)
    account.databases[1] *= 2
    assert refused(account.import_profile, ANN) == 435


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"pixel_id": 8}, 404),
        ({"field_value": "78"}, 404),
        ({"goal": "goal1"}, 450),
        ({"goal": "g" * 129}, 450),
        ({"date": "yesterday"}, 450),
        ({"value": "5"}, 450),
        ({"pixel_data": {"a": {"b": 1}}}, 450),
        ({"pixel_data": {"a": "я" * 512}}, 450),
    ],
)
def test_a_goal_that_cannot_be_is_not_registered(account, changes, code):
    account.import_profile(ANN)
    assert refused(account.register_goal, {**GOAL, **changes}) == code
    assert account.goals == []


@pytest.mark.parametrize("date", ["2026-05-10T09:00:00Z", "2026-05-10T09:00:00.5+03:00"])
def test_a_good_goal_is_kept_without_its_token(account, date):
    account.import_profile(ANN)
    account.register_goal({**GOAL, "token": "t", "date": date, "value": -1.5})
    assert (account.goals[0]["token"], account.goals[0]["value"]) == (None, -1.5)


@pytest.mark.parametrize(("path", "number"), [(TRIGGERS, 11), (SCENARIOS, 12)])
def test_an_action_starts_for_a_profile_with_or_without_content(account, path, number):
    account.import_profile(ANN)
    for more in ({}, {"content": {"click": "c1"}}):
        account.start(path, {"id": number, **BY_FIELD, **more})
    assert [one["method"] for one in account.started] == [path] * 2
    body = {"id": number, **BY_FIELD}
    assert refused(lambda one: account.start(path, one), {**body, "id": 99}) == 404
    assert refused(lambda one: account.start(path, one), {**body, "field_value": "78"}) == 404
    assert refused(lambda one: account.start(path, one), {**body, "content": "x"}) == 450


def test_a_scenario_knows_no_matching_by_the_profiles_email(account):
    body = {"id": 12, "matching": "email_profile", "email": "a@example.org"}
    assert refused(lambda one: account.start(SCENARIOS, one), body) == 450


def test_the_fields_of_a_database_are_listed(account):
    names = [one["name"] for one in account.list_fields({"db_id": 1})["data"]]
    assert names == ["telegram_id", "tg_status"]
