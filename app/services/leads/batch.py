"""The book of one batch: the leads its updates concern, moved in memory.

`load` reads what the batch needs in a few statements, `apply` walks the lead
machine, and `save` puts down leads, journal, counters, postbacks and
messages with one statement each. The caller commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, select, update

from app.database import insert_rows, rows_table, update_rows, with_rows
from app.domain import tariffs
from app.domain.lead import (
    CampaignRules,
    CounterDelta,
    JournalLine,
    Lead,
    OrganicEvent,
    Report,
    State,
)
from app.domain.lead_machine import TOLERANCE, advance
from app.domain.telegram.updates import LeadEvent, LeadEventKind, Person
from app.models import (
    Account,
    Action,
    Bot,
    BotStatus,
    Campaign,
    CampaignStatus,
    JournalEntry,
    table_of,
)
from app.models import Lead as LeadRow
from app.models.base import Big
from app.services.leads import counters
from app.services.leads.effects import StagedCounts, stage_effects

_LEADS: Final = table_of(LeadRow)
_JOURNAL: Final = table_of(JournalEntry)
_CAMPAIGNS: Final = table_of(Campaign)
_BOTS: Final = table_of(Bot)
_ACCOUNTS: Final = table_of(Account)

_MACHINE: Final = (
    "click state start_time join_time updated started_at started_uid member_at member_uid"
    " held reports"
).split()
_PERSON: Final = "username first_name last_name language premium".split()
_IDENTITY: Final = "account_id campaign_id bot_id subscriber".split()
_JOURNALED: Final = (
    "account_id bot_id chat_id campaign_id lead_id subscriber username action time update_uid"
    " decision"
).split()

_ATTACHED: Final = "campaign subscriber uid action lead decision".split()

_ACTIONS: Final = {
    LeadEventKind.JOIN: Action.JOIN,
    LeadEventKind.LEAVE: Action.LEAVE,
    LeadEventKind.KICK: Action.KICK,
    LeadEventKind.REQUEST: Action.REQUEST,
    LeadEventKind.START: Action.START,
}
_KINDS: Final = {action: kind for kind, action in _ACTIONS.items()}

_CAMPAIGNS_OF: Final = (
    select(_CAMPAIGNS, _ACCOUNTS.c.tariff, _ACCOUNTS.c.paid_until)
    .join(_ACCOUNTS, _ACCOUNTS.c.id == _CAMPAIGNS.c.account_id)
    .join(_BOTS, _BOTS.c.id == _CAMPAIGNS.c.bot_id)
    .where(
        _CAMPAIGNS.c.bot_id.in_(bindparam("bots", expanding=True)),
        _CAMPAIGNS.c.status != CampaignStatus.DELETED,
        _BOTS.c.status != BotStatus.DELETED,
    )
)

Place = tuple[int, int]  # campaign id, subscriber


@dataclass(slots=True)
class LeadContext:
    """One person in one campaign, with or without a lead."""

    campaign: Row[Any]
    person: Person
    id: int | None = None
    lead: Lead | None = None
    organic: list[OrganicEvent] = field(default_factory=list)
    touched: bool = False


class LeadBatch:
    """See the module."""

    def __init__(self, connection: Connection, bots: Iterable[int], now: float) -> None:
        self._connection = connection
        self._now = now
        self._by_code: dict[tuple[int, str], Row[Any]] = {}
        self._by_chat: dict[tuple[int, int], Row[Any]] = {}
        self._contexts: dict[Place, LeadContext] = {}
        self._entries: list[tuple[LeadContext, JournalLine]] = []
        self._reports: list[tuple[LeadContext, Report]] = []
        self._welcomes: list[LeadContext] = []
        self._deltas: list[tuple[int, CounterDelta]] = []
        for row in connection.execute(_CAMPAIGNS_OF, {"bots": list(bots)}):
            self._by_code[row.bot_id, row.code] = row
            self._by_chat[row.bot_id, row.chat_id] = row

    def campaign_of(self, bot_id: int, event: LeadEvent) -> Row[Any] | None:
        """The living campaign a lead event belongs to, within this bot only."""
        if event.chat is None:
            return self._by_code.get((bot_id, event.code))
        return self._by_chat.get((bot_id, event.chat))

    def load(self, concerned: Sequence[tuple[Row[Any], LeadEvent]]) -> None:
        """Read the leads, and for first starts what the journal knows."""
        for campaign, event in concerned:
            place = (campaign.id, event.person.id)
            self._contexts.setdefault(place, LeadContext(campaign, event.person))
        self._read_leads()
        starts = [
            (campaign.id, event.person.id, event.date - TOLERANCE)
            for campaign, event in concerned
            if event.kind is LeadEventKind.START
            and self._contexts[campaign.id, event.person.id].lead is None
        ]
        if starts:
            self._read_organic(starts)

    def apply(self, campaign: Row[Any], event: LeadEvent) -> str:
        """Move one lead. Returns what was decided, for the inbox."""
        context = self._contexts[campaign.id, event.person.id]
        paused = campaign.status == CampaignStatus.PAUSED or tariffs.is_over(
            campaign.tariff, campaign.paid_until, self._now
        )
        rules = CampaignRules(paused, campaign.unsub_window)
        decision = advance(context.lead, event, rules, context.organic)
        context.person = event.person
        context.touched = context.touched or decision.lead is not None
        context.lead = decision.lead
        for entry in decision.lines:
            if entry.organic and entry.kind.is_membership:
                context.organic.append(OrganicEvent(entry.kind, entry.date, entry.update_id))
            self._entries.append((context, entry))
        self._reports += [(context, report) for report in decision.reports]
        if decision.welcome:
            self._welcomes.append(context)
        self._deltas += [(campaign.id, delta) for delta in decision.deltas]
        return decision.lines[0].decision

    def save(self, now: float) -> StagedCounts:
        """Put everything down. Returns which queues have new work."""
        self._write_leads()
        self._write_journal()
        counters.count(self._connection, self._deltas)
        return stage_effects(self._connection, self._reports, self._welcomes, now)

    # -- reading ------------------------------------------------------------

    def _read_leads(self) -> None:
        for row in with_rows(self._connection, _leads_in, "cs", self._contexts):
            context = self._contexts[row.campaign_id, row.subscriber]
            context.id = row.id
            machine = {name: getattr(row, name) for name in _MACHINE}
            context.lead = Lead(**(machine | {"state": State(row.state)}))

    def _read_organic(self, starts: Sequence[tuple[int, int, int]]) -> None:
        for row in with_rows(self._connection, _organic_of, "cst", starts):
            if kind := _KINDS.get(Action(row.action)):
                context = self._contexts[row.campaign_id, row.subscriber]
                context.organic.append(OrganicEvent(kind, row.time, row.update_uid))

    # -- writing ------------------------------------------------------------

    def _write_leads(self) -> None:
        touched = [context for context in self._contexts.values() if context.touched]
        old = [(context.id, *_columns(context)) for context in touched if context.id is not None]
        update_rows(self._connection, _LEADS, [*_MACHINE, *_PERSON], old)
        new = {_place(context): context for context in touched if context.id is None}
        rows = insert_rows(
            self._connection,
            _LEADS,
            [*_IDENTITY, *_MACHINE, *_PERSON],
            [(*_whose(context), *_columns(context)) for context in new.values()],
            returning=["id", "campaign_id", "subscriber"],
        )
        for row in rows:
            new[row.campaign_id, row.subscriber].id = row.id

    def _write_journal(self) -> None:
        fresh = {}
        replayed = []
        for context, entry in self._entries:
            known = (*_place(context), entry.kind, entry.update_id)
            if entry.replayed and known not in fresh:
                replayed.append((context, entry))
            else:
                fresh[known] = (context, entry)
        rows = [_line(context, entry) for context, entry in fresh.values()]
        insert_rows(self._connection, _JOURNAL, _JOURNALED, rows)
        self._attach_organic_lines(replayed)

    def _attach_organic_lines(self, replayed: Sequence[tuple[LeadContext, JournalLine]]) -> None:
        """Organic lines of earlier batches now belong to a lead."""
        if not replayed:
            return
        rows = [
            (
                *_place(context),
                entry.update_id,
                int(_ACTIONS[entry.kind]),
                context.id,
                entry.decision,
            )
            for context, entry in replayed
        ]
        with_rows(self._connection, _attaching, _ATTACHED, rows)


@cache
def _leads_in(postgresql: bool) -> Any:
    """The leads of (campaign c, subscriber s)."""
    given = rows_table(postgresql, {"c": Big, "s": Big})
    names = ["id", "campaign_id", "subscriber", *_MACHINE]
    return select(*(_LEADS.c[name] for name in names)).join(
        given, (_LEADS.c.campaign_id == given.c.c) & (_LEADS.c.subscriber == given.c.s)
    )


@cache
def _organic_of(postgresql: bool) -> Any:
    """What the journal knows of s in c since t, and no lead has."""
    given = rows_table(postgresql, {"c": Big, "s": Big, "t": Big})
    entry = _JOURNAL.c
    return (
        select(entry.campaign_id, entry.subscriber, entry.action, entry.time, entry.update_uid)
        .join(given, (entry.campaign_id == given.c.c) & (entry.subscriber == given.c.s))
        .where(entry.lead_id.is_(None), entry.time >= given.c.t)
        .distinct()
    )


@cache
def _attaching(postgresql: bool) -> Any:
    """Give journal lines to the lead that they turned out to concern."""
    line = _JOURNAL.c
    given = rows_table(postgresql, dict.fromkeys(_ATTACHED, Big) | {"decision": line.decision.type})
    return (
        update(_JOURNAL)
        .where(
            line.campaign_id == given.c.campaign,
            line.subscriber == given.c.subscriber,
            line.update_uid == given.c.uid,
            line.action == given.c.action,
            line.lead_id.is_(None),
        )
        .values(lead_id=given.c.lead, decision=given.c.decision)
    )


def _place(context: LeadContext) -> Place:
    return context.campaign.id, context.person.id


def _whose(context: LeadContext) -> tuple[int, ...]:
    campaign = context.campaign
    return campaign.account_id, campaign.id, campaign.bot_id, context.person.id


def _columns(context: LeadContext) -> tuple[Any, ...]:
    lead, person = context.lead, context.person
    machine = (getattr(lead, name) for name in _MACHINE)
    return (*machine, *(getattr(person, name) for name in _PERSON))


def _line(context: LeadContext, entry: JournalLine) -> tuple[Any, ...]:
    campaign = context.campaign
    lead_id = None if entry.organic else context.id
    return (
        campaign.account_id, campaign.bot_id, campaign.chat_id, campaign.id, lead_id,
        context.person.id, context.person.username, int(_ACTIONS[entry.kind]),
        entry.date, entry.update_id, entry.decision[:200],
    )  # fmt: skip
