"""A batch of leads: those that the lead events of one batch of updates concern.

`LeadBatch.load` reads them in a few statements, `apply` moves one in memory by the lead machine,
`prepare` inserts new leads and reads what effects need, and `save` writes the rest with one
statement for each table, none of which returns rows. The caller commits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, select, true, update

from app.database.rows import fetch_rows, insert_rows, rows_table, update_rows, write_rows
from app.domain.attribution import How
from app.domain.lead import (
    CampaignRules,
    JournalLine,
    Lead,
    OrganicEvent,
    Report,
    State,
)
from app.domain.lead_machine import TOLERANCE, advance
from app.domain.telegram.evidence import NO_EVIDENCE, Evidence
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.models import Action, CampaignStatus, Click, JournalEntry, table_of
from app.models import Lead as LeadRow
from app.models.base import Big
from app.models.journal import ENTRY_COLUMNS
from app.services.clicks.invites.arrivals import ByInvite
from app.services.join_requests.intake import Intake
from app.services.leads import counters
from app.services.leads.effects import StagedCounts, prepare_effects, stage_effects
from app.services.postbacks import ClaimedPostback, Lease, NewPostback, stage_leased

_LEADS: Final = table_of(LeadRow)
_JOURNAL: Final = table_of(JournalEntry)
_CLICKS: Final = table_of(Click)

_IDENTITY_COLUMNS: Final = "account_id campaign_id bot_id subscriber".split()
#: The fields of `domain.lead.Lead`.
_STATE_COLUMNS: Final = (
    "click state start_time join_time updated last_start_at"
    " last_start_update_id last_membership_at last_membership_update_id held reports"
    " source_id click_id how touched also_seen"
).split()
#: The fields of `Person`, but its id.
_PERSON_COLUMNS: Final = "username first_name last_name language premium".split()
_JOURNAL_COLUMNS: Final = (*ENTRY_COLUMNS, "arrival", "link_key", "link_name")
_ATTACHED_COLUMNS: Final = "campaign subscriber update_id action lead decision".split()

_ACTIONS: Final = {kind: Action[kind.name] for kind in LeadEventKind}
_KINDS: Final = {action: kind for kind, action in _ACTIONS.items()}

ContextKey = tuple[int, int]  # campaign id, subscriber


@dataclass(slots=True)
class LeadContext:
    """One person in one campaign, with or without a lead.

    `organic` is what the journal knows of the person without a lead, `clicks` are the stored
    clicks that have become this lead, and `changed` means that it is still to be written.
    """

    campaign: Row[Any]
    person: Person
    id: int | None = None
    lead: Lead | None = None
    organic: list[OrganicEvent] = field(default_factory=list)
    clicks: set[int | None] = field(default_factory=set)
    changed: bool = False

    @property
    def key(self) -> ContextKey:
        """What leads are unique by."""
        return self.campaign.id, self.person.id


class LeadBatch:
    """The leads of one transaction, and what is decided of them."""

    def __init__(self, connection: Connection, now: float) -> None:
        """`now` in Unix seconds is the time of everything that the batch decides."""
        self._connection = connection
        self._now = now
        self._contexts: dict[ContextKey, LeadContext] = {}
        self._lines: list[tuple[LeadContext, JournalLine, Evidence]] = []
        self._reports: list[tuple[LeadContext, Report]] = []
        self._welcomes: list[LeadContext] = []
        self._counts = counters.BatchCounts()
        self._postbacks: list[NewPostback] = []
        self._requests = Intake(connection, now)

    def load(self, events: Sequence[tuple[Row[Any], LeadEvent, ByInvite | None]]) -> None:
        """Read the leads of `events`, and the journal for those that may begin a lead."""
        if not events:
            return
        for campaign, event, _ in events:
            context = LeadContext(campaign, event.person)
            self._contexts.setdefault(context.key, context)
        self._load_leads()
        beginnings = [
            (campaign.id, event.person.id, event.date - TOLERANCE)
            for campaign, event, by_invite in events
            if (event.kind is LeadEventKind.START or by_invite)
            and self._contexts[campaign.id, event.person.id].lead is None
        ]
        if beginnings:
            self._load_organic_events(beginnings)

    def apply(self, campaign: Row[Any], event: LeadEvent, link: ByInvite | None = None) -> None:
        """Move the lead of a loaded event. Nothing is written yet."""
        context = self._contexts[campaign.id, event.person.id]
        paused = campaign.status == CampaignStatus.PAUSED
        rules = CampaignRules(paused, campaign.unsub_window)
        touch = link.touch if link and link.campaign_id == campaign.id else None
        decision = advance(context.lead, event, rules, context.organic, touch)
        context.person = event.person
        context.changed = context.changed or decision.lead is not None
        context.lead = decision.lead
        for line in decision.lines:
            if line.organic and line.kind.is_membership:
                context.organic.append(OrganicEvent(line.kind, line.date, line.update_id))
            # The entry of a replayed event was written with its own evidence.
            evidence = NO_EVIDENCE if line.replayed else event.evidence
            self._lines.append((context, line, evidence))
        self._reports += [(context, report) for report in decision.reports]
        if decision.welcome:
            self._welcomes.append(context)
        self._counts.deltas += [(campaign.id, delta) for delta in decision.deltas]
        if decision.lead is not None:
            context.clicks |= {event.click_id, touch.click_id if touch else None} - {None}
        if event.kind is LeadEventKind.JOIN:
            self._counts.joins.append(counters.join(campaign, event, decision.lead, link))
        self._requests.note(context, event)

    def prepare(self, lease: Lease | None = None) -> list[ClaimedPostback]:
        """Insert new leads, note their events for the owners, and find the destinations.

        Returns the postbacks that the holder of `lease` is to send at once; they are inserted.
        """
        self._insert_leads()
        self._requests.prepare()
        self._postbacks = prepare_effects(self._connection, self._reports, self._now)
        if lease is None:
            return []
        claimed, self._postbacks = stage_leased(self._connection, self._postbacks, self._now, lease)
        return claimed

    def save(self, *, has_leased: bool = False) -> StagedCounts:
        """Write the rest, `has_leased` if `prepare` had a lease. Returns how much is to be sent."""
        self._update_leads()
        self._save_journal()
        contexts = self._contexts.values()
        clicks = {click: context.id for context in contexts for click in context.clicks}
        update_rows(self._connection, _CLICKS, ["lead_id"], sorted(clicks.items()))
        self._counts.save(self._connection)
        greetings = self._requests.save()
        staged = stage_effects(
            self._connection, self._postbacks, self._welcomes, self._now, is_rest=has_leased
        )
        return replace(staged, messages=staged.messages + greetings)

    def _load_leads(self) -> None:
        for row in fetch_rows(self._connection, _leads_in, "cs", self._contexts):
            context = self._contexts[row.campaign_id, row.subscriber]
            context.id = row.id
            fields = {name: getattr(row, name) for name in _STATE_COLUMNS}
            context.lead = Lead(**fields | {"state": State(row.state), "how": How(row.how)})

    def _load_organic_events(self, beginnings: Sequence[tuple[int, int, int]]) -> None:
        for row in fetch_rows(self._connection, _organic_of, "cst", beginnings):
            if kind := _KINDS.get(Action(row.action)):
                context = self._contexts[row.campaign_id, row.subscriber]
                context.organic.append(OrganicEvent(kind, row.time, row.update_id))

    def _insert_leads(self) -> None:
        changed = [context for context in self._contexts.values() if context.changed]
        new = {context.key: context for context in changed if context.id is None}
        rows = insert_rows(
            self._connection,
            _LEADS,
            [*_IDENTITY_COLUMNS, *_STATE_COLUMNS, *_PERSON_COLUMNS],
            [(*_identity_values(context), *_lead_values(context)) for context in new.values()],
            returning=["id", "campaign_id", "subscriber"],
        )
        for row in rows:
            context = new[row.campaign_id, row.subscriber]
            context.id, context.changed = row.id, False

    def _update_leads(self) -> None:
        changed = [context for context in self._contexts.values() if context.changed]
        rows = [(context.id, *_lead_values(context)) for context in changed]
        update_rows(self._connection, _LEADS, [*_STATE_COLUMNS, *_PERSON_COLUMNS], rows)

    def _save_journal(self) -> None:
        """Insert new lines; a line that an earlier batch wrote as organic gets its lead."""
        new, replayed = {}, []
        for context, line, evidence in self._lines:
            key = (*context.key, line.kind, line.update_id)
            if not line.replayed:
                new[key] = context, line, evidence
            elif key in new:
                new[key] = context, line, new[key][2]
            else:
                replayed.append((context, line))
        rows = [_journal_values(*entry) for entry in new.values()]
        insert_rows(self._connection, _JOURNAL, _JOURNAL_COLUMNS, rows)
        self._attach_organic_entries(replayed)

    def _attach_organic_entries(self, lines: Sequence[tuple[LeadContext, JournalLine]]) -> None:
        if not lines:
            return
        rows = [
            (*context.key, line.update_id, int(_ACTIONS[line.kind]), context.id, line.decision)
            for context, line in lines
        ]
        write_rows(self._connection, _attaching, _ATTACHED_COLUMNS, rows)


@cache
def _leads_in(postgresql: bool) -> Any:
    """Select the leads of rows (campaign c, subscriber s)."""
    data = rows_table(postgresql, {"c": Big, "s": Big})
    names = ["id", "campaign_id", "subscriber", *_STATE_COLUMNS]
    if postgresql:  # one by one through the unique index, however small the table seems
        lead = (
            select(*(_LEADS.c[name] for name in names))
            .where(_LEADS.c.campaign_id == data.c.c, _LEADS.c.subscriber == data.c.s)
            .offset(0)
            .lateral("lead_of_row")
        )
        return select(*lead.c).select_from(data.join(lead, true()))
    return select(*(_LEADS.c[name] for name in names)).join(
        data, (_LEADS.c.campaign_id == data.c.c) & (_LEADS.c.subscriber == data.c.s)
    )


@cache
def _organic_of(postgresql: bool) -> Any:
    """Select the entries without a lead of rows (campaign c, subscriber s), since time t."""
    data = rows_table(postgresql, {"c": Big, "s": Big, "t": Big})
    entry = _JOURNAL.c
    return (
        select(entry.campaign_id, entry.subscriber, entry.action, entry.time, entry.update_id)
        .join(data, (entry.campaign_id == data.c.c) & (entry.subscriber == data.c.s))
        .where(entry.lead_id.is_(None), entry.time >= data.c.t)
        .distinct()
    )


@cache
def _attaching(postgresql: bool) -> Any:
    """Give entries without a lead to the lead that they turned out to concern."""
    line = _JOURNAL.c
    data = rows_table(
        postgresql, dict.fromkeys(_ATTACHED_COLUMNS, Big) | {"decision": line.decision.type}
    )
    return (
        update(_JOURNAL)
        .where(
            line.campaign_id == data.c.campaign,
            line.subscriber == data.c.subscriber,
            line.update_id == data.c.update_id,
            line.action == data.c.action,
            line.lead_id.is_(None),
        )
        .values(lead_id=data.c.lead, decision=data.c.decision)
    )


def _identity_values(context: LeadContext) -> tuple[int, ...]:
    campaign = context.campaign
    return campaign.account_id, campaign.id, campaign.bot_id, context.person.id


def _lead_values(context: LeadContext) -> tuple[Any, ...]:
    lead, person = context.lead, context.person
    state = (getattr(lead, name) for name in _STATE_COLUMNS)
    return (*state, *(getattr(person, name) for name in _PERSON_COLUMNS))


def _journal_values(context: LeadContext, line: JournalLine, evidence: Evidence) -> tuple[Any, ...]:
    campaign = context.campaign
    lead_id = None if line.organic else context.id
    return (
        campaign.account_id, campaign.bot_id, campaign.chat_id, campaign.id, lead_id,
        context.person.id, context.person.username, int(_ACTIONS[line.kind]),
        line.date, line.update_id, line.decision[:200],
        int(evidence.arrival(campaign.bot_tg_id)), evidence.link_key, evidence.link_name,
    )  # fmt: skip
