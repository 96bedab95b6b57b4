"""What campaigns and trackers of an account are called, by id, for lists and filters."""

from __future__ import annotations

from app.services.campaigns import campaigns as campaign_service
from app.services.clicks import sources as source_service
from app.services.trackers import destinations
from app.translations import gettext

#: An account has at most some hundred trackers.
MOST: int = 500


def campaigns(account_id: int) -> dict[int, str]:
    """Return the titles of the chats of the account's campaigns, newest first."""
    return {row.id: row.chat_title for row in campaign_service.listed(account_id)}


def sources(account_id: int) -> dict[int, str]:
    """Return the titles of the account's sources, newest first."""
    return {row.id: row.title for row in source_service.listed(account_id)}


def trackers(account_id: int) -> dict[int, str]:
    """Return what the account's destinations are called, newest first; templates too."""
    titles = campaigns(account_id)
    rows = (row.destination for row in destinations.listed(account_id, limit=MOST).rows)
    return {
        row.id: row.title or _described(row.tracker, titles.get(row.campaign_id or 0, ""))
        for row in rows
    }


def _described(tracker: str, campaign: str) -> str:
    if tracker != "url_template":
        return f"{tracker} · {campaign}" if campaign else tracker
    if campaign:
        return gettext("addresses of %(campaign)s", campaign=campaign)
    return gettext("addresses of the account")
