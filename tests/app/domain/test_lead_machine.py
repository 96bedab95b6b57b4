from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribution import How, Origin
from app.domain.lead import (
    CampaignRules,
    CounterDelta,
    Counts,
    Decision,
    Lead,
    OrganicEvent,
    Report,
    State,
)
from app.domain.lead_machine import TOLERANCE, advance
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from plugins.contract import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = 1_790_000_000
DAY = 86_400
START, REQUEST, JOIN, LEAVE, KICK = LeadEventKind
WAIT, HOLD, APPROVE, CANCEL, TRASH = State
ANNA = Person(7)
OPEN = CampaignRules(paused=False, unsub_window=0)


def tell(
    kind: LeadEventKind, at: int, uid: int = 0, click: str = "new", *, member: bool | None = None
) -> LeadEvent:
    was = kind in (LEAVE, KICK) if member is None else member
    return LeadEvent(kind, ANNA, -5, T + at, uid or at, click=click, was_member=was)


def a_lead(state: State, join_time: int | None = None) -> Lead:
    """A lead that started at T, and last moved in the chat at T + 10."""
    joined = state in (APPROVE, CANCEL, TRASH)
    return Lead(
        state=state,
        click="old",
        start_time=T,
        join_time=T + 10 if joined and join_time is None else join_time,
        updated=T + 10,
        last_start_at=T,
        last_start_update_id=1,
        last_membership_at=T + 10,
        last_membership_update_id=10,
        held=state is HOLD,
        reports=3,
    )


def kinds(reports: Iterable[Report]) -> list[EventKind]:
    return [report.kind for report in reports]


def lead_of(decision: Decision) -> Lead:
    assert decision.lead is not None
    return decision.lead


def play(events: Sequence[LeadEvent], rules: CampaignRules = OPEN) -> Decision:
    """Let them arrive in this order; organic ones are remembered as the journal does."""
    lead, organic = None, list[OrganicEvent]()
    reports, deltas = list[Report](), list[CounterDelta]()
    for event in events:
        decision = advance(lead, event, rules, organic)
        organic += [OrganicEvent(e.kind, e.date, e.update_id) for e in decision.lines if e.organic]
        lead = decision.lead
        deltas += decision.deltas
        reports += decision.reports
    return Decision(lead, reports=tuple(reports), deltas=tuple(deltas))


# the table, transition by transition: what product.md says


TABLE: dict[tuple[State, LeadEventKind], tuple[State, str | None]] = {
    (WAIT, START): (WAIT, "wait"),
    (WAIT, REQUEST): (HOLD, "hold"),
    (WAIT, JOIN): (APPROVE, "approve"),
    (WAIT, LEAVE): (WAIT, None),
    (WAIT, KICK): (TRASH, "trash"),
    (HOLD, START): (HOLD, "wait"),
    (HOLD, REQUEST): (HOLD, None),
    (HOLD, JOIN): (APPROVE, "approve"),
    (HOLD, LEAVE): (CANCEL, "cancel"),
    (HOLD, KICK): (TRASH, "trash"),
    (APPROVE, START): (APPROVE, "wait"),
    (APPROVE, REQUEST): (APPROVE, None),
    (APPROVE, JOIN): (APPROVE, None),
    (APPROVE, LEAVE): (CANCEL, "cancel"),
    (APPROVE, KICK): (TRASH, "trash"),
    (CANCEL, START): (WAIT, "wait"),
    (CANCEL, REQUEST): (HOLD, "hold"),
    (CANCEL, JOIN): (APPROVE, "approve"),
    (CANCEL, LEAVE): (CANCEL, None),
    (CANCEL, KICK): (TRASH, None),
    (TRASH, START): (WAIT, "wait"),
    (TRASH, REQUEST): (HOLD, "hold"),
    (TRASH, JOIN): (APPROVE, "approve"),
    (TRASH, LEAVE): (TRASH, None),
    (TRASH, KICK): (TRASH, None),
}


@pytest.mark.parametrize("kind", LeadEventKind)
@pytest.mark.parametrize("state", State)
def test_every_cell_of_the_table(state: State, kind: LeadEventKind) -> None:
    decision = advance(a_lead(state), tell(kind, 100), OPEN)
    to, says = TABLE[state, kind]
    assert lead_of(decision).state is to
    assert kinds(decision.reports) == ([says] if says else [])
    assert lead_of(decision).reports == 3 + len(decision.reports)
    (entry,) = decision.lines
    assert (entry.kind, entry.date, entry.organic) == (kind, T + 100, False)
    assert 0 < len(entry.decision) <= 200
    assert decision.welcome == (kind is START)
    assert lead_of(decision).click == ("new" if kind is START else "old")


