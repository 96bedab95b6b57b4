"""What the lead machine takes and gives: frozen values, no verbs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.telegram.updates import LeadEventKind
    from plugins.contract import EventKind


class State(enum.IntEnum):
    """As the public API numbers them."""

    WAIT = 0
    HOLD = 1
    APPROVE = 2
    CANCEL = 3
    TRASH = 4

    @property
    def is_over(self) -> bool:
        """Whether the person is gone; a start or a join begins anew."""
        return self >= State.CANCEL


@dataclass(frozen=True, slots=True)
class OrganicEvent:
    """An organic event as the journal remembers it.

    Telegram tells of a leave or kick only from inside, hence `was_member`.
    """

    kind: LeadEventKind
    date: int
    update_id: int
    was_member: bool = True
    click: str = ""


@dataclass(frozen=True, slots=True)
class Lead:
    """What decides about a lead; its identity lives in the row.

    `start_time` is the first start, `join_time` the join of this cycle.
    `held` says that hold was reached in this cycle. `reports` counts, and
    numbers, everything ever reported. Times are Telegram's, in Unix seconds.
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


@dataclass(frozen=True, slots=True)
class CampaignRules:
    """What the campaign says. `unsub_window` in seconds, 0 never closes."""

    paused: bool = False
    unsub_window: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """One event that trackers should hear.

    `sequence` is its number among the reports of the lead, from 1. A `late`
    one is older than what was reported before it.
    """

    kind: EventKind
    time: int
    click: str
    joined: int | None
    sequence: int
    late: bool = False


@dataclass(frozen=True, slots=True)
class JournalLine:
    """A line of the journal: what happened, and in words what we decided.

    `organic`: the event touched no lead. `replayed`: the journal has the
    line already, as organic; it now belongs to the lead.
    """

    kind: LeadEventKind
    date: int
    update_id: int
    decision: str
    organic: bool = False
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """How the campaign's counters move, whether reported or not."""

    starts: int = 0  #: leads created
    holds: int = 0
    confirms: int = 0
    unsubs: int = 0  #: members who left or were kicked

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.starts + other.starts,
            self.holds + other.holds,
            self.confirms + other.confirms,
            self.unsubs + other.unsubs,
        )


@dataclass(frozen=True, slots=True)
class CounterDelta:
    """What one move counts, and when it happened.

    `joined` is when the stay began that this move ended, None if it ended none.
    """

    date: int
    counts: Counts
    joined: int | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Everything that follows from one event."""

    lead: Lead | None
    lines: tuple[JournalLine, ...] = ()
    reports: tuple[Report, ...] = ()
    welcome: bool = False
    deltas: tuple[CounterDelta, ...] = ()

    @property
    def counts(self) -> Counts:
        """All deltas together, whenever they happened."""
        return sum((delta.counts for delta in self.deltas), Counts())
