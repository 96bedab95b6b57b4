"""Which invite links are missing: those of the pools, and the named ones. Nothing here writes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, bindparam, func, select, text

from app.domain.clicks import pool_size
from app.extensions import db
from app.models import (
    BotStatus,
    CampaignStatus,
    Click,
    DeskMode,
    Invite,
    InviteKind,
    InviteState,
    SourceFallback,
    SourceMode,
    SourceStatus,
)
from app.models.account import IS_SUSPENDED_SQL

#: Campaigns that one look covers; the next look goes on behind them.
SLICE: Final = 100
#: So long the size of a pool is not computed anew, in seconds.
SIZE_SECONDS: Final = 20.0

_KINDS: Final = {
    SourceMode.INVITE: InviteKind.SINGLE,
    SourceMode.REQUEST: InviteKind.REQUEST,
}
#: SQL of a source for which links are made.
NEEDS_LINKS: Final = (
    f"source.mode <> {SourceMode.START:d} AND source.status = {SourceStatus.ACTIVE:d}"
)
#: SQL that finds whether any link may be missing.
DUE: Final = f"SELECT id FROM source WHERE {NEEDS_LINKS}"  # noqa: S608 - our own constants
_CAMPAIGNS: Final = text(f"""
    SELECT DISTINCT campaign_id FROM source WHERE campaign_id > :after AND {NEEDS_LINKS}
    ORDER BY campaign_id LIMIT {SLICE}
""")  # noqa: S608 - our own constants
#: Sources that need links, of chats where the bot may make them as far as we know.
_SOURCES: Final = text(f"""
    SELECT
        source.id, source.title, source.mode, source.fallback, source.link_ttl,
        source.campaign_id, campaign.chat_id, campaign.desk, bot.id AS bot_id
    FROM source
    JOIN campaign ON campaign.id = source.campaign_id
    JOIN bot ON bot.id = campaign.bot_id
    LEFT JOIN bot_chat ON bot_chat.bot_id = bot.id AND bot_chat.chat_id = campaign.chat_id
    WHERE source.campaign_id IN :campaigns AND {NEEDS_LINKS}
        AND campaign.status = {CampaignStatus.ACTIVE:d}
        AND bot.status <> {BotStatus.DELETED:d} AND bot.paused = '' AND bot.quiet_until <= :now
        AND (bot_chat.id IS NULL OR (bot_chat.is_admin AND bot_chat.can_invite))
        AND (source.mode <> {SourceMode.AUTO:d}
            OR (bot_chat.id IS NOT NULL AND bot_chat.username = ''))
        AND NOT {IS_SUSPENDED_SQL.format(owner="source.account_id")}
    ORDER BY source.campaign_id, source.id
""").bindparams(bindparam("campaigns", expanding=True))  # noqa: S608


class Missing(NamedTuple):
    """A link to be made. `name` and `source_id` are those of a named link."""

    bot_id: int
    chat_id: int
    kind: InviteKind
    link_ttl: int = 0
    name: str = ""
    source_id: int | None = None


class Demand:
    """What is missing, a slice of all campaigns at a time."""

    def __init__(self) -> None:
        self._after = 0
        self._sizes: dict[tuple[int, InviteKind], tuple[float, int]] = {}

    def look(self, now: float) -> list[Missing]:
        """Return what is missing at `now`, Unix seconds; the chats take turns.

        Ends the transaction.
        """
        campaigns = db.session.scalars(_CAMPAIGNS, {"after": self._after}).all()
        self._after = campaigns[-1] if len(campaigns) == SLICE else 0
        params = {"campaigns": campaigns, "now": now}
        rows = db.session.execute(_SOURCES, params).all() if campaigns else []
        missing = [list(_missing_named(rows))]
        groups: dict[tuple[int, int, int, InviteKind], list[Row[Any]]] = defaultdict(list)
        for row in rows:
            if kind := _kind(row):
                groups[row.bot_id, row.chat_id, row.campaign_id, kind].append(row)
        for (bot, chat, campaign, kind), sources in groups.items():
            ttl = max(source.link_ttl for source in sources)
            size = self._size((campaign, kind), [source.id for source in sources], now)
            lacking = size - _pooled(bot, chat, kind, int(now) + ttl)
            missing.append([Missing(bot, chat, kind, ttl)] * max(lacking, 0))
        db.session.rollback()
        return list(_in_turns(missing))

    def _size(self, key: tuple[int, InviteKind], sources: Sequence[int], now: float) -> int:
        until, size = self._sizes.get(key, (0.0, 0))
        if now >= until:
            clicks = [moment for source in sources for moment in _newest_clicks(source)]
            size = pool_size.links_to_keep(clicks, now)
            self._sizes = {old: value for old, value in self._sizes.items() if value[0] > now}
            self._sizes[key] = now + SIZE_SECONDS, size
        return size


def _kind(row: Row[Any]) -> InviteKind | None:
    """The kind of link that lies ready for a source, None if it needs none of its own."""
    mode = SourceMode(row.mode)
    if mode is SourceMode.AUTO:  # see `target.mode_in_force`; the chat is private here
        return InviteKind.SINGLE if row.desk == DeskMode.OFF else InviteKind.REQUEST
    return _KINDS.get(mode)


def _newest_clicks(source_id: int) -> Sequence[int]:
    newest = select(Click.created).where(Click.source_id == source_id).order_by(Click.id.desc())
    return db.session.scalars(newest.limit(pool_size.NEWEST)).all()


def _pooled(bot_id: int, chat_id: int, kind: InviteKind, until: int) -> int:
    # The state stands in the text as in the partial index, or SQLite does not use it.
    count = select(func.count()).where(
        text(f"state = {InviteState.POOL:d}"),
        Invite.bot_id == bot_id,
        Invite.chat_id == chat_id,
        Invite.kind == kind,
        Invite.expires > until,
    )
    return db.session.scalar(count) or 0


def _missing_named(rows: Sequence[Row[Any]]) -> Iterator[Missing]:
    shared = [
        row for row in rows if row.mode == SourceMode.NAMED or row.fallback == SourceFallback.NAMED
    ]
    if not shared:
        return
    has_link = select(Invite.source_id).where(
        Invite.source_id.in_([row.id for row in shared]),
        Invite.kind == InviteKind.NAMED,
        Invite.state == InviteState.HANDED_OUT,
    )
    with_link = set(db.session.scalars(has_link))
    for row in shared:
        if row.id not in with_link:
            kind = InviteKind.NAMED
            yield Missing(row.bot_id, row.chat_id, kind, name=row.title[:32], source_id=row.id)


def _in_turns(groups: Sequence[Sequence[Missing]]) -> Iterator[Missing]:
    for turn in range(max(map(len, groups), default=0)):
        yield from (group[turn] for group in groups if turn < len(group))
