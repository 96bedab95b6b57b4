"""altcraft against Altcraft's double."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from app.sandbox.serving import running
from app.sandbox.telegram.faults import Manner
from app.sandbox.vendors.altcraft import AltcraftDouble
from app.sandbox.vendors.altcraft_account import SCENARIOS, STARTS, TRIGGERS
from app.sandbox.vendors.vendor import Reply
from plugins.contract import Event, EventKind, Verdict
from plugins.registry import make_adapter
from plugins.testing import HOSTILE, sample_event
from plugins.trackers.altcraft import adapter
from tests.support.courier import Clock, Courier

TOKEN = "0123456789abcdef0123456789abcdef"
ADAPTER = make_adapter("altcraft", adapter)
IMPORT = "/profiles/import"
REGISTER = "/goals/register"

Make = Callable[..., AltcraftDouble]


@pytest.fixture
def make_double(clock: Clock) -> Iterator[Make]:
    running_ones = []

    def make(**options: Any) -> AltcraftDouble:
        double = AltcraftDouble(clock=clock, **options)
        double.access.tokens = {TOKEN}
        double.account.databases = {1: []}
        double.account.pixels = {7}
        double.account.automations = {TRIGGERS: {11}, SCENARIOS: {12}}
        served = running(double)
        double.url = served.__enter__()
        running_ones.append(served)
        return double

    yield make
    for served in running_ones:
        served.__exit__(None, None, None)


@pytest.fixture(params=[False, True], ids=["always 200", "own status"])
def double(make_double: Make, request: pytest.FixtureRequest) -> AltcraftDouble:
    """Both ways in which installations tell of an error."""
    return make_double(http_errors=request.param)


def settings(double: AltcraftDouble, **more: Any) -> dict[str, Any]:
    typed = {"token": TOKEN, "db_id": 1, "pixel_id": 7, "base_url": double.url}
    return ADAPTER.check_settings(typed | more)


def carrying(event: Event, outcomes: list[Any]) -> Event:
    """The event as its next try sees it."""
    for outcome in outcomes:
        event = event if outcome.state is None else replace(event, state=outcome.state)
    return event


def verdicts(outcomes: list[Any]) -> list[Verdict]:
    return [outcome.verdict for outcome in outcomes]


@pytest.mark.parametrize("auth", ["body", "header"])
def test_the_five_events_become_one_profile_and_five_goals(
    courier: Courier, double: AltcraftDouble, auth: str
):
    kept = settings(double, auth=auth, resource_id=3, same_bot=True)
    for kind in EventKind:
        outcomes = courier(ADAPTER, sample_event(kind, key=kind.value), kept)
        assert verdicts(outcomes) == [Verdict.DELIVERED] * 2
    (profile,) = double.account.databases[1]
    assert profile.data["telegram_id"] == "987654321"
    assert profile.data["tg_status"] == "trash"
    assert [one["status"] for one in profile.subscriptions] == ["subscribed"]
    assert [goal["goal"] for goal in double.account.goals] == [
        f"telegram_{kind}" for kind in EventKind
    ]


def test_a_retry_is_recognised_step_by_step(courier: Courier, double: AltcraftDouble):
    kept = settings(double)
    assert verdicts(courier(ADAPTER, sample_event(), kept)) == [Verdict.DELIVERED] * 2
    assert verdicts(courier(ADAPTER, sample_event(), kept)) == [Verdict.DUPLICATE] * 2
    assert len(double.account.goals) == 1


def test_older_versions_mark_duplicates_their_way(courier: Courier, make_double: Make):
    double = make_double(old=True)
    courier(ADAPTER, sample_event(), settings(double))
    again = courier(ADAPTER, sample_event(), settings(double))
    assert verdicts(again) == [Verdict.DUPLICATE] * 2


def test_joining_again_counts_again(courier: Courier, double: AltcraftDouble):
    for key in ("first", "second"):
        courier(ADAPTER, sample_event(key=key), settings(double))
    assert len(double.account.goals) == 2


@pytest.mark.parametrize("manner", [Manner.RESET, Manner.MALFORMED])
def test_a_goal_is_not_counted_twice_when_its_answer_is_lost(
    courier: Courier, double: AltcraftDouble, manner: Manner
):
    kept = settings(double)
    double.order(manner, path=REGISTER)
    outcomes = courier(ADAPTER, sample_event(), kept)
    assert verdicts(outcomes) == [Verdict.DELIVERED, Verdict.RETRY]
    assert verdicts(courier(ADAPTER, sample_event(), kept, done=1)) == [Verdict.DUPLICATE]
    assert len(double.account.goals) == 1
    assert len(double.calls(IMPORT)) == 1


def test_a_failed_profile_holds_its_goal_back(courier: Courier, double: AltcraftDouble):
    double.order(Reply(500, {"error": 500, "error_text": "Internal"}), path=IMPORT)
    assert verdicts(courier(ADAPTER, sample_event(), settings(double))) == [Verdict.RETRY]
    assert double.calls(REGISTER) == []
    outcomes = courier(ADAPTER, sample_event(), settings(double))
    assert verdicts(outcomes) == [Verdict.DELIVERED] * 2


def test_a_goal_waits_for_a_profile_that_is_not_found_yet(courier: Courier, make_double: Make):
    double, event = make_double(keeps_failures=True), sample_event()
    double.order(Manner.DROP, path=REGISTER)
    outcomes = courier(ADAPTER, event, settings(double))
    hidden, double.account.databases[1] = double.account.databases[1], []
    for _ in range(3):  # stored by now, but each comes under another Request-ID
        event = carrying(event, outcomes)
        outcomes = courier(ADAPTER, event, settings(double), done=1)
        assert verdicts(outcomes) == [Verdict.RETRY]
    event, double.account.databases[1] = carrying(event, outcomes), hidden
    assert verdicts(courier(ADAPTER, event, settings(double), done=1)) == [Verdict.DELIVERED]
    assert len(double.account.goals) == 1


def test_a_profile_that_is_never_found_ends_the_goal(courier: Courier, double: AltcraftDouble):
    event, outcomes = sample_event(), courier(ADAPTER, sample_event(), settings(double))
    double.account.databases[1] = []
    event = replace(event, key="another")
    for _ in range(3):
        event = carrying(event, outcomes)
        outcomes = courier(ADAPTER, event, settings(double), done=1)
        assert verdicts(outcomes) == [Verdict.RETRY]
    event = carrying(event, outcomes)
    assert verdicts(courier(ADAPTER, event, settings(double), done=1)) == [Verdict.REJECTED]


def test_a_goal_finds_the_profile_by_the_id_that_was_answered(
    courier: Courier, double: AltcraftDouble
):
    double.order(Manner.DROP, path=REGISTER)
    event = carrying(sample_event(), courier(ADAPTER, sample_event(), settings(double)))
    double.account.databases[1][0].data.clear()  # nothing else to find it by
    assert verdicts(courier(ADAPTER, event, settings(double), done=1)) == [Verdict.DELIVERED]
    assert double.account.goals[0]["profile"] == double.account.databases[1][0].id


def test_triggers_and_scenarios_are_started_once_with_our_macros(
    courier: Courier, double: AltcraftDouble
):
    kept = settings(
        double, mode="actions", events={"approve": {"goal": "", "trigger": 11, "workflow": 12}}
    )
    assert verdicts(courier(ADAPTER, sample_event(), kept)) == [Verdict.DELIVERED] * 3
    assert verdicts(courier(ADAPTER, sample_event(), kept)) == [Verdict.DUPLICATE] * 3
    assert [one["method"] for one in double.account.started] == list(STARTS)
    assert {one["profile"] for one in double.account.started} == {double.account.databases[1][0].id}
    assert {one["content"]["click"] for one in double.account.started} == {"Click_1-2"}


@pytest.mark.parametrize("matching", ["email", "email_profile", "phone"])
def test_an_action_knows_each_way_to_find_a_profile(
    courier: Courier, double: AltcraftDouble, matching: str
):
    kept = settings(
        double, mode="actions", matching=matching, match_value="{subscriber}",
        events={"approve": {"goal": "", "trigger": 11, "workflow": 12}},
    )  # fmt: skip
    assert verdicts(courier(ADAPTER, sample_event(), kept)) == [Verdict.DELIVERED] * 3


def test_an_action_that_does_not_exist_is_told(courier: Courier, double: AltcraftDouble):
    kept = settings(double, mode="actions", events={"approve": {"goal": "", "trigger": 99}})
    outcomes = courier(ADAPTER, sample_event(), kept)
    assert verdicts(outcomes) == [Verdict.DELIVERED, Verdict.RETRY]
    assert "Nothing of this number" in outcomes[-1].reason


def test_a_goal_alone_for_nobody_is_refused(courier: Courier, double: AltcraftDouble):
    (outcome,) = courier(ADAPTER, sample_event(), settings(double, mode="goal"))
    assert outcome.verdict is Verdict.REJECTED
    assert "Profile not found" in outcome.reason


def test_a_spent_tariff_is_parked_and_goes_on_when_paid(courier: Courier, double: AltcraftDouble):
    double.access.exhausted = True
    (outcome,) = courier(ADAPTER, sample_event(), settings(double))
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    double.access.exhausted = False
    outcomes = courier(ADAPTER, sample_event(), settings(double))
    assert verdicts(outcomes) == [Verdict.DELIVERED] * 2


def test_a_wrong_or_powerless_token_parks_and_goes_on_when_mended(
    courier: Courier, double: AltcraftDouble
):
    (wrong,) = courier(ADAPTER, sample_event(), settings(double, token="x" * 32))
    assert (wrong.verdict, wrong.disable_destination) == (Verdict.RETRY, True)
    double.access.powerless = {TOKEN}
    (powerless,) = courier(ADAPTER, sample_event(), settings(double))
    assert (powerless.verdict, powerless.disable_destination) == (Verdict.RETRY, True)
    double.access.powerless = set()
    outcomes = courier(ADAPTER, sample_event(), settings(double))
    assert verdicts(outcomes) == [Verdict.DELIVERED] * 2


def test_a_stored_refusal_is_asked_anew_once_the_owner_paid(courier: Courier, make_double: Make):
    double, event = make_double(keeps_failures=True), sample_event()
    double.access.exhausted = True
    (outcome,) = courier(ADAPTER, event, settings(double))
    assert (outcome.verdict, outcome.disable_destination) == (Verdict.RETRY, True)
    double.access.exhausted = False
    (stored,) = courier(ADAPTER, event, settings(double))
    assert (stored.verdict, stored.disable_destination) == (Verdict.RETRY, False)
    event = carrying(event, [stored])
    assert verdicts(courier(ADAPTER, event, settings(double))) == [Verdict.DELIVERED] * 2


def test_the_installations_limit_is_waited_out(courier: Courier, make_double: Make, clock: Clock):
    double = make_double(limit=1)
    outcomes = courier(ADAPTER, sample_event(), settings(double))
    assert verdicts(outcomes) == [Verdict.DELIVERED, Verdict.RETRY]
    clock.now += 1
    rest = courier(ADAPTER, sample_event(), settings(double), done=1)
    assert verdicts(rest) == [Verdict.DELIVERED]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"db_id": 2}, "Database"),
        ({"field_name": "unknown"}, "Unknown field_name"),
        ({"status_field": "unknown"}, "Unknown field unknown"),
        ({"pixel_id": 8}, "Pixel"),
        ({"matching": "profile_id", "match_value": "5f"}, "Profile not found"),
        ({"events": {"approve": {"goal": "goal1"}}}, "Wrong name"),
    ],
)
def test_a_wrong_setting_is_told_in_altcrafts_words(
    courier: Courier, double: AltcraftDouble, more: dict[str, Any], word: str
):
    outcome = courier(ADAPTER, sample_event(), settings(double, **more))[-1]
    assert not outcome.verdict.is_success
    assert word in outcome.reason


@pytest.mark.parametrize(
    "more",
    [
        {"field_type": "int"},
        {"matching": "phone", "match_value": "{subscriber}"},
        {"matching": "email", "match_value": "{subscriber}@telegram.example"},
        {"matching": "email_profile", "match_value": "{subscriber}@telegram.example"},
    ],
)
def test_a_goal_finds_the_profile_by_each_matching(
    courier: Courier, double: AltcraftDouble, more: dict[str, Any]
):
    outcomes = courier(ADAPTER, sample_event(), settings(double, **more))
    assert verdicts(outcomes) == [Verdict.DELIVERED] * 2
    assert len(double.account.databases[1]) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_people_write_is_accepted_as_text(
    courier: Courier, double: AltcraftDouble, text: str
):
    double.account.fields |= {"tg_click", "tg_title"}
    event = sample_event(click=text, first_name=text, title=text, language=text[:16])
    kept = settings(
        double, send_names=True, field_map={"tg_click": "{click}", "tg_title": "«{title}»"}
    )
    assert verdicts(courier(ADAPTER, event, kept)) == [Verdict.DELIVERED] * 2


def test_the_probe_tells_what_is_missing_and_changes_nothing(
    courier: Courier, double: AltcraftDouble
):
    assert courier.probe(ADAPTER, settings(double)).reason.startswith("Altcraft accepts")
    outcome = courier.probe(ADAPTER, settings(double, status_field="state"))
    assert (outcome.verdict, outcome.reason) == (
        Verdict.DELIVERED,
        "connected; not in the database: state",
    )
    double.access.powerless = {TOKEN}
    assert courier.probe(ADAPTER, settings(double)).verdict is Verdict.REJECTED
    assert double.account.databases == {1: []}
