"""What campaigns and trackers of an account are called, by id, for lists and filters."""

from typing import NamedTuple

from app.services.campaigns import campaigns as campaign_service
from app.services.clicks import sources as source_service
from app.services.trackers import glance
from app.translations import gettext


class Names(NamedTuple):
    """Titles by id, newest first: of campaigns, and of destinations, templates too."""

    campaigns: dict[int, str]
    trackers: dict[int, str]


def campaigns(account_id: int) -> dict[int, str]:
    """Return the titles of the chats of the account's campaigns, newest first."""
    return {row.id: row.chat_title for row in campaign_service.titles(account_id)}


def sources(account_id: int) -> dict[int, str]:
    """Return the titles of the account's sources, newest first."""
    return {row.id: row.title for row in source_service.titles(account_id)}


def with_sources(account_id: int) -> tuple[dict[int, str], dict[int, str]]:
    """Return the titles of the account's campaigns and of its sources. One statement."""
    titles: tuple[dict[int, str], dict[int, str]] = {}, {}
    for row in source_service.titles_beside_campaigns(account_id):
        titles[row.is_source][row.id] = row.title
    return titles


def with_trackers(account_id: int) -> Names:
    """Return the titles of the account's campaigns and destinations. One statement."""
    names = Names({}, {})
    for row in glance.titles(account_id):
        if not row.is_tracker:
            names.campaigns[row.id] = row.title
        elif len(names.trackers) < glance.MOST:
            names.trackers[row.id] = row.title or _described(row.tracker, row.campaign)
    return names


def _described(tracker: str, campaign: str) -> str:
    if tracker != "url_template":
        return f"{tracker} · {campaign}" if campaign else tracker
    if campaign:
        return gettext("addresses of %(campaign)s", campaign=campaign)
    return gettext("addresses of the account")
