"""What needs attention: each thing that is wrong with an account, and where to mend it."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from app.domain.time_ranges import DAY
from app.models import DestinationStatus
from app.services.accounts.accounts import Caller
from app.services.bots import bots
from app.services.campaigns import campaigns
from app.services.clicks.owner import source_faults
from app.services.clicks.owner.source_faults import FaultKind
from app.services.join_requests import query as requests
from app.services.postbacks import log
from app.services.trackers import glance
from app.translations import gettext, ngettext, translated

#: A plan is told of when it ends within so many days.
PLAN_DAYS: Final = 3
#: A postback is told of when it has been due for longer than this.
DUE_SECONDS: Final = 300


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
        *_due(account.id, now),
        *_requests(account.id, now),
        *_sources(account.id, now),
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
    for bot_id, fault in bots.faults_of(account_id):
        name = f"bot:{bot_id}:{fault.kind}:{fault.chat_id}"
        yield Item(name, fault.message, "/bots", fault.since)


def _campaigns(account_id: int) -> Iterator[Item]:
    for row in campaigns.with_welcome_fault(account_id):
        text = gettext(
            "Something is left out of the welcome of %(title)s: %(fault)s",
            title=row.chat_title,
            fault=translated(row.welcome_fault),
        )
        yield Item(f"welcome:{row.id}", text, f"/campaigns/{row.id}/welcome")


def _trackers(account_id: int, now: int) -> Iterator[Item]:
    for row in glance.in_trouble(account_id, now):
        name = row.title or row.tracker
        if row.status == DestinationStatus.OFF:
            text = gettext(
                "The tracker %(name)s is switched off: %(reason)s", name=name, reason=row.reason
            )
            yield Item(f"off:{row.id}", text, f"/trackers/{row.id}")
        else:
            text = gettext(
                "The tracker %(name)s fails again and again; it is tried again in %(num)s s.",
                name=name,
                num=int(row.blocked_until - now),
            )
            yield Item(f"fails:{row.id}", text, f"/trackers/{row.id}")


def _postbacks(account_id: int, now: int) -> Iterator[Item]:
    since = now - DAY
    count, newest = log.failed(account_id, since)
    if count:
        text = ngettext(
            "%(num)s postback failed in the last 24 hours.",
            "%(num)s postbacks failed in the last 24 hours.",
            count,
        )
        yield Item("failed", text, f"/deliveries?state=failed&from={since}", newest)


def _due(account_id: int, now: int) -> Iterator[Item]:
    since = log.oldest_due(account_id, now)
    if since is not None and now - since > DUE_SECONDS:
        minutes = int(now - since) // 60
        text = ngettext(
            "A postback has been due for %(num)s minute and is not sent.",
            "A postback has been due for %(num)s minutes and is not sent.",
            minutes,
        )
        yield Item("due", text, "/deliveries?state=waiting", since)


def _requests(account_id: int, now: int) -> Iterator[Item]:
    if count := requests.let_in_but_outside(account_id, now):
        text = ngettext(
            "%(num)s person was let in within the last 24 hours and has not joined.",
            "%(num)s people were let in within the last 24 hours and have not joined.",
            count,
        )
        yield Item("outside", text, "/requests?tab=decided&state=approved")


def _sources(account_id: int, now: int) -> Iterator[Item]:
    for fault in source_faults.find(account_id, now):
        if fault.kind is FaultKind.FALLBACK:
            text = gettext(
                "%(title)s: %(num)s percent of the clicks got no invite link of their own.",
                title=fault.title,
                num=fault.percent,
            )
        else:
            text = gettext(
                "%(title)s: %(num)s percent of the clicks came with a macro that nobody replaced;"
                " see how the link stands in the ad.",
                title=fault.title,
                num=fault.percent,
            )
        yield Item(f"{fault.kind}:{fault.source}", text, f"/sources/{fault.source}")
