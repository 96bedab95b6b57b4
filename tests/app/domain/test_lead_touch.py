"""What a touch changes of a lead, and what the lead machine makes of a join that brings one."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribution import NO_TOUCH, How, Touch
from app.domain.lead import CampaignRules, Counts, Lead, OrganicEvent, State
from app.domain.lead_machine import advance
from app.domain.lead_touch import note_of_start, touch_of, with_touch
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from plugins.contract import EventKind

T = 1_790_000_000
START, REQUEST, JOIN, LEAVE, KICK = LeadEventKind
OPEN = CampaignRules()


def event(kind: LeadEventKind, at: int, click: str = "") -> LeadEvent:
    was = kind in (LEAVE, KICK)
    return LeadEvent(kind, Person(7), -5, T + at, at, click=click, was_member=was)


def link(at: int, click: str = "link", how: How = How.LINK) -> Touch:
    return Touch(how, T + at, click, 3, 30)


def play(*events: tuple[LeadEvent, Touch | None]) -> tuple[Lead, list[EventKind], Counts]:
    lead, kinds, counts, organic = None, [], Counts(), []
    for happened, touch in events:
        decision = advance(lead, happened, OPEN, organic, touch)
        organic += [OrganicEvent(e.kind, e.date, e.update_id) for e in decision.lines if e.organic]
        lead = decision.lead
        kinds += [report.kind for report in decision.reports]
        counts += decision.counts
    assert lead is not None
    return lead, kinds, counts


@pytest.mark.parametrize(
    ("kind", "state", "says", "counts"),
    [
        (JOIN, State.APPROVE, EventKind.APPROVE, Counts(confirms=1)),
        (REQUEST, State.HOLD, EventKind.HOLD, Counts(holds=1)),
    ],
)
def test_a_touch_begins_a_lead_that_never_waited_and_is_not_welcomed(kind, state, says, counts):
    decision = advance(None, event(kind, 5), OPEN, touch=link(5))
    lead = decision.lead
    assert (lead.state, lead.click, lead.how, lead.source_id) == (state, "link", How.LINK, 3)
    assert (lead.start_time, lead.last_start_at, lead.touched) == (T + 5, 0, T + 5)
    (report,) = decision.reports
    assert (report.kind, report.click, report.sequence, report.late) == (says, "link", 1, False)
    assert (decision.welcome, decision.counts) == (False, counts)
    assert decision.lines[0].decision == f"lead created by link, {says} reported"


def test_without_a_touch_a_join_is_organic_and_a_paused_campaign_begins_nothing():
    assert advance(None, event(JOIN, 5), OPEN).lead is None
    assert advance(None, event(JOIN, 5), CampaignRules(paused=True), touch=link(5)).lead is None


@pytest.mark.parametrize("kind", [LEAVE, KICK])
def test_who_goes_begins_no_lead(kind):
    assert advance(None, event(kind, 5), OPEN, touch=link(5)).lead is None


def test_a_leave_that_was_seen_first_ends_the_lead_that_its_join_begins():
    lead, kinds, _ = play((event(LEAVE, 9), None), (event(JOIN, 5), link(5)))
    assert (lead.state, kinds) == (State.CANCEL, [EventKind.APPROVE, EventKind.CANCEL])


def test_the_first_start_after_it_is_counted_welcomed_and_reported_late():
    begun = advance(None, event(JOIN, 5), OPEN, touch=link(5)).lead
    decision = advance(begun, event(START, 9, "started"), OPEN)
    assert (decision.lead.state, decision.lead.click) == (State.APPROVE, "started")
    (report,) = decision.reports
    assert (report.kind, report.late) == (EventKind.WAIT, True)
    assert (decision.counts, decision.welcome) == (Counts(starts=1), True)
    again = advance(decision.lead, event(START, 11, "again"), OPEN)
    assert (again.counts, again.reports[0].late) == (Counts(), False)


def test_a_start_after_the_person_left_begins_a_new_cycle_and_is_not_late():
    lead, _, _ = play((event(JOIN, 5), link(5)), (event(LEAVE, 6), None))
    decision = advance(lead, event(START, 9, "c"), OPEN)
    assert (decision.lead.state, decision.reports[0].late) == (State.WAIT, False)


def test_the_link_decides_over_an_older_start_whose_click_stays_as_also_seen():
    start, join = (event(START, 5, "c1"), None), (event(JOIN, 9), link(9))
    for order in permutations([start, join]):
        lead, kinds, counts = play(*order)
        assert (lead.click, lead.how, lead.also_seen) == ("link", How.LINK, "c1")
        assert (lead.state, lead.start_time, sorted(kinds)) == (
            State.APPROVE,
            T + 5,
            [EventKind.APPROVE, EventKind.WAIT],
        )
        assert counts == Counts(starts=1, confirms=1)


def test_in_the_same_second_the_start_decides_in_every_order():
    for order in permutations([(event(START, 5, "c1"), None), (event(JOIN, 5), link(5))]):
        lead, _, _ = play(*order)
        assert (lead.click, lead.how, lead.also_seen) == ("c1", How.START, "")


def test_coming_back_without_a_link_keeps_the_touch():
    lead, kinds, _ = play(
        (event(JOIN, 5), link(5)), (event(LEAVE, 9), None), (event(JOIN, 12), None)
    )
    assert (lead.click, lead.how, lead.touched) == ("link", How.LINK, T + 5)
    assert kinds == [EventKind.APPROVE, EventKind.CANCEL, EventKind.APPROVE]


def test_coming_back_by_another_link_is_the_newer_touch():
    lead, _, _ = play(
        (event(JOIN, 5), link(5)), (event(LEAVE, 9), None), (event(JOIN, 12), link(12, "second"))
    )
    assert (lead.click, lead.touched) == ("second", T + 12)


def test_a_forwarded_link_knows_the_source_and_no_click():
    lead, _, _ = play((event(JOIN, 5), link(5, "", How.FORWARDED)))
    assert (lead.how, lead.click, lead.source_id) == (How.FORWARDED, "", 3)


@pytest.mark.parametrize("click", ["", "{click}", "__CLICK__"])
def test_a_start_without_a_usable_click_is_no_touch(click):
    assert touch_of(event(START, 5, click)) == NO_TOUCH
    lead, _, _ = play((event(JOIN, 5), link(5)), (event(START, 9, click), None))
    assert (lead.click, lead.how) == ("link", How.LINK)


def test_the_note_of_a_start_says_why_it_brings_no_click():
    assert note_of_start(event(START, 5, "c1"), "known") == ""
    assert note_of_start(event(START, 5), "") == ""
    assert "the earlier one stays" in note_of_start(event(START, 5), "known")
    assert "nobody replaced" in note_of_start(event(START, 5, "{click}"), "")
    unknown = replace(event(START, 5), token="x" * 16)
    assert "names no click that is kept" in note_of_start(unknown, "")


def test_no_touch_changes_nothing():
    lead = Lead(State.WAIT, "c", T, None, T, T, 1, how=How.START, touched=T)
    assert with_touch(lead, None) == with_touch(lead, NO_TOUCH) == lead


def test_a_click_that_was_known_before_methods_were_is_like_that_of_a_start():
    old = Lead(State.APPROVE, "c", T, T, T, T, 1)
    assert with_touch(old, link(5, "", How.NAMED)).click == ""
    assert with_touch(replace(old, touched=T), link(5, "", How.NAMED)).click == "c"


STEP = st.tuples(st.sampled_from(list(LeadEventKind)), st.integers(0, 40), st.booleans())


@given(st.lists(STEP, max_size=25))
def test_a_click_is_never_one_that_no_touch_of_the_person_has_brought(steps):
    lead, organic, clicks = None, [], {""}
    for number, (kind, at, by_link) in enumerate(steps):
        is_arrival = kind in (JOIN, REQUEST)
        click = f"s{number}" if kind is START else ""
        touch = link(at, f"l{number}") if by_link and is_arrival else None
        clicks |= {click, touch.click if touch else ""}
        decision = advance(lead, event(kind, at, click), OPEN, organic, touch)
        organic += [OrganicEvent(e.kind, e.date, e.update_id) for e in decision.lines if e.organic]
        lead = decision.lead or lead
        assert {report.click for report in decision.reports} <= clicks
        if lead:
            assert {lead.click, lead.also_seen} <= clicks
            assert lead.click == "" or lead.how.knows_click
