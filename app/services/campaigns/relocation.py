"""The history of campaigns follows them to another account, a part at a time.

A transfer gives the campaigns at once. Their leads, with all that tells of them, may be millions
of rows: in one transaction others would wait for them. So each part is a short one, which goes on
where the part before it ended, in whatever process, and each moves what it finds to whoever has
the campaign by then. What comes meanwhile belongs to them from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Column, Connection, Row, select, text, tuple_, update

from app.models import (
    Campaign,
    Click,
    Destination,
    JoinRequest,
    JournalEntry,
    Lead,
    Message,
    Postback,
    PostbackState,
    Source,
    table_of,
)
from app.services.campaigns import bulk

#: Leads of one part; each may have some postbacks, entries and messages.
LEADS: Final = 200
#: Rows of any other kind in one part.
ROWS: Final = 1000

_LEADS: Final = table_of(Lead)
_POSTBACKS: Final = table_of(Postback)
_JOURNAL: Final = table_of(JournalEntry)
_MESSAGES: Final = table_of(Message)
_REQUESTS: Final = table_of(JoinRequest)
_CLICKS: Final = table_of(Click)
_CAMPAIGNS: Final = table_of(Campaign)

#: A place in an index: rows before it have been moved.
Place = list[int]


class _Progress(NamedTuple):
    """What is left: of the first of `campaigns` step `step` from `place` on, of the others all.

    `bots` are those that wrote to the leads.
    """

    campaigns: list[int]
    bots: list[int]
    step: int
    place: Place


def begin(campaigns: Sequence[int], bots: Sequence[int]) -> str:
    """What has to follow these campaigns, as text for `move_part`; "" is nothing."""
    return _text(_Progress(list(campaigns), sorted(set(bots)), 0, []))


def bots_of(progress: str) -> list[int]:
    """The bots whose updates are to be held back while a part is moved."""
    return _Progress(*orjson.loads(progress)).bots


def move_part(connection: Connection, progress: str) -> str:
    """Move the next part to whoever has the campaign. Returns what is left. No commit.

    The caller holds the bots' updates back (`inbox.hold`), so no lead changes meanwhile.
    """
    campaigns, bots, first, place = _Progress(*orjson.loads(progress))
    columns = select(_CAMPAIGNS.c.id, _CAMPAIGNS.c.account_id, _CAMPAIGNS.c.bot_id)
    campaign: Any = connection.execute(columns.where(_CAMPAIGNS.c.id == campaigns[0])).first()
    for step in range(first, len(_STEPS)) if campaign else ():
        after = _STEPS[step](connection, campaign, bots, place)
        if after is not None:
            return _text(_Progress(campaigns, bots, step, after))
        place = []
    return _text(_Progress(campaigns[1:], bots, 0, []))


def move_urgent(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> None:
    """Move leads of whom something is reported now: a report reads clicks of its own account.

    Part of the transaction in which the campaigns go. No commit.
    """
    columns = select(_CAMPAIGNS.c.id, _CAMPAIGNS.c.account_id, _CAMPAIGNS.c.bot_id)
    for campaign in connection.execute(columns.where(_CAMPAIGNS.c.id.in_(campaigns))).all():
        own = select(Destination.id).where(Destination.campaign_id == campaign.id)
        row = _POSTBACKS.c
        for state in (PostbackState.SENDING, PostbackState.WAITING):
            # The state stands in the text as in the partial index, or SQLite does not use it.
            due = select(row.lead_id).where(text(f"state = {state:d}"), row.destination_id.in_(own))
            ids = connection.scalars(due.order_by(row.due).limit(LEADS)).all()
            some = select(_LEADS.c.id, _LEADS.c.subscriber).where(_LEADS.c.id.in_(ids))
            if leads := connection.execute(some).all():
                _bring(connection, campaign, bots, leads)


def _text(progress: _Progress) -> str:
    return orjson.dumps(list(progress)).decode() if progress.campaigns else ""


def _leads(
    connection: Connection, campaign: Row[Any], bots: Sequence[int], place: Place
) -> Place | None:
    """Move some leads with all that tells of them."""
    row = _LEADS.c
    some = (
        select(row.id, row.subscriber, row.start_time)
        .where(row.campaign_id == campaign.id, row.account_id != campaign.account_id)
        .where(row.start_time >= (place[0] if place else 0))
        .order_by(row.start_time)
        .limit(LEADS)
    )
    leads = connection.execute(some).all()
    if not leads:
        return None
    _bring(connection, campaign, bots, leads)
    return [leads[-1].start_time]


def _bring(
    connection: Connection, campaign: Any, bots: Sequence[int], leads: Sequence[Any]
) -> None:
    """Move these leads with all that tells of them, also the clicks that they came by."""
    row, ids = _LEADS.c, [lead.id for lead in leads]
    by_lead = select(row.click_id).where(row.id.in_(ids), row.click_id.is_not(None))
    own = select(Destination.id).where(Destination.campaign_id == campaign.id)
    new = {"account_id": campaign.account_id}
    statements = (
        update(_LEADS).where(row.id.in_(ids)).values(**new, bot_id=campaign.bot_id),
        update(_POSTBACKS)
        .where(_POSTBACKS.c.lead_id.in_(ids), _POSTBACKS.c.destination_id.in_(own))
        .values(new),
        update(_JOURNAL).where(_JOURNAL.c.lead_id.in_(ids)).values(**new, bot_id=campaign.bot_id),
        update(_MESSAGES)
        .where(
            _MESSAGES.c.bot_id.in_(bots),
            _MESSAGES.c.chat_id.in_([lead.subscriber for lead in leads]),
            _MESSAGES.c.campaign_id == campaign.id,
        )
        .values(new),
        update(_CLICKS).where(_CLICKS.c.lead_id.in_(ids)).values(new),
        update(_CLICKS).where(_CLICKS.c.id.in_(by_lead)).values(new),
    )
    for statement in statements:
        connection.execute(statement)
    bulk.reassign_conversions(connection, ids, campaign.account_id)


def _organic_entries(
    connection: Connection, campaign: Row[Any], _bots: Sequence[int], place: Place
) -> Place | None:
    row = _JOURNAL.c
    some = (
        select(row.id, row.subscriber)
        .where(row.campaign_id == campaign.id, row.lead_id.is_(None))
        .where(row.account_id != campaign.account_id)
        .order_by(row.subscriber)
        .limit(ROWS)
    )
    if place:
        some = some.where(row.subscriber >= place[0])
    entries = connection.execute(some).all()
    if not entries:
        return None
    new = {"account_id": campaign.account_id, "bot_id": campaign.bot_id}
    ids = [entry.id for entry in entries]
    connection.execute(update(_JOURNAL).where(row.id.in_(ids)).values(new))
    return [entries[-1].subscriber]


def _requests(
    connection: Connection, campaign: Row[Any], _bots: Sequence[int], place: Place
) -> Place | None:
    row = _REQUESTS.c
    new = {"account_id": campaign.account_id, "bot_id": campaign.bot_id}
    mine = row.campaign_id == campaign.id
    return _behind(connection, (row.state, row.id), mine, place, new)


def _clicks(
    connection: Connection, campaign: Row[Any], _bots: Sequence[int], place: Place
) -> Place | None:
    row = _CLICKS.c
    sources = select(Source.id).where(Source.campaign_id == campaign.id)
    mine = row.source_id.in_(sources)
    return _behind(
        connection, (row.source_id, row.id), mine, place, {"account_id": campaign.account_id}
    )


def _behind(
    connection: Connection,
    keys: tuple[Column[Any], Column[Any]],
    mine: Any,
    place: Place,
    new: dict[str, int],
) -> Place | None:
    """Move the rows behind a place in the index of `keys`, of which the last is the id."""
    table = keys[1].table
    some = select(*keys).where(mine, table.c.account_id != new["account_id"])
    if place:
        some = some.where(tuple_(*keys) > tuple_(*place))
    rows = connection.execute(some.order_by(*keys).limit(ROWS)).all()
    if not rows:
        return None
    ids = [id_ for _, id_ in rows]
    connection.execute(update(table).where(table.c.id.in_(ids)).values(new))
    return list(rows[-1])


_Step = Callable[[Connection, Row[Any], Sequence[int], Place], Place | None]
#: The second round finds what had moved to before its place while the first went on.
_STEPS: Final[tuple[_Step, ...]] = (
    _leads, _organic_entries, _requests, _clicks, _leads, _requests, _clicks,
)  # fmt: skip