@pytest.mark.parametrize("kind", LeadEventKind)
@pytest.mark.parametrize("state", State)
def test_a_paused_campaign_moves_the_lead_alike_and_says_nothing(
    state: State, kind: LeadEventKind
) -> None:
    active = advance(a_lead(state), tell(kind, 100), OPEN)
    paused = advance(a_lead(state), tell(kind, 100), replace(OPEN, paused=True))
    assert paused.lead == replace(lead_of(active), reports=3)
    assert paused.counts == active.counts
    assert not paused.reports
    assert not paused.welcome
    if active.reports:
        assert paused.lines[0].decision == "campaign paused"


@pytest.mark.parametrize("kind", [REQUEST, JOIN, LEAVE, KICK])
def test_membership_without_a_lead_is_organic(kind: LeadEventKind) -> None:
    decision = advance(None, tell(kind, 5), OPEN)
    assert (decision.lead, decision.reports, decision.welcome) == (None, (), False)
    assert decision.lines[0].organic
    assert decision.counts == Counts(organic=int(kind is JOIN))


@pytest.mark.parametrize("kind", LeadEventKind)
def test_a_paused_campaign_creates_nothing(kind: LeadEventKind) -> None:
    decision = advance(None, tell(kind, 5), CampaignRules(paused=True))
    assert (decision.lead, decision.reports, decision.welcome) == (None, (), False)
    assert decision.lines[0].organic
    assert decision.counts == Counts(organic=int(kind is JOIN))
    assert "campaign paused" in decision.lines[0].decision


def test_a_first_start_creates_a_lead_that_waits() -> None:
    decision = advance(None, tell(START, 5, uid=9), OPEN)
    assert decision.lead == Lead(
        WAIT, "new", T + 5, None, T + 5, T + 5, 9, reports=1, how=How.START, touched=T + 5
    )
    assert decision.reports == (
        Report(EventKind.WAIT, T + 5, "new", None, 1, origin=Origin(How.START), update_id=9),
    )
    assert decision.welcome
    assert decision.counts == Counts(starts=1)


def test_a_held_request_of_a_person_who_was_no_member_survives_a_leave() -> None:
    decision = advance(a_lead(HOLD), tell(LEAVE, 100, member=False), OPEN)
    assert (lead_of(decision).state, decision.reports) == (HOLD, ())


# the window


@pytest.mark.parametrize("kind", [LEAVE, KICK])
@pytest.mark.parametrize(
    ("window", "stayed", "reported"),
    [
        (7 * DAY, 7 * DAY, True),
        (7 * DAY, 7 * DAY + 1, False),
        (7 * DAY, 1, True),
        (0, 3650 * DAY, True),
        (1, 2, False),
    ],
)
def test_the_window_counts_from_the_join_by_telegrams_dates(
    kind: LeadEventKind, window: int, stayed: int, reported: bool
) -> None:
    gone = tell(kind, 10 + stayed)
    decision = advance(a_lead(APPROVE), gone, CampaignRules(unsub_window=window))
    assert lead_of(decision).state is (CANCEL if kind is LEAVE else TRASH)
    assert bool(decision.reports) == reported
    assert decision.counts == Counts(unsubs=1, kicks=int(kind is KICK))


def test_the_journal_says_why_a_cancel_was_not_sent() -> None:
    decision = advance(
        a_lead(APPROVE), tell(LEAVE, 10 + 9 * DAY), CampaignRules(unsub_window=7 * DAY)
    )
    assert decision.lines[0].decision == "cancel not sent: left 9 d after join, window 7 d"
    decision = advance(
        a_lead(APPROVE), tell(KICK, 10 + 7 * DAY + 1), CampaignRules(unsub_window=7 * DAY)
    )
    assert decision.lines[0].decision == "trash not sent: kicked 7 d 1 s after join, window 7 d"


@pytest.mark.parametrize("state", [WAIT, HOLD])
def test_the_window_is_open_for_those_who_never_joined(state: State) -> None:
    decision = advance(a_lead(state), tell(KICK, 400 * DAY), CampaignRules(unsub_window=1))
    assert kinds(decision.reports) == [EventKind.TRASH]


def test_a_join_after_a_leave_restarts_the_window() -> None:
    story = [tell(START, 0, 1), tell(JOIN, 5), tell(LEAVE, 9), tell(JOIN, 1000), tell(KICK, 1007)]
    played = play(story, CampaignRules(unsub_window=7))
    assert kinds(played.reports) == ["wait", "approve", "cancel", "approve", "trash"]
    assert played.counts == Counts(starts=1, confirms=2, unsubs=2, kicks=1)


