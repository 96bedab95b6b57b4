"""Leads as people look at them: a list, and one lead explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import select

from app.errors import NotFound
from app.extensions import db
from app.models import JournalEntry, Lead, Postback
from app.services.paging import Page, fetch

#: A lead that was teased for years is still one answer.
STORY: Final = 500


class Explained(NamedTuple):
    """A lead, what happened to it and what was reported, oldest first."""

    lead: Lead
    journal: Sequence[JournalEntry]
    postbacks: Sequence[Postback]


def listed(
    account_id: int,
    *,
    campaign: int | None = None,
    status: int | None = None,
    since: int | None = None,
    until: int | None = None,
    limit: int = 50,
    offset: int = 0,
    before: int | None = None,
) -> Page[Lead]:
    """Leads newest first. `since` and `until` (Unix seconds) include their ends."""
    conditions = [Lead.account_id == account_id]
    if campaign is not None:
        conditions.append(Lead.campaign_id == campaign)
    if status is not None:
        conditions.append(Lead.state == status)
    if since is not None:
        conditions.append(Lead.start_time >= since)
    if until is not None:
        conditions.append(Lead.start_time <= until)
    matching = select(Lead).where(*conditions)
    return fetch(matching, Lead.id, limit=limit, offset=offset, before=before)


def explained(account_id: int, lead_id: int) -> Explained:
    """One lead with its last 500 journal entries and postbacks. Raises NotFound."""
    lead = db.session.scalar(select(Lead).where(Lead.id == lead_id, Lead.account_id == account_id))
    if lead is None:
        raise NotFound
    journal = select(JournalEntry).where(JournalEntry.lead_id == lead_id)
    postbacks = select(Postback).where(Postback.lead_id == lead_id)
    return Explained(
        lead,
        db.session.scalars(journal.order_by(JournalEntry.id.desc()).limit(STORY)).all()[::-1],
        db.session.scalars(postbacks.order_by(Postback.id.desc()).limit(STORY)).all()[::-1],
    )
