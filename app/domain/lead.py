"""The values that the lead machine takes and returns. All are frozen."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from app.domain.attribution import NO_ORIGIN, How, Origin
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from plugins.contract import EventKind, translatable


class State(enum.IntEnum):
    """Where a lead stands, numbered as in the public API."""

    WAIT = 0
    HOLD = 1
    APPROVE = 2
    CANCEL = 3
    TRASH = 4

    @property
    def is_over(self) -> bool:
        """Whether the person has left; a start or a join begins a new cycle."""
        return self >= State.CANCEL


@dataclass(frozen=True, slots=True)
class OrganicEvent:
    """A lead event that touched no lead, as the journal recorded it.

    `was_member` is true because Telegram reports a leave or kick only of members.
    """

    kind: LeadEventKind
    date: int
    update_id: int
    was_member: bool = True


@dataclass(frozen=True, slots=True)
class Lead:
    """What the machine knows of a lead. Its id, campaign and person are in the row.

    `start_time` is the first start, `join_time` the join of this cycle, and
    `updated` the newest event that changed the state. `last_start_*` and
    `last_membership_*` are the two clocks. `held` says that hold was reached in
    this cycle. `reports` is how many events were ever reported. `click_id` is the
    stored click that `click` came from, of the source `source_id`; `how` and `touched`
    are the method and the time of the touch that brought it. `also_seen` is the click
    of a start that a link has overruled. Times are Telegram's, in Unix seconds; a lead
    that no start began has 0 for its last start.
    """

    state: State
    click: str
    start_time: int
    join_time: int | None
    updated: int
    last_start_at: int
    last_start_update_id: int
    last_membership_at: int = 0
    last_membership_update_id: int = 0
    held: bool = False
    reports: int = 0
    source_id: int | None = None
    click_id: int | None = None
    how: How = How.ORGANIC
    touched: int = 0
    also_seen: str = ""

    @property
    def origin(self) -> Origin:
        """Where the person came from."""
        return Origin(self.how, self.source_id, self.click_id)


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """A campaign's settings. `unsub_window` is in seconds after the join; 0 is no limit."""

    paused: bool = False
    unsub_window: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One event to report to trackers.

    `joined` is the time of the join, None before it. `sequence` numbers the
    reports of a lead from 1. `late` says that a newer event was reported before.
    `update_id` is of the update that tells of it.
    """

    kind: EventKind
    time: int
    click: str
    joined: int | None
    sequence: int
    late: bool = False
    origin: Origin = NO_ORIGIN
    update_id: int = 0

    @classmethod
    def of(
        cls,
        lead: Lead,
        kind: EventKind,
        event: LeadEvent | OrganicEvent,
        sequence: int,
        *,
        late: bool = False,
    ) -> Report:
        """The report of `event`, which has left the lead as it is."""
        return cls(
            kind, event.date, lead.click, lead.join_time, sequence, late, lead.origin,
            event.update_id,
        )  # fmt: skip


class Words:
    """What the journal says of a decision: stored in English, and translated when it is shown."""

    CREATED: Final = translatable("lead created, wait reported")
    CREATED_BY: Final = translatable("lead created by %(how)s, %(rest)s")
    ONLY_CLICK: Final = translatable("not the newest start: only its click is taken")
    OLD_START: Final = translatable("not the newest start: nothing changed")
    PAUSED: Final = translatable("campaign paused")
    ORGANIC: Final = translatable("no lead: organic")
    BEFORE_LEAD: Final = translatable("older than the lead: nothing changed")
    BEFORE_MOVE: Final = translatable("older than the last move: nothing changed")
    NO_MOVE: Final = translatable("%(kind)s while %(state)s: nothing changed")
    NOTHING_NEW: Final = translatable("%(before)s → %(after)s: nothing new to report")
    REPORTED: Final = translatable("%(report)s reported")
    LATE: Final = translatable("%(report)s reported, late")
    LEFT: Final = translatable("%(report)s not sent: left %(stayed)s after join, window %(window)s")
    KICKED: Final = translatable(
        "%(report)s not sent: kicked %(stayed)s after join, window %(window)s"
    )
    #: Notes stand behind a sentence and a semicolon.
    NO_CLICK_OF_TOKEN: Final = translatable("its token names no click that is kept")
    UNREPLACED: Final = translatable("its click is a macro that nobody replaced")
    NO_CLICK: Final = translatable("started again without a click")
    EARLIER_STAYS: Final = translatable("%(note)s: the earlier one stays")


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line for the journal: what happened, and in words what was decided.

    `organic`: the event touched no lead. `replayed`: the journal has this
    event as organic already, and the entry now belongs to the lead.
    """

    kind: LeadEventKind
    date: int
    update_id: int
    decision: str
    organic: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How much to add to the campaign's counters; also for events that are not reported."""

    starts: int = 0  #: leads created
    holds: int = 0
    confirms: int = 0
    unsubs: int = 0  #: members who left or were kicked
    kicks: int | None = 0  #: how many of the unsubs were kicked; None where that is not known
    organic: int | None = 0  #: joins of people without a lead; None where that is not known

    @property
    def leaves(self) -> int | None:
        """How many of the unsubs went by themselves; None where that is not known."""
        return None if self.kicks is None else self.unsubs - self.kicks

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.starts + other.starts,
            self.holds + other.holds,
            self.confirms + other.confirms,
            self.unsubs + other.unsubs,
            _known_sum(self.kicks, other.kicks),
            _known_sum(self.organic, other.organic),
        )


def _known_sum(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


@dataclass(frozen=True, slots=True)
class CounterDelta:
    """What one change of state adds to the counters, and when it happened.

    `joined` is the join of the stay that this change ended, None if it ended none.
    """

    date: int
    counts: Counts
    joined: int | None = None

    @classmethod
    def of_move(cls, lead: Lead, new: State, date: int) -> tuple[CounterDelta, ...]:
        """What it adds that `lead` goes into the state `new`."""
        old = lead.state
        ends = old is State.APPROVE and new.is_over
        counts = Counts(
            holds=int(new is State.HOLD is not old),
            confirms=int(new is State.APPROVE is not old),
            unsubs=int(ends),
            kicks=int(ends and new is State.TRASH),
        )
        return () if counts == Counts() else (cls(date, counts, lead.join_time if ends else None),)


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that follows from one lead event."""

    lead: Lead | None
    lines: tuple[JournalLine, ...] = ()
    reports: tuple[Report, ...] = ()
    welcome: bool = False
    deltas: tuple[CounterDelta, ...] = ()

    @property
    def counts(self) -> Counts:
        """The sum of all deltas, whenever they happened."""
        return sum((delta.counts for delta in self.deltas), Counts())