def test_a_new_cycle_has_not_joined_and_not_held() -> None:
    for kind, held in ((START, False), (REQUEST, True)):
        lead = lead_of(advance(a_lead(CANCEL), tell(kind, 100), OPEN))
        assert (lead.join_time, lead.held) == (None, held)


# orders of arrival


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ((0, 10, 20), "hold"),
        ((10, 0, 20), "hold"),
        ((20, 0, 10), "hold"),
        ((60, 0, 1), "hold"),
        ((1, 1, 1), "hold"),
        ((100, 0, 110), "approve"),
        ((100, 0, 10), "wait"),
    ],
)
def test_all_six_orders_give_the_same_lead_and_the_same_reports(
    dates: tuple[int, int, int], expected: str
) -> None:
    start, request, join = (
        tell(kind, at, uid)
        for kind, at, uid in zip((START, REQUEST, JOIN), dates, (1, 2, 3), strict=True)
    )
    told = {"hold": ["wait", "hold", "approve"], "approve": ["wait", "approve"]}.get(
        expected, ["wait"]
    )
    in_order = play([start, request, join])
    for order in permutations([start, request, join]):
        played = play(order)
        assert played.lead == in_order.lead
        assert played.counts == in_order.counts
        assert sorted(kinds(played.reports)) == sorted(told)
        assert {(r.time, r.click) for r in played.reports} == {
            (r.time, r.click) for r in in_order.reports
        }


def test_a_request_after_its_join_is_reported_late() -> None:
    played = play([tell(START, 0, 1), tell(JOIN, 20), tell(REQUEST, 10)])
    assert [(r.kind, r.late) for r in played.reports] == [
        ("wait", False),
        ("approve", False),
        ("hold", True),
    ]
    assert played.counts == Counts(starts=1, holds=1, confirms=1)


def test_a_late_request_is_reported_once() -> None:
    late = tell(REQUEST, 10)
    played = play([tell(START, 0, 1), tell(JOIN, 20), late, late])
    assert kinds(played.reports).count(EventKind.HOLD) == 1


def test_a_start_that_trails_its_join_picks_it_up() -> None:
    decision = advance(None, tell(START, 0, 1), OPEN, [OrganicEvent(JOIN, T - TOLERANCE, 5)])
    assert lead_of(decision).state is APPROVE
    assert [entry.replayed for entry in decision.lines] == [False, True]
    assert not any(entry.organic for entry in decision.lines)


def test_a_start_does_not_pick_up_what_was_long_before_it() -> None:
    organic = [OrganicEvent(JOIN, T - TOLERANCE - 1, 5), OrganicEvent(START, T + 5, 6)]
    decision = advance(None, tell(START, 0, 1), OPEN, organic)
    assert lead_of(decision).state is WAIT
    assert len(decision.lines) == 1


def test_what_was_organic_is_walked_by_date_and_not_as_it_came() -> None:
    organic = [
        OrganicEvent(LEAVE, T + 30, 3),
        OrganicEvent(JOIN, T + 20, 2),
        OrganicEvent(REQUEST, T + 10, 1),
    ]
    decision = advance(None, tell(START, 40, 9), OPEN, organic)
    assert kinds(decision.reports) == ["wait", "hold", "approve", "cancel"]
    assert [report.sequence for report in decision.reports] == [1, 2, 3, 4]


def test_an_older_start_changes_nothing() -> None:
    lead = replace(a_lead(APPROVE), last_start_at=T + 50, last_start_update_id=50)
    for start in (tell(START, 40), tell(START, 50, 49), tell(START, 50, 50)):
        decision = advance(lead, start, OPEN)
        assert (decision.lead, decision.reports, decision.welcome) == (lead, (), False)


@pytest.mark.parametrize("click", ["", "{click}", "{{subid}}", "__CLICKID__"])
@pytest.mark.parametrize("state", State)
def test_a_start_without_a_click_never_replaces_a_known_one(state: State, click: str) -> None:
    for at in (5, 100):
        decision = advance(a_lead(state), tell(START, at, click=click), OPEN)
        assert lead_of(decision).click == "old"
        assert [report.click for report in decision.reports] == ["old"]
        assert "the earlier one stays" in decision.lines[0].decision
        assert decision.welcome


def test_a_first_start_with_a_macro_that_nobody_replaced_has_no_click() -> None:
    decision = advance(None, tell(START, 0, 1, "__CLICKID__"), OPEN)
    assert (lead_of(decision).click, decision.reports[0].click) == ("", "")
    assert "nobody replaced" in decision.lines[0].decision


