"""How many joins are known by their click, by chat and by source, and why the others are not.

Reads aggregates, so its cost grows with days, campaigns and sources, never with leads.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from app.domain.attribution import JoinKind
from app.domain.retention import percent
from app.errors import translatable
from app.extensions import db
from app.models import Campaign, JoinDay, Source
from app.services.clicks.owner.source_stats import day_sums
from app.services.lists.scope import Scope
from app.translations import translated

DEFAULT_DAYS: Final = 7
#: Below this share of known joins there is advice, if the ads were clicked at all.
LOW_SHARE: Final = 70.0
#: What to do about the joins of a kind that does not know its click.
_ADVICE: Final = {
    JoinKind.ORGANIC: translatable(
        "Most came without any link: from a search, by a name, or added by somebody."
    ),
    JoinKind.PUBLIC: translatable(
        "Most came to a public chat, and of those Telegram does not tell by which link. "
        "Lead your ads to the bot (mode start), or make the chat private."
    ),
    JoinKind.OTHER_LINK: translatable(
        "Most came by invite links that we have not made. Put the links of sources into "
        "your ads instead."
    ),
    JoinKind.FOLDER: translatable(
        "Most came by a link to a folder of chats, which tells no source."
    ),
    JoinKind.BARE_REQUEST: translatable(
        "Most asked to join without an invite link. Put the links of sources into your ads."
    ),
    JoinKind.FORWARDED: translatable(
        "Most came by links that others had forwarded: their source is known, their click is not."
    ),
    JoinKind.NAMED: translatable(
        "Most came by a link that all clicks of a source share. With the mode invite each "
        "click gets its own."
    ),
    JoinKind.FALLBACK: translatable(
        "Most came by the fallback link, since no invite link could be made in time. See "
        "whether the bot may invite users."
    ),
}


@dataclass(frozen=True, slots=True)
class JoinCounts:
    """Joins of some days by kind, and what the links for ads counted meanwhile."""

    joins: int
    by_kind: Mapping[JoinKind, int]
    clicks: int
    fallbacks: int

    @property
    def with_click(self) -> int:
        """How many of the joins are known by their click."""
        return sum(count for kind, count in self.by_kind.items() if kind.knows_click)

    @property
    def share(self) -> float | None:
        """The percentage of joins that are known; None without any."""
        return percent(self.with_click, self.joins)


@dataclass(frozen=True, slots=True)
class SourceJoins:
    """The joins of one source."""

    source: int
    title: str
    counts: JoinCounts


@dataclass(frozen=True, slots=True)
class CampaignJoins:
    """The joins of one campaign's chat, and those of its sources. `advice` is a sentence or ""."""

    campaign: int
    title: str
    counts: JoinCounts
    sources: Sequence[SourceJoins]

    @property
    def advice(self) -> str:
        """What would make more joins known, in the language in use."""
        share = self.counts.share
        if share is None or share >= LOW_SHARE or not self.counts.clicks:
            return ""
        unknown = {
            kind: count for kind, count in self.counts.by_kind.items() if not kind.knows_click
        }
        return translated(_ADVICE[max(unknown, key=lambda kind: (unknown[kind], -kind))])


def attribution(scope: Scope) -> list[CampaignJoins]:
    """The joins of each living campaign in whole UTC days, the last seven without a range.

    Raises NotFound, and BadParameter for an empty range or one of more than 366 days.
    """
    scope.check_owned()
    days = scope.days(DEFAULT_DAYS)
    campaigns = select(Campaign.id, Campaign.chat_title).where(
        Campaign.account_id == scope.account_id, Campaign.living
    )
    if scope.campaign is not None:
        campaigns = campaigns.where(Campaign.id == scope.campaign)
    chats = db.session.execute(campaigns.order_by(Campaign.id)).all()
    ids = [chat.id for chat in chats]
    joins = _joins(ids, days)
    sources = defaultdict(list)
    for row in _sources(ids, days):
        by_kind = joins[row.campaign_id].get(row.id, Counter())
        counts = JoinCounts(by_kind.total(), by_kind, int(row.clicks), int(row.fallbacks))
        sources[row.campaign_id].append(SourceJoins(row.id, row.title, counts))
    return [_of_campaign(chat, joins[chat.id], sources[chat.id]) for chat in chats]


def _of_campaign(
    chat: Any, joins: Mapping[int, Counter[JoinKind]], sources: Sequence[SourceJoins]
) -> CampaignJoins:
    by_kind = sum(joins.values(), Counter[JoinKind]())
    clicks = sum(source.counts.clicks for source in sources)
    fallbacks = sum(source.counts.fallbacks for source in sources)
    counts = JoinCounts(by_kind.total(), by_kind, clicks, fallbacks)
    return CampaignJoins(chat.id, chat.chat_title, counts, sources)


def _joins(
    campaigns: Sequence[int], days: tuple[int, int]
) -> defaultdict[int, dict[int, Counter[JoinKind]]]:
    """Joins by campaign, source and kind."""
    row = JoinDay
    rows = db.session.execute(
        select(row.campaign_id, row.source_id, row.kind, func.sum(row.joins))
        .where(row.campaign_id.in_(campaigns), row.day.between(*days))
        .group_by(row.campaign_id, row.source_id, row.kind)
    )
    joins: defaultdict[int, dict[int, Counter[JoinKind]]] = defaultdict(dict)
    for campaign, source, kind, count in rows:
        joins[campaign].setdefault(source, Counter())[JoinKind(kind)] = int(count)
    return joins


def _sources(campaigns: Sequence[int], days: tuple[int, int]) -> Sequence[Any]:
    sums = day_sums(days, "clicks", "fallbacks")
    return db.session.execute(
        select(
            Source.id,
            Source.campaign_id,
            Source.title,
            func.coalesce(sums.c.clicks, 0).label("clicks"),
            func.coalesce(sums.c.fallbacks, 0).label("fallbacks"),
        )
        .outerjoin(sums, sums.c.source_id == Source.id)
        .where(Source.campaign_id.in_(campaigns), Source.living)
        .order_by(Source.id)
    ).all()
