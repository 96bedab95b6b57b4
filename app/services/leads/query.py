"""Queries of leads: a list, an export, and one lead with its history."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, select

from app.extensions import db
from app.models import Conversion, JournalEntry, Lead, LeadTally, Postback
from app.services.join_requests import query as requests
from app.services.join_requests.query import LeadRequest
from app.services.lists import among_newest, lead_search, long_lists, ownership, parts
from app.services.lists.lead_search import SearchTerms
from app.services.lists.long_lists import LongList, RowQuery, without_none
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page
from app.services.lists.parts import SortKey

MAX_HISTORY: Final = 500  # entries and postbacks of one lead in an answer
#: Newest leads among which those with a trait are looked for; no index has a trait and an order.
SEARCHED: Final = 15_000
_TRAITS: Final = {
    "source": "source_id", "how": "how", "premium": "premium", "language": "language",
}  # fmt: skip
LEADS: Final = LongList(
    Lead, Lead.id, Lead.start_time, LeadTally,
    (frozenset({"account_id"}), frozenset({"account_id", "campaign_id"})),
)  # fmt: skip


class LeadHistory(NamedTuple):
    """A lead, its last journal entries, conversions, postbacks and requests, oldest first."""

    lead: Lead
    journal: Sequence[JournalEntry]
    postbacks: Sequence[Postback]
    conversions: Sequence[Conversion]
    requests: Sequence[LeadRequest]


def listed(
    account_id: int, *, limit: int = 50, offset: int = 0, before: int | None = None, **filters: Any
) -> Page[Lead]:
    """Leads newest first; see `_row_query` and `SearchTerms` for `filters`. Raises NotFound."""
    terms, filters = _search_terms(filters)
    traits, filters = _traits(account_id, filters)
    query = _row_query(account_id, **filters)
    place: dict[str, Any] = {"limit": limit, "offset": offset, "before": before}
    if terms is not None:
        conditions = [*long_lists.conditions(LEADS, query), *_having(Lead, traits)]
        return lead_search.find(account_id, terms, conditions, **place)
    if traits:
        return _among_newest(query, traits, **place)
    return long_lists.fetch(LEADS, query, **place)


def read_all(
    account_id: int, *, after: SortKey | None = None, **filters: Any
) -> Iterator[Sequence[Lead]]:
    """All leads that match `filters`, newest first, by the thousand. Raises NotFound at once.

    Each part is a short transaction: a client may take its time in between.
    Leads that appear meanwhile are not among them. With `after` those behind that place.
    """
    terms, filters = _search_terms(filters)
    traits, filters = _traits(account_id, filters)
    query, having = _row_query(account_id, **filters), _having(Lead, traits)
    if terms is None:
        return parts.behind_each(
            lambda last: long_lists.newest_first(LEADS, query, last).where(*having),
            lambda row: (row.start_time, row.id),
            after,
        )
    if after:
        return iter(())
    conditions = [*long_lists.conditions(LEADS, query), *having]
    return iter([lead_search.find(account_id, terms, conditions).rows])


def _search_terms(filters: Mapping[str, Any]) -> tuple[SearchTerms | None, dict[str, Any]]:
    """Split `filters` into search terms, None if there are none, and the others."""
    terms = {name: filters[name] for name in SearchTerms._fields if filters.get(name) is not None}
    others = {name: value for name, value in filters.items() if name not in SearchTerms._fields}
    return SearchTerms(**terms) if terms else None, others


def _traits(account_id: int, filters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split `filters` into traits, by column, and others. Raises NotFound for a source.

    No tally counts leads by a trait.
    """
    check_owned(account_id, source=filters.get("source"))
    traits = {
        column: filters[name] for name, column in _TRAITS.items() if filters.get(name) is not None
    }
    return traits, {name: value for name, value in filters.items() if name not in _TRAITS}


def _having(model: Any, traits: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    return [getattr(model, column) == value for column, value in traits.items()]


def _among_newest(
    query: RowQuery, traits: Mapping[str, Any], *, limit: int, offset: int, before: int | None
) -> Page[Lead]:
    """Return a page of those with `traits` among the newest leads of the account or campaign.

    Of these `SEARCHED` are read; a state is looked for among them too.
    """
    account = query.filters["account_id"]
    row = None if before is None else ownership.find(Lead, account, before)
    ends = without_none({"start": query.start, "end": query.end})
    values = {**query.filters, **traits, **ends}
    ids, total = among_newest.read(
        lambda is_behind: _with_traits(frozenset(values), is_behind, SEARCHED),
        values,
        limit=limit,
        offset=offset,
        behind=(row.start_time, row.id) if row else None,
    )
    rows = {lead.id: lead for lead in db.session.scalars(select(Lead).where(Lead.id.in_(ids)))}
    return Page([rows[number] for number in ids if number in rows], total)


@lru_cache(maxsize=128)  # to make it takes longer than to run it
def _with_traits(names: frozenset[str], is_behind: bool, most: int) -> Select[Any]:
    leading = "campaign_id" if "campaign_id" in names else "account_id"
    newest = select(Lead.id, Lead.start_time.label("time"))
    newest = newest.where(getattr(Lead, leading) == bindparam(leading))
    if "start" in names:
        newest = newest.where(Lead.start_time >= bindparam("start"))
    if "end" in names:
        newest = newest.where(Lead.start_time < bindparam("end"))
    newest = newest.order_by(Lead.start_time.desc(), Lead.id.desc())
    window = newest.limit(most).subquery()
    rest = sorted(names - {leading, "start", "end"})
    conditions = among_newest.has_values(Lead, window, rest)
    return among_newest.page_of(window, conditions, is_behind=is_behind)


def _row_query(
    account_id: int,
    *,
    campaign: int | None = None,
    status: int | None = None,
    since: int | None = None,
    until: int | None = None,
) -> RowQuery:
    """`since` and `until` (Unix seconds of the start) include their ends."""
    check_owned(account_id, campaign=campaign)
    columns = {"account_id": account_id, "campaign_id": campaign, "state": status}
    return RowQuery(without_none(columns), since, until)


def explained(account_id: int, lead_id: int) -> LeadHistory:
    """One lead with its last 500 journal entries, conversions and postbacks. Raises NotFound."""
    lead = ownership.find(Lead, account_id, lead_id)
    journal = select(JournalEntry).where(JournalEntry.lead_id == lead_id)
    # Postbacks to the trackers of an earlier owner are not shown to this one.
    postbacks = select(Postback).where(
        Postback.lead_id == lead_id, Postback.account_id == account_id
    )
    conversions = select(Conversion).where(
        Conversion.lead_id == lead_id, Conversion.account_id == account_id
    )
    return LeadHistory(
        lead,
        db.session.scalars(journal.order_by(JournalEntry.id.desc()).limit(MAX_HISTORY)).all()[::-1],
        db.session.scalars(postbacks.order_by(Postback.id.desc()).limit(MAX_HISTORY)).all()[::-1],
        db.session.scalars(conversions.order_by(Conversion.id.desc()).limit(MAX_HISTORY)).all()[
            ::-1
        ],
        requests.of_lead(lead),
    )
