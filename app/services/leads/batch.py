"""The book of one batch: the leads its updates concern, moved in memory.

`open` reads what the batch needs in a few statements, `apply` walks the lead
machine, and `write` puts down leads, journal, counters, postbacks and
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
from app.domain.lead import Entry, Lead, Past, Report, Rules, State, Tally
from app.domain.lead_machine import TOLERANCE, advance
from app.domain.telegram.updates import Happening, HappeningKind, Person
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
from app.services.leads.effects import Reported, announce

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

_ADOPTED: Final = "campaign subscriber uid action lead decision".split()

_ACTIONS: Final = {
    HappeningKind.JOIN: Action.JOIN,
    HappeningKind.LEAVE: Action.LEAVE,
    HappeningKind.KICK: Action.KICK,
    HappeningKind.REQUEST: Action.REQUEST,
    HappeningKind.START: Action.START,
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
class Slot:
    """One person in one campaign, with or without a lead."""

    campaign: Row[Any]
    person: Person
    id: int | None = None
    lead: Lead | None = None
    organic: list[Past] = field(default_factory=list)
    touched: bool = False


class Book:
    """See the module."""

    def __init__(self, connection: Connection, bots: Iterable[int], now: float) -> None:
        self._connection = connection
        self._now = now
        self._by_code: dict[tuple[int, str], Row[Any]] = {}
        self._by_chat: dict[tuple[int, int], Row[Any]] = {}
        self._slots: dict[Place, Slot] = {}
        self._entries: list[tuple[Slot, Entry]] = []
        self._reports: list[tuple[Slot, Report]] = []
        self._welcomes: list[Slot] = []
        self._tallies: list[tuple[int, Tally]] = []
        for row in connection.execute(_CAMPAIGNS_OF, {"bots": list(bots)}):
            self._by_code[row.bot_id, row.code] = row
            self._by_chat[row.bot_id, row.chat_id] = row

    def campaign_of(self, bot_id: int, happening: Happening) -> Row[Any] | None:
        """The living campaign a happening belongs to, within this bot only."""
        if happening.chat is None:
            return self._by_code.get((bot_id, happening.code))
        return self._by_chat.get((bot_id, happening.chat))

    def open(self, concerned: Sequence[tuple[Row[Any], Happening]]) -> None:
        """Read the leads, and for first starts what the journal knows."""
        for campaign, happening in concerned:
            place = (campaign.id, happening.person.id)
            self._slots.setdefault(place, Slot(campaign, happening.person))
        self._read_leads()
        starts = [
            (campaign.id, happening.person.id, happening.date - TOLERANCE)
            for campaign, happening in concerned
            if happening.kind is HappeningKind.START
            and self._slots[campaign.id, happening.person.id].lead is None
        ]
        if starts:
            self._read_organic(starts)

    def apply(self, campaign: Row[Any], happening: Happening) -> str:
        """Move one lead. Returns what was decided, for the inbox."""
        slot = self._slots[campaign.id, happening.person.id]
        paused = campaign.status == CampaignStatus.PAUSED or tariffs.is_over(
            campaign.tariff, campaign.paid_until, self._now
        )
        rules = Rules(paused, campaign.unsub_window)
        step = advance(slot.lead, happening, rules, slot.organic)
        slot.person = happening.person
        slot.touched = slot.touched or step.lead is not None
        slot.lead = step.lead
        for entry in step.entries:
            if entry.organic and entry.kind.is_membership:
                slot.organic.append(Past(entry.kind, entry.date, entry.update_id))
            self._entries.append((slot, entry))
        self._reports += [(slot, report) for report in step.reports]
        if step.welcome:
            self._welcomes.append(slot)
        self._tallies += [(campaign.id, tally) for tally in step.tallies]
        return step.entries[0].decision

    def write(self, now: float) -> Reported:
        """Put everything down. Returns which queues have new work."""
        self._write_leads()
        self._write_journal()
        counters.count(self._connection, self._tallies)
        return announce(self._connection, self._reports, self._welcomes, now)

    # -- reading ------------------------------------------------------------

    def _read_leads(self) -> None:
        for row in with_rows(self._connection, _leads_in, "cs", self._slots):
            slot = self._slots[row.campaign_id, row.subscriber]
            slot.id = row.id
            machine = {name: getattr(row, name) for name in _MACHINE}
            slot.lead = Lead(**(machine | {"state": State(row.state)}))

    def _read_organic(self, starts: Sequence[tuple[int, int, int]]) -> None:
        for row in with_rows(self._connection, _organic_of, "cst", starts):
            if kind := _KINDS.get(Action(row.action)):
                slot = self._slots[row.campaign_id, row.subscriber]
                slot.organic.append(Past(kind, row.time, row.update_uid))

    # -- writing ------------------------------------------------------------

    def _write_leads(self) -> None:
        touched = [slot for slot in self._slots.values() if slot.touched]
        old = [(slot.id, *_columns(slot)) for slot in touched if slot.id is not None]
        update_rows(self._connection, _LEADS, [*_MACHINE, *_PERSON], old)
        new = {_place(slot): slot for slot in touched if slot.id is None}
        rows = insert_rows(
            self._connection,
            _LEADS,
            [*_IDENTITY, *_MACHINE, *_PERSON],
            [(*_whose(slot), *_columns(slot)) for slot in new.values()],
            returning=["id", "campaign_id", "subscriber"],
        )
        for row in rows:
            new[row.campaign_id, row.subscriber].id = row.id

    def _write_journal(self) -> None:
        fresh = {}
        replayed = []
        for slot, entry in self._entries:
            known = (*_place(slot), entry.kind, entry.update_id)
            if entry.replayed and known not in fresh:
                replayed.append((slot, entry))
            else:
                fresh[known] = (slot, entry)
        rows = [_line(slot, entry) for slot, entry in fresh.values()]
        insert_rows(self._connection, _JOURNAL, _JOURNALED, rows)
        self._adopt(replayed)

    def _adopt(self, replayed: Sequence[tuple[Slot, Entry]]) -> None:
        """Organic lines of earlier batches now belong to a lead."""
        if not replayed:
            return
        rows = [
            (*_place(slot), entry.update_id, int(_ACTIONS[entry.kind]), slot.id, entry.decision)
            for slot, entry in replayed
        ]
        with_rows(self._connection, _adoption, _ADOPTED, rows)


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
def _adoption(postgresql: bool) -> Any:
    """Give journal lines to the lead that they turned out to concern."""
    line = _JOURNAL.c
    given = rows_table(postgresql, dict.fromkeys(_ADOPTED, Big) | {"decision": line.decision.type})
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


def _place(slot: Slot) -> Place:
    return slot.campaign.id, slot.person.id


def _whose(slot: Slot) -> tuple[int, ...]:
    campaign = slot.campaign
    return campaign.account_id, campaign.id, campaign.bot_id, slot.person.id


def _columns(slot: Slot) -> tuple[Any, ...]:
    lead, person = slot.lead, slot.person
    machine = (getattr(lead, name) for name in _MACHINE)
    return (*machine, *(getattr(person, name) for name in _PERSON))


def _line(slot: Slot, entry: Entry) -> tuple[Any, ...]:
    campaign = slot.campaign
    lead_id = None if entry.organic else slot.id
    return (
        campaign.account_id, campaign.bot_id, campaign.chat_id, campaign.id, lead_id,
        slot.person.id, slot.person.username, int(_ACTIONS[entry.kind]),
        entry.date, entry.update_id, entry.decision[:200],
    )  # fmt: skip
