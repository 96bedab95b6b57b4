"""Queries of leads: a list, an export, and one lead with its history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import Conversion, JournalEntry, Lead, LeadTally, Postback
from app.services.join_requests import query as requests
from app.services.join_requests.query import LeadRequest
from app.services.lists import lead_search, long_lists
from app.services.lists.lead_search import SearchTerms
from app.services.lists.long_lists import LongList, RowQuery, without_none
from app.services.lists.ownership import check_owned
from app.services.lists.pages import Page

MAX_HISTORY: Final = 500  # entries and postbacks of one lead in an answer
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
    query = _row_query(account_id, **filters)
    if terms is None:
        return long_lists.fetch(LEADS, query, limit=limit, offset=offset, before=before)
    conditions = long_lists.conditions(LEADS, query)
    return lead_search.find(
        account_id, terms, conditions, limit=limit, offset=offset, before=before
    )


def everyone(account_id: int, **filters: Any) -> Iterator[Sequence[Lead]]:
    """All leads that match `filters`, newest first, by the thousand. Raises NotFound at once.

    Each part is a short transaction: a client may take its time in between.
    Leads that appear meanwhile are not among them.
    """
    terms, filters = _search_terms(filters)
    query = _row_query(account_id, **filters)
    if terms is None:
        return long_lists.everyone(LEADS, query)
    return iter([lead_search.find(account_id, terms, long_lists.conditions(LEADS, query)).rows])


def _search_terms(filters: Mapping[str, Any]) -> tuple[SearchTerms | None, dict[str, Any]]:
    """Tell what leads are looked for by from other filters; None where they are not."""
    terms = {name: filters[name] for name in SearchTerms._fields if filters.get(name) is not None}
    others = {name: value for name, value in filters.items() if name not in SearchTerms._fields}
    return SearchTerms(**terms) if terms else None, others


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
    lead = db.session.scalar(select(Lead).where(Lead.id == lead_id, Lead.account_id == account_id))
    if lead is None:
        raise NotFound
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
