"""What needs attention: each thing that is wrong with an account, and where to mend it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from app.models import DestinationStatus, PostbackState
from app.services.accounts.accounts import Caller
from app.services.bots import bots
from app.services.campaigns import campaigns
from app.services.join_requests import query as requests
from app.services.postbacks import log
from app.services.trackers import destinations
from app.translations import gettext, ngettext, translated

DAY: Final = 86_400
#: Days before the end of a plan from which on it is told.
PLAN_DAYS: Final = 3


class Item(NamedTuple):
    """One thing: what is wrong, since when (Unix seconds, or None), and the page to mend it.

    `name` says which thing it is, whatever its numbers are, so that it can be hidden for a while.
    """

    name: str
    text: str
    link: str
    since: float | None = None


def items(account: Caller, now: int) -> list[Item]:
    """Return what needs attention, the newest first, without a time the last."""
    all_items = [
        *_plan(account, now),
        *_bots(account.id),
        *_campaigns(account.id),
        *_trackers(account.id, now),
        *_postbacks(account.id, now),
        *_requests(account.id, now),
    ]
    return sorted(all_items, key=lambda item: -(item.since or 0))


def _plan(account: Caller, now: int) -> Iterator[Item]:
    if account.has_lapsed:
        text = gettext("Your plan has ended; renew it to change anything here.")
        yield Item("plan", text, "/settings")
    elif account.paid_until is not None and account.paid_until - now < PLAN_DAYS * DAY:
        days = max(1, -(-(account.paid_until - now) // DAY))
        text = ngettext("Your plan ends in %(num)s day.", "Your plan ends in %(num)s days.", days)
        yield Item("plan", text, "/settings")


def _bots(account_id: int) -> Iterator[Item]:
    for row in bots.list_with_faults(account_id):
        if row.bot.living:
            for fault in row.faults:
                name = f"bot:{row.bot.id}:{fault.kind}:{fault.chat_id}"
                yield Item(name, fault.message, "/bots", fault.since)


def _campaigns(account_id: int) -> Iterator[Item]:
    for row in campaigns.listed(account_id):
        if row.welcome_fault:
            text = gettext(
                "Something is left out of the welcome of %(title)s: %(fault)s",
                title=row.chat_title,
                fault=translated(row.welcome_fault),
            )
            yield Item(f"welcome:{row.id}", text, f"/campaigns/{row.id}/welcome")


def _trackers(account_id: int, now: int) -> Iterator[Item]:
    for row in destinations.listed(account_id, limit=100).rows:
        number, name = row.destination.id, row.destination.title or row.destination.tracker
        if row.destination.status == DestinationStatus.OFF:
            text = gettext(
                "The tracker %(name)s is switched off: %(reason)s",
                name=name,
                reason=row.destination.reason,
            )
            yield Item(f"off:{number}", text, f"/trackers/{number}")
        elif row.destination.blocked_until > now:
            seconds = int(row.destination.blocked_until - now)
            text = gettext(
                "The tracker %(name)s fails again and again; it is tried again in %(num)s s.",
                name=name,
                num=seconds,
            )
            yield Item(f"fails:{number}", text, f"/trackers/{number}")


def _postbacks(account_id: int, now: int) -> Iterator[Item]:
    since = int(time.time()) - DAY
    page = log.listed(account_id, state=int(PostbackState.FAILED), since=since, limit=1)
    if page.total:
        text = ngettext(
            "%(num)s postback failed in the last 24 hours.",
            "%(num)s postbacks failed in the last 24 hours.",
            page.total,
        )
        yield Item(
            "failed",
            text,
            f"/deliveries?state=failed&from={since}",
            page.rows[0].created if page.rows else float(now),
        )


def _requests(account_id: int, now: int) -> Iterator[Item]:
    if count := requests.let_in_but_outside(account_id, now):
        text = ngettext(
            "%(num)s person was let in within the last 24 hours and has not joined.",
            "%(num)s people were let in within the last 24 hours and have not joined.",
            count,
        )
        yield Item("outside", text, "/requests?tab=decided&state=approved")