def test_an_older_start_gives_its_click_to_a_lead_that_has_none() -> None:
    starts = [tell(START, 0, 1, "c1"), tell(START, 10, 2, "")]
    for order in (starts, starts[::-1]):
        assert lead_of(play(order)).click == "c1"


def test_the_click_of_a_first_start_is_kept_through_a_bare_start_to_the_leave() -> None:
    story = [tell(START, 0, 1, "c1"), tell(JOIN, 5), tell(START, 9, 9, ""), tell(LEAVE, 20)]
    played = play(story)
    assert [report.click for report in played.reports] == ["c1"] * 4
    assert lead_of(played).click == "c1"


@pytest.mark.parametrize("state", [HOLD, APPROVE, CANCEL, TRASH])
def test_a_late_start_brings_its_click_and_moves_nothing(state: State) -> None:
    decision = advance(a_lead(state), tell(START, 5), OPEN)
    assert (lead_of(decision).state, lead_of(decision).click) == (state, "new")
    assert lead_of(decision).join_time == a_lead(state).join_time
    assert [(r.kind, r.late) for r in decision.reports] == [(EventKind.WAIT, True)]
    assert decision.welcome


def test_a_late_start_of_a_lead_that_waits_overtakes_nobody() -> None:
    decision = advance(a_lead(WAIT), tell(START, 5), OPEN)
    assert [r.late for r in decision.reports] == [False]


@pytest.mark.parametrize("kind", [REQUEST, JOIN, LEAVE, KICK])
@pytest.mark.parametrize("state", State)
def test_older_membership_never_moves_a_lead(state: State, kind: LeadEventKind) -> None:
    lead = replace(a_lead(state), held=True)
    for event in (tell(kind, 9), tell(kind, 10, 9), tell(kind, 10, 10)):
        assert advance(lead, event, OPEN).lead == lead


def test_ties_in_a_second_go_by_update_id() -> None:
    decision = advance(a_lead(APPROVE), tell(LEAVE, 10, 11), OPEN)
    assert lead_of(decision).state is CANCEL


def test_a_leave_that_trails_the_start_that_revived_the_lead_leaves_it_waiting() -> None:
    story = [tell(START, 0, 1), tell(JOIN, 100), tell(LEAVE, 200), tell(START, 300)]
    in_order, skewed = play(story), play([story[0], story[1], story[3], story[2]])
    assert lead_of(skewed) == lead_of(in_order)
    assert lead_of(skewed).state is WAIT
    assert skewed.reports[-1].late


def test_a_leave_shortly_before_the_first_start_ends_the_lead_in_every_order() -> None:
    story = [tell(JOIN, 20), tell(LEAVE, 30), tell(START, 50, 1)]
    for order in ([0, 1, 2], [2, 0, 1], [0, 2, 1]):
        played = play([story[at] for at in order])
        assert lead_of(played).state is CANCEL
        assert kinds(played.reports) == ["wait", "approve", "cancel"]


def test_a_request_of_an_earlier_cycle_is_not_reported_in_a_later_one() -> None:
    story = [tell(START, 0, 1), tell(JOIN, 10), tell(LEAVE, 20), tell(START, 500), tell(JOIN, 510)]
    played = play([*story, tell(REQUEST, 5)])
    assert EventKind.HOLD not in kinds(played.reports)


def test_a_join_that_trails_a_second_start_still_counts() -> None:
    played = play([tell(START, 0, 1), tell(START, 500), tell(JOIN, 10)])
    assert lead_of(played).state is APPROVE


# any life, any skew of Telegram's two queues, against a model that sees all in order


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[LeadEvent], list[LeadEvent]]:
    """Starts and membership as Telegram's queues hold them: each in order."""
    dates = draw(st.lists(st.integers(1, 400), min_size=2, max_size=12, unique=True).map(sorted))
    starts, moves = list[OrganicEvent](), list[OrganicEvent]()
    inside = draw(st.booleans())
    for at in dates:
        kind = draw(st.sampled_from([START, LEAVE, KICK] if inside else [START, REQUEST, JOIN]))
        event = tell(kind, at, click=f"click{at}")
        (starts if kind is START else moves).append(event)
        inside = kind is JOIN or (inside and kind not in (LEAVE, KICK))
    return starts, moves


