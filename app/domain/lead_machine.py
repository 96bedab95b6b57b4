"""The life of a lead: a table, and the one function that walks it.

`advance` takes a lead (or none) and what happened, and returns a `Decision`: the
lead as it is now, what to journal, what to report and whether to welcome. It
knows no database and no clock, and the same input gives the same Decision.

Telegram sends starts (one queue) and membership (another) side by side, so a
start may arrive after the join it caused, and the other way round. Hence:

1. Two clocks. `last_start_*` is the last start, `last_membership_*` the last
   membership event, both as (date, update_id). What a clock has passed is journaled
   and moves nothing, so a repeated or late update can do no harm.
2. A start that arrives late, after newer membership, still brings the newest
   click, is reported and welcomed: the person is in the bot and reading. It
   does not revive a lead whose end came after it.
3. A leave or kick that arrives late, before a start that revived the lead,
   ends the lead and the start brings it back: the lead ends up waiting.
4. A first start picks up what its person did, in a chat we watch, no earlier
   than `TOLERANCE` before it; what is older was not this campaign's doing.
   That first start (`start_time`), not the last, bounds what counts: a join
   that trails a second start still belongs to the lead.
5. A start without a click, or with a macro that nobody replaced, keeps the
   click that is known. An older start gives its click to a lead that has none.
6. A join or a request that brings evidence of a click or a source (`attribution`)
   begins a lead without a start: nothing is reported as waiting, nobody is welcomed.
   The first start that follows is late, as the lead was past waiting already.
7. A request that arrives after the join it preceded is reported as `late`,
   so that every order of arrival gives the same set of reports; the outbox
   keeps a late report as superseded. So is the report of a late start or end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.domain.attribution import Touch
from app.domain.lead import (
    CampaignRules,
    CounterDelta,
    Counts,
    Decision,
    JournalLine,
    Lead,
    OrganicEvent,
    Report,
    State,
    Words,
)
from app.domain.lead_touch import note_of_start, touch_of, with_touch
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.domain.time_ranges import in_words
from plugins.contract import EventKind

AnyEvent = LeadEvent | OrganicEvent

#: Seconds by which membership may precede the start that it belongs to.
TOLERANCE: Final = 60


@dataclass(frozen=True, slots=True)
class _Transition:
    """The new state, what is reported, and under which condition."""

    to: State
    report: EventKind | None = None
    if_member: bool = False
    in_window: bool = False


_K, _S, _E = LeadEventKind, State, EventKind

#: A pair that is not here is journaled and nothing else.
_TRANSITIONS: Final[Mapping[tuple[State, LeadEventKind], _Transition]] = {
    (_S.WAIT, _K.START): _Transition(_S.WAIT, _E.WAIT),
    (_S.WAIT, _K.REQUEST): _Transition(_S.HOLD, _E.HOLD),
    (_S.WAIT, _K.JOIN): _Transition(_S.APPROVE, _E.APPROVE),
    (_S.WAIT, _K.KICK): _Transition(_S.TRASH, _E.TRASH),
    (_S.HOLD, _K.START): _Transition(_S.HOLD, _E.WAIT),
    (_S.HOLD, _K.REQUEST): _Transition(_S.HOLD),
    (_S.HOLD, _K.JOIN): _Transition(_S.APPROVE, _E.APPROVE),
    (_S.HOLD, _K.LEAVE): _Transition(_S.CANCEL, _E.CANCEL, if_member=True),
    (_S.HOLD, _K.KICK): _Transition(_S.TRASH, _E.TRASH),
    (_S.APPROVE, _K.START): _Transition(_S.APPROVE, _E.WAIT),
    (_S.APPROVE, _K.LEAVE): _Transition(_S.CANCEL, _E.CANCEL, in_window=True),
    (_S.APPROVE, _K.KICK): _Transition(_S.TRASH, _E.TRASH, in_window=True),
    (_S.CANCEL, _K.START): _Transition(_S.WAIT, _E.WAIT),
    (_S.CANCEL, _K.REQUEST): _Transition(_S.HOLD, _E.HOLD),
    (_S.CANCEL, _K.JOIN): _Transition(_S.APPROVE, _E.APPROVE),
    (_S.CANCEL, _K.KICK): _Transition(_S.TRASH),
    (_S.TRASH, _K.START): _Transition(_S.WAIT, _E.WAIT),
    (_S.TRASH, _K.REQUEST): _Transition(_S.HOLD, _E.HOLD),
    (_S.TRASH, _K.JOIN): _Transition(_S.APPROVE, _E.APPROVE),
}
_LATE_HOLD: Final = _Transition(_S.APPROVE, _E.HOLD)


def advance(
    lead: Lead | None,
    event: LeadEvent,
    rules: CampaignRules,
    organic: Sequence[OrganicEvent] = (),
    touch: Touch | None = None,
) -> Decision:
    """Decide what `event` means for `lead`.

    `organic` is what the journal knows of this person in this campaign
    without a lead, in any order; only an event that begins a lead looks at it.
    `touch` is the evidence that a join or a request brings, if it brings any.
    """
    if lead is not None:
        if event.kind is LeadEventKind.START:
            return _start(lead, event, rules)
        return _membership(with_touch(lead, touch), event, rules)
    begins = touch is not None and event.kind in {LeadEventKind.JOIN, LeadEventKind.REQUEST}
    if rules.paused or (event.kind.is_membership and not begins):
        why = Words.PAUSED if rules.paused else Words.ORGANIC
        deltas = _organic(event, 1)
        return Decision(None, (_line(event, why, organic=True),), deltas=deltas)
    if event.kind is LeadEventKind.START:
        return _replay(_begin(event), event, rules, organic)
    return _replay(_begin_by_touch(event, rules, touch), event, rules, organic)


def _begin(start: LeadEvent) -> Decision:
    at = start.date
    lead = Lead(State.WAIT, "", at, None, at, at, start.update_id, reports=1)
    lead = with_touch(lead, touch_of(start))
    note = note_of_start(start, "")
    return Decision(
        lead,
        (_line(start, Words.CREATED + note),),
        (Report.of(lead, EventKind.WAIT, start, 1),),
        welcome=True,
        deltas=(CounterDelta(at, Counts(starts=1)),),
    )


def _begin_by_touch(event: LeadEvent, rules: CampaignRules, touch: Touch | None) -> Decision:
    """Create a lead that joins, or asks to, without ever having waited."""
    lead = with_touch(Lead(State.WAIT, "", event.date, None, event.date, 0, 0), touch)
    decision = _membership(lead, event, rules)
    (line,) = decision.lines
    words = Words.CREATED_BY % {"how": lead.how.label, "rest": line.decision}
    return replace(decision, lines=(replace(line, decision=words),))


def _replay(
    begun: Decision, first: LeadEvent, rules: CampaignRules, organic: Sequence[OrganicEvent]
) -> Decision:
    """Apply to a lead that `first` began what its person did meanwhile."""
    for past in sorted(organic, key=_moment):
        if begun.lead and past.kind.is_membership and past.date >= first.date - TOLERANCE:
            then = _membership(begun.lead, past, rules)
            begun = replace(
                begun,
                lead=then.lead,
                lines=begun.lines + tuple(replace(line, replayed=True) for line in then.lines),
                reports=begun.reports + then.reports,
                deltas=begun.deltas + then.deltas + _organic(past, -1),
            )
    return begun


def _start(lead: Lead, start: LeadEvent, rules: CampaignRules) -> Decision:
    touch = touch_of(start)
    if _moment(start) <= (lead.last_start_at, lead.last_start_update_id):
        if touch.click and not lead.click:
            return Decision(with_touch(lead, touch), (_line(start, Words.ONLY_CLICK),))
        return Decision(lead, (_line(start, Words.OLD_START),))
    transition = _TRANSITIONS[lead.state, start.kind]
    passed = _moment(start) <= (lead.last_membership_at, lead.last_membership_update_id)
    if passed:
        transition = replace(transition, to=lead.state)
    is_first = not lead.last_start_at
    late = (passed and lead.state is not State.WAIT) or (is_first and not lead.state.is_over)
    clocked = replace(
        with_touch(lead, touch),
        start_time=min(lead.start_time, start.date),
        last_start_at=start.date,
        last_start_update_id=start.update_id,
    )
    decision = _move(clocked, transition, start, rules, late=late)
    (line,) = decision.lines
    line = replace(line, decision=line.decision + note_of_start(start, lead.click))
    deltas = (*([CounterDelta(start.date, Counts(starts=1))] * is_first), *decision.deltas)
    return replace(decision, lines=(line,), welcome=not rules.paused, deltas=deltas)


def _membership(lead: Lead, event: AnyEvent, rules: CampaignRules) -> Decision:
    moment = _moment(event)
    if event.date < lead.start_time - TOLERANCE:
        # Not even the clock moves: had it come first, there was no lead to move it.
        line = _line(event, Words.BEFORE_LEAD)
        return Decision(lead, (line,), deltas=_organic(event, 1))
    if moment <= (lead.last_membership_at, lead.last_membership_update_id):
        return _late_membership(lead, event, rules)
    clocked = replace(
        lead, last_membership_at=event.date, last_membership_update_id=event.update_id
    )
    transition = _TRANSITIONS.get((lead.state, event.kind))
    if transition is None or (transition.if_member and not event.was_member):
        why = Words.NO_MOVE % {"kind": event.kind, "state": _name(lead.state)}
        return Decision(clocked, (_line(event, why),))
    # Rule 3. The first start is no bound: its own membership may precede it.
    passed = (
        moment < (lead.last_start_at, lead.last_start_update_id)
        and lead.last_start_at > lead.start_time
    )
    revived = State.WAIT if passed and transition.to.is_over else None
    return _move(clocked, transition, event, rules, late=revived is not None, then=revived)


def _late_membership(lead: Lead, event: AnyEvent, rules: CampaignRules) -> Decision:
    request = event.kind is LeadEventKind.REQUEST
    recent = event.date >= lead.last_start_at - TOLERANCE  # not of an earlier cycle
    if not (request and recent and lead.state is State.APPROVE) or lead.held:
        return Decision(lead, (_line(event, Words.BEFORE_MOVE),))
    decision = _move(replace(lead, held=True), _LATE_HOLD, event, rules, late=True)
    return replace(decision, deltas=(CounterDelta(event.date, Counts(holds=1)),))


def _move(
    lead: Lead,
    transition: _Transition,
    event: AnyEvent,
    rules: CampaignRules,
    *,
    late: bool = False,
    then: State | None = None,
) -> Decision:
    """Go where `transition` says, report unless a rule of the campaign forbids, end in `then`."""
    moved = _moved(lead, transition.to, event.date)
    lead_after = moved if then is None else _moved(moved, then, event.date)
    deltas = CounterDelta.of_move(lead, transition.to, event.date)
    why_not = _why_unreported(lead, transition, event, rules)
    if transition.report is None or why_not:
        return Decision(lead_after, (_line(event, why_not),), deltas=deltas)
    number = lead.reports + 1
    report = Report.of(moved, transition.report, event, number, late=late)
    words = (Words.LATE if late else Words.REPORTED) % {"report": transition.report}
    lead_after = replace(lead_after, reports=number)
    return Decision(lead_after, (_line(event, words),), (report,), deltas=deltas)


def _moved(lead: Lead, to: State, date: int) -> Lead:
    """The lead in state `to`. One that waits or holds has not joined in this cycle."""
    join_time = lead.join_time
    if to is State.APPROVE and lead.state is not State.APPROVE:
        join_time = date
    elif not to.is_over and to is not State.APPROVE:
        join_time = None
    held = to is State.HOLD or (to is State.APPROVE and lead.held)
    return replace(lead, state=to, join_time=join_time, held=held, updated=max(lead.updated, date))


def _organic(event: AnyEvent, number: int) -> tuple[CounterDelta, ...]:
    """A join without a lead is counted, until it belongs to one after all."""
    is_join = event.kind is LeadEventKind.JOIN
    return (CounterDelta(event.date, Counts(organic=number)),) if is_join else ()


def _why_unreported(
    lead: Lead, transition: _Transition, event: AnyEvent, rules: CampaignRules
) -> str:
    """Why the event is not reported; empty if it is. The window includes its end."""
    if rules.paused:
        return Words.PAUSED
    if transition.report is None:
        return Words.NOTHING_NEW % {"before": _name(lead.state), "after": _name(transition.to)}
    if not transition.in_window or not rules.unsub_window or lead.join_time is None:
        return ""
    stayed = event.date - lead.join_time
    if stayed <= rules.unsub_window:
        return ""
    words = Words.LEFT if event.kind is LeadEventKind.LEAVE else Words.KICKED
    times = {"stayed": in_words(stayed), "window": in_words(rules.unsub_window)}
    return words % {"report": transition.report, **times}


def _name(state: State) -> str:
    return state.name.lower()


def _moment(event: AnyEvent) -> tuple[int, int]:
    return event.date, event.update_id


def _line(event: AnyEvent, decision: str, *, organic: bool = False) -> JournalLine:
    return JournalLine(event.kind, event.date, event.update_id, decision, organic=organic)
