"""The history of campaigns follows them to another account, a part at a time.

A transfer gives the campaigns at once. Their leads, with all that tells of them, may be millions
of rows: in one transaction others would wait for them. So each part is a short one, which goes on
where the part before it ended, in whatever process, and each moves what it finds to whoever has
the campaign by then. What comes meanwhile belongs to them from its beginning.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Row,
    Select,
    Table,
    bindparam,
    select,
    text,
    tuple_,
    update,
)

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
LEADS: Final = 100
#: Rows of any other kind in one part.
ROWS: Final = 500
#: Leads that go at once since something is reported of them, of all campaigns together.
URGENT: Final = 200
#: Rows at which one part looks, those that belong to the right account already among them.
SEEN: Final = 1000
#: Sources at whose clicks one part looks.
_SOURCES_SEEN: Final = 50

_LEADS: Final = table_of(Lead)
_POSTBACKS: Final = table_of(Postback)
_JOURNAL: Final = table_of(JournalEntry)
_MESSAGES: Final = table_of(Message)
_REQUESTS: Final = table_of(JoinRequest)
_CLICKS: Final = table_of(Click)
_CAMPAIGNS: Final = table_of(Campaign)
_OWNER: Final = select(_CAMPAIGNS.c.id, _CAMPAIGNS.c.account_id, _CAMPAIGNS.c.bot_id)

#: Where a part has ended in an index; rows before it have been moved.
Position = list[int]
_Step = Callable[[Connection, Row[Any], Sequence[int], Position], Position | None]


class _Progress(NamedTuple):
    """What is left: of the first of `campaigns` step `step` from `position` on, of the others all.

    `bots` are those that wrote to the leads.
    """

    campaigns: list[int]
    bots: list[int]
    step: int
    position: Position


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
    campaigns, bots, first, position = _Progress(*orjson.loads(progress))
    campaign: Any = connection.execute(_OWNER.where(_CAMPAIGNS.c.id == campaigns[0])).first()
    for step in range(first, len(_STEPS)) if campaign else ():
        after = _STEPS[step](connection, campaign, bots, position)
        if after is not None:
            return _text(_Progress(campaigns, bots, step, after))
        position = []
    return _text(_Progress(campaigns[1:], bots, 0, []))


def move_urgent(connection: Connection, campaigns: Sequence[int], bots: Sequence[int]) -> None:
    """Move leads of whom something is reported now: a report reads clicks of its own account.

    All these campaigns have one account and one bot by now. Part of the transaction in which
    they go, so as many leads go with hundreds of campaigns as with one. No commit.
    """
    owner = connection.execute(_OWNER.where(_CAMPAIGNS.c.id.in_(campaigns)).limit(1)).first()
    ids = _urgent_leads(connection, campaigns)
    some = select(_LEADS.c.id, _LEADS.c.subscriber).where(_LEADS.c.id.in_(ids))
    if ids and owner:
        _move_leads(connection, owner, campaigns, bots, connection.execute(some).all())


def _urgent_leads(connection: Connection, campaigns: Sequence[int]) -> list[int]:
    """The leads whose postbacks are being sent, and those of each destination that are next."""
    own = connection.scalars(
        select(Destination.id).where(Destination.campaign_id.in_(campaigns))
    ).all()
    row, leads = _POSTBACKS.c, dict[int, None]()
    # States stand in the text as in the partial indexes, or SQLite does not use them. `+ 0` keeps
    # the index by destination out of the plan: it leads to all that was ever sent.
    sending = select(row.lead_id).where(text(f"state = {PostbackState.SENDING:d}"))
    for lead in connection.scalars(sending.where((row.destination_id + 0).in_(own)).limit(URGENT)):
        leads[lead] = None
    waiting = select(row.lead_id).where(
        text(f"state = {PostbackState.WAITING:d}"), row.destination_id == bindparam("destination")
    )
    share = waiting.order_by(row.due).limit(max(1, URGENT // max(1, len(own))))
    for destination in own:
        if len(leads) >= URGENT:
            break
        leads |= dict.fromkeys(connection.scalars(share, {"destination": destination}))
    return list(leads)[:URGENT]


def _text(progress: _Progress) -> str:
    return orjson.dumps(list(progress)).decode() if progress.campaigns else ""


def _leads(
    connection: Connection, campaign: Row[Any], bots: Sequence[int], position: Position
) -> Position | None:
    """Move some leads with all that tells of them."""
    row = _LEADS.c
    some = select(row.id, row.subscriber, row.start_time, row.account_id)
    mine = row.campaign_id == campaign.id
    leads, after = _next(connection, some.where(mine), (row.start_time, row.id), position, campaign)
    if leads:
        _move_leads(connection, campaign, [campaign.id], bots, leads)
    return after


def _move_leads(
    connection: Connection,
    owner: Any,
    campaigns: Sequence[int],
    bots: Sequence[int],
    leads: Sequence[Any],
) -> None:
    """Move these leads with all that tells of them, also the clicks that they came by.

    `owner` is one of their campaigns, by which all of them belong to one account and one bot.
    """
    row, ids = _LEADS.c, [lead.id for lead in leads]
    by_lead = select(row.click_id).where(row.id.in_(ids), row.click_id.is_not(None))
    own = select(Destination.id).where(Destination.campaign_id.in_(campaigns))
    new = {"account_id": owner.account_id}
    statements = (
        update(_LEADS).where(row.id.in_(ids)).values(**new, bot_id=owner.bot_id),
        update(_POSTBACKS)
        .where(_POSTBACKS.c.lead_id.in_(ids), _POSTBACKS.c.destination_id.in_(own))
        .values(new),
        update(_JOURNAL).where(_JOURNAL.c.lead_id.in_(ids)).values(**new, bot_id=owner.bot_id),
        update(_MESSAGES)
        .where(
            _MESSAGES.c.bot_id.in_(bots),
            _MESSAGES.c.chat_id.in_([lead.subscriber for lead in leads]),
            _MESSAGES.c.campaign_id.in_(campaigns),
        )
        .values(new),
        update(_CLICKS).where(_CLICKS.c.lead_id.in_(ids)).values(new),
        update(_CLICKS).where(_CLICKS.c.id.in_(by_lead)).values(new),
    )
    for statement in statements:
        connection.execute(statement)
    bulk.reassign_conversions(connection, ids, owner.account_id)


def _by_index(table: Table, key: Column[Any], *where: Any) -> _Step:
    """The step of a table whose index of campaigns goes on with `key`."""

    def step(
        connection: Connection, campaign: Row[Any], _bots: Sequence[int], position: Position
    ) -> Position | None:
        row = table.c
        mine = select(row.id, key, row.account_id).where(row.campaign_id == campaign.id, *where)
        rows, after = _next(connection, mine, (key, row.id), position, campaign)
        _reassign(connection, table, rows, account_id=campaign.account_id, bot_id=campaign.bot_id)
        return after

    return step


def _clicks(
    connection: Connection, campaign: Row[Any], _bots: Sequence[int], position: Position
) -> Position | None:
    """Move some clicks, source by source."""
    row = _CLICKS.c
    mine = select(Source.id).where(Source.campaign_id == campaign.id)
    some = mine.where(Source.id >= (position[0] if position else 0)).order_by(Source.id)
    sources = connection.scalars(some.limit(_SOURCES_SEEN)).all()
    for source in sources:
        clicks = select(row.id, row.source_id, row.account_id).where(row.source_id == source)
        rows, after = _next(connection, clicks, (row.source_id, row.id), position, campaign)
        if after is not None:
            _reassign(connection, _CLICKS, rows, account_id=campaign.account_id)
            return after
    return [sources[-1] + 1, 0] if len(sources) == _SOURCES_SEEN else None


def _next(
    connection: Connection,
    mine: Select[Any],
    keys: tuple[Column[Any], Column[Any]],
    position: Position,
    campaign: Row[Any],
) -> tuple[Sequence[Any], Position | None]:
    """Return rows that must move, behind `position` in the index of `keys`, and where to go on.

    Rows that need not move are read, too, but no more than SEEN in all, so that a part is short
    whatever it reads. A position of None means that nothing is left.
    """
    if len(position) == len(keys):
        mine = mine.where(tuple_(*keys) > tuple_(*position))
    rows = connection.execute(mine.order_by(*keys).limit(SEEN)).all()
    most = LEADS if keys[1].table is _LEADS else ROWS
    moving = [row for row in rows if row.account_id != campaign.account_id][:most]
    if not moving and len(rows) < SEEN:
        return (), None
    last = moving[-1] if len(moving) == most else rows[-1]
    return moving, [getattr(last, key.name) for key in keys]


def _reassign(connection: Connection, table: Table, rows: Sequence[Any], **new: int) -> None:
    ids = [row.id for row in rows]
    if ids:
        connection.execute(update(table).where(table.c.id.in_(ids)).values(new))


_organic_entries: Final = _by_index(_JOURNAL, _JOURNAL.c.subscriber, _JOURNAL.c.lead_id.is_(None))
_requests: Final = _by_index(_REQUESTS, _REQUESTS.c.state)
#: The second round finds rows whose key fell behind the first round while that went on.
_STEPS: Final[tuple[_Step, ...]] = (
    _leads, _organic_entries, _requests, _clicks, _leads, _requests, _clicks,
)  # fmt: skip