def interleave(
    data: st.DataObject, starts: list[LeadEvent], moves: list[LeadEvent]
) -> list[LeadEvent]:
    """Merge two queues, and repeat some events some time after the first."""
    left, right, merged = list(starts), list(moves), list[OrganicEvent]()
    while left or right:
        queue = left if not right or (left and data.draw(st.booleans())) else right
        merged.append(queue.pop(0))
        # Twins are stored once; a repeated request could only add a late hold.
        seen = [past for past in merged if past.kind is not REQUEST]
        if seen and data.draw(st.integers(0, 4)) == 0:
            merged.append(data.draw(st.sampled_from(seen)))
    return merged


def in_sequence(
    starts: list[LeadEvent], moves: list[LeadEvent], window: int
) -> tuple[State, str, int | None, Counter[tuple[str, int]]]:
    """The same life by Telegram's dates, the first start standing before its tolerance."""
    first, *again = starts
    since = first.date - TOLERANCE
    later = sorted([*again, *(m for m in moves if m.date >= since)], key=lambda h: h.date)
    state, joined, told = WAIT, None, Counter([("wait", first.date)])
    for event in later:
        to, says = TABLE[state, event.kind]
        closed = state is APPROVE and window and event.date - (joined or 0) > window
        if says and not (closed and to.is_over):
            told[says, event.date] += 1
        if to is APPROVE and state is not APPROVE:
            joined = event.date
        elif to in (WAIT, HOLD):
            joined = None
        state = to
    return state, starts[-1].click, joined, told


@given(data=st.data(), life=lives(), window=st.sampled_from([0, 50, 200]))
def test_any_skew_of_the_two_queues_ends_as_the_sequence_would(
    data: st.DataObject, life: tuple[list[LeadEvent], list[LeadEvent]], window: int
) -> None:
    starts, moves = life
    if not starts:
        return
    arrival = interleave(data, starts, moves)
    played = play(arrival, CampaignRules(unsub_window=window))
    lead, (state, click, joined, told) = lead_of(played), in_sequence(starts, moves, window)
    assert (lead.state, lead.click, lead.join_time) == (state, click, joined)
    assert Counter((str(r.kind), r.time) for r in played.reports) == told
    assert lead.reports == len(played.reports)


ANYTHING = st.builds(
    tell,
    st.sampled_from(LeadEventKind),
    st.integers(0, 200),
    st.integers(0, 9),
    member=st.booleans(),
)


@given(st.lists(ANYTHING, max_size=30), st.booleans(), st.integers(0, 100))
def test_whatever_happens_the_lead_stays_sound(
    events: list[LeadEvent], paused: bool, window: int
) -> None:
    lead, number = None, 0
    for event in events:
        decision = advance(lead, event, CampaignRules(paused=paused, unsub_window=window))
        assert [entry.update_id for entry in decision.lines] == [event.update_id]
        for number, report in enumerate(decision.reports, number + 1):  # noqa: B020
            assert (report.sequence, report.time) == (number, event.date)
        if decision.lead is None:
            continue
        if lead is not None:
            assert (decision.lead.last_membership_at, decision.lead.last_membership_update_id) >= (
                lead.last_membership_at,
                lead.last_membership_update_id,
            )
            assert (decision.lead.last_start_at, decision.lead.last_start_update_id) >= (
                lead.last_start_at,
                lead.last_start_update_id,
            )
            assert decision.lead.updated >= lead.updated
        lead = decision.lead
        assert lead.state not in (WAIT, HOLD) or lead.join_time is None
        assert lead.state is not APPROVE or lead.join_time is not None
        assert lead.held or lead.state is not HOLD
        assert lead.reports == number


# what is counted, and when


def test_each_move_is_counted_when_it_happened_also_if_it_is_replayed() -> None:
    decision = play([tell(JOIN, DAY), tell(LEAVE, 3 * DAY), tell(START, 1)])
    assert [(one.date, one.counts, one.joined) for one in decision.deltas] == [
        (T + DAY, Counts(organic=1), None),
        (T + 1, Counts(starts=1), None),
        (T + DAY, Counts(confirms=1), None),
        (T + DAY, Counts(organic=-1), None),
        (T + 3 * DAY, Counts(unsubs=1), T + DAY),
    ]


@pytest.mark.parametrize("state", [WAIT, HOLD, CANCEL])
def test_whoever_is_no_member_is_kicked_without_being_counted(state: State) -> None:
    assert advance(a_lead(state), tell(KICK, 100), OPEN).counts == Counts()


def test_a_stay_that_a_start_had_ended_already_keeps_its_beginning() -> None:
    late = play([tell(START, 1), tell(JOIN, 10), tell(START, 900), tell(LEAVE, 500)])
    (ended,) = [one for one in late.deltas if one.counts.unsubs]
    assert (ended.date, ended.joined) == (T + 500, T + 10)
