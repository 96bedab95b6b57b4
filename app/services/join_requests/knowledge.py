"""What the desk reads before it decides: settings, rules, and what is known of the people.

A few statements for a whole batch of updates, none of them where the desk is off.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from sqlalchemy import Connection, bindparam, func, or_, select

from app.crypto import cipher
from app.database.rows import fetch_rows, rows_table
from app.domain.join_requests.rules import Rule, Verdict
from app.models import (
    Account,
    Action,
    Blocked,
    Bot,
    Campaign,
    JoinRequest,
    JournalEntry,
    RequestRule,
    RequestState,
    table_of,
)
from app.models.base import Big

_REQUESTS: Final = table_of(JoinRequest)
_RULES: Final = table_of(RequestRule)
_BLOCKED: Final = table_of(Blocked)
_JOURNAL: Final = table_of(JournalEntry)
_MEMBERSHIP: Final = (Action.JOIN, Action.LEAVE, Action.KICK)
_SETTINGS: Final = (
    select(Campaign.id, Account.zone, Bot.username.label("bot_username"))
    .join(Account, Account.id == Campaign.account_id)
    .join(Bot, Bot.id == Campaign.bot_id)
    .where(Campaign.id.in_(bindparam("campaigns", expanding=True)))
)
_RULES_OF: Final = (
    select(_RULES)
    .where(_RULES.c.campaign_id.in_(bindparam("campaigns", expanding=True)), _RULES.c.enabled)
    .order_by(_RULES.c.campaign_id, _RULES.c.position)
)
_BLOCKED_AMONG: Final = select(_BLOCKED.c.account_id, _BLOCKED.c.person, _BLOCKED.c.username).where(
    _BLOCKED.c.account_id.in_(bindparam("accounts", expanding=True)),
    or_(
        _BLOCKED.c.person.in_(bindparam("people", expanding=True)),
        _BLOCKED.c.username.in_(bindparam("usernames", expanding=True)),
    ),
)
_INSIDE_SINCE: Final = (
    select(_JOURNAL.c.lead_id, func.min(_JOURNAL.c.time).label("since"))
    .where(_JOURNAL.c.lead_id.in_(bindparam("leads", expanding=True)))
    .where(_JOURNAL.c.action.in_(_MEMBERSHIP))
    .group_by(_JOURNAL.c.lead_id)
)

Person = tuple[int, int, str]  # account, Telegram id, username


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the desk of one campaign needs beside the campaign's own row."""

    zone: ZoneInfo
    bot_username: str
    rules: Sequence[Rule] = ()


@dataclass(slots=True)
class History:
    """What happened before to people of a batch, each known by campaign and Telegram id.

    `members`: since when each is known as a member, or as one who left.
    """

    declined: dict[tuple[int, int], float] = field(default_factory=dict)
    members: dict[tuple[int, int], int] = field(default_factory=dict)


def settings_of(connection: Connection, campaigns: Collection[int]) -> dict[int, DeskSettings]:
    """Read the settings and enabled rules of campaigns."""
    if not campaigns:
        return {}
    rules: defaultdict[int, list[Rule]] = defaultdict(list)
    for row in connection.execute(_RULES_OF, {"campaigns": list(campaigns)}):
        rules[row.campaign_id].append(as_rule(row))
    rows = connection.execute(_SETTINGS, {"campaigns": list(campaigns)})
    return {row.id: DeskSettings(zone(row.zone), row.bot_username, rules[row.id]) for row in rows}


def as_rule(row: Any) -> Rule:
    """The rule that a row holds."""
    return Rule(
        id=row.id,
        conditions=orjson.loads(row.conditions),
        action=Verdict(row.action),
        otherwise=Verdict(row.otherwise),
        delay_from=row.delay_from,
        delay_to=row.delay_to,
    )


def zone(name: str) -> ZoneInfo:
    """The account's time zone; UTC if this system does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def blocked_among(connection: Connection, people: Iterable[Person]) -> set[tuple[int, int]]:
    """Which of these people their accounts have blocked, as pairs of account and Telegram id."""
    hashes: dict[str, tuple[int, int]] = {}
    names: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for account, person, username in people:
        hashes[cipher.person_hash(account, person)] = account, person
        if username:
            names[account, username.lower()].add(person)
    if not hashes:
        return set()
    params = {
        "accounts": list({account for account, _ in hashes.values()}),
        "people": list(hashes),
        "usernames": [name for _, name in names],
    }
    blocked = set()
    for row in connection.execute(_BLOCKED_AMONG, params):
        if row.person in hashes:
            blocked.add(hashes[row.person])
        blocked |= {
            (row.account_id, person) for person in names.get((row.account_id, row.username), ())
        }
    return blocked


def past_of(connection: Connection, people: Mapping[tuple[int, int], Any]) -> History:
    """Read what happened to `people`, pairs of campaign and Telegram id, before."""
    past = History()
    if people:
        for row in fetch_rows(connection, _declined_of, "cs", people):
            past.declined[row.campaign_id, row.subscriber] = row.decided
        for row in fetch_rows(connection, _members_of, "cs", people):
            past.members[row.campaign_id, row.subscriber] = row.since
    return past


def leads_inside_since(connection: Connection, leads: Collection[int]) -> dict[int, int]:
    """Since when each of these leads is known as a member, or as one who left; by their ids."""
    rows = connection.execute(_INSIDE_SINCE, {"leads": list(leads)}) if leads else ()
    return {row.lead_id: row.since for row in rows}


@cache
def _declined_of(postgresql: bool) -> Any:
    data = rows_table(postgresql, {"c": Big, "s": Big})
    row = _REQUESTS.c
    return (
        select(row.campaign_id, row.subscriber, func.max(row.decided).label("decided"))
        .join(data, (row.campaign_id == data.c.c) & (row.subscriber == data.c.s))
        .where(row.state == RequestState.DECLINED)
        .group_by(row.campaign_id, row.subscriber)
    )


@cache
def _members_of(postgresql: bool) -> Any:
    data = rows_table(postgresql, {"c": Big, "s": Big})
    row = _JOURNAL.c
    return (
        select(row.campaign_id, row.subscriber, func.min(row.time).label("since"))
        .join(data, (row.campaign_id == data.c.c) & (row.subscriber == data.c.s))
        .where(row.lead_id.is_(None), row.action.in_(_MEMBERSHIP))
        .group_by(row.campaign_id, row.subscriber)
    )
