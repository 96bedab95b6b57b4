"""Records what an account should be told, in the transaction in which it happens.

Nothing here commits or sends: `service_bot.digest` sends later. For an account
without a Telegram user nothing is recorded.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, select, update

from app.config import current_settings
from app.database.rows import insert_rows
from app.domain.tariffs import FREE
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Account, Bot, BotFaultKind, Notice, NoticeKind, table_of
from plugins.contract import EventKind

#: How many days before the end of a plan its owner is warned; the nearest first.
WARNED_DAYS: Final = (1, 3)

_NOTICES: Final = table_of(Notice)
_ACCOUNTS: Final = table_of(Account)
_COLUMNS: Final = "account_id campaign_id kind times about created".split()
#: By `notify_level`: 1 approve, 2 approve and wait, 3 all.
_KINDS_BY_LEVEL: Final[Mapping[int, frozenset[NoticeKind]]] = {
    1: frozenset({NoticeKind.APPROVE}),
    2: frozenset({NoticeKind.APPROVE, NoticeKind.WAIT}),
    3: frozenset(kind for kind in NoticeKind if kind.is_of_a_lead),
}


class CampaignEvents(NamedTuple):
    """The events of one kind in one campaign; `notify_level` is the campaign's."""

    account_id: int
    campaign_id: int
    notify_level: int
    kind: EventKind


def lead_events(connection: Connection, counts: Mapping[CampaignEvents, int], now: float) -> None:
    """Note how many events there were of each kind, for owners who want to hear of them.

    One row for each kind in a campaign. No commit.
    """
    counts = {
        events: count
        for events, count in counts.items()
        if NoticeKind(events.kind.value) in _KINDS_BY_LEVEL.get(events.notify_level, ())
    }
    if not counts or not notifications_enabled():
        return
    owners = _ACCOUNTS.c.id.in_({events.account_id for events in counts})
    reachable = set(connection.scalars(_reachable(owners, _ACCOUNTS.c.notify_leads)))
    rows = [
        (events.account_id, events.campaign_id, events.kind.value, count, "{}", now)
        for events, count in counts.items()
        if events.account_id in reachable
    ]
    insert_rows(connection, _NOTICES, _COLUMNS, rows)


def plans_ending(now: float) -> None:
    """Record a warning for plans that end within three days, and one within one day. No commit."""
    if not notifications_enabled():
        return
    connection = db.session.connection()
    account = _ACCOUNTS.c
    for days in WARNED_DAYS:
        moment = account.paid_until - days * DAY
        ending = connection.execute(
            update(_ACCOUNTS)
            .where(account.tariff != FREE, account.paid_until > now)
            .where(moment <= now, account.expiry_told < moment)
            .values(expiry_told=moment)
            .returning(account.id, account.tariff, account.paid_until, account.notify_tariff)
        ).all()
        for row in ending:
            if row.notify_tariff:
                about = {"days": days, "tariff": row.tariff, "until": row.paid_until}
                _note(row.id, NoticeKind.EXPIRY, about, now)


def payment(account_id: int, tariff: str, until: int, now: float) -> None:
    """Record that a plan was paid for, until `until`, Unix seconds. No switch turns this off."""
    _note(account_id, NoticeKind.PAYMENT, {"tariff": tariff, "until": until}, now)


def bot_fault(
    bot_id: int, kind: BotFaultKind, now: float, *, title: str = "", gave_up: bool = False
) -> None:
    """Record that something is wrong with a bot; `title` is the chat that it is about."""
    about = {"title": title, "gave_up": gave_up}
    _note_of_bot(bot_id, NoticeKind(kind.value), about, now)


def bot_fault_over(bot_id: int, kind: BotFaultKind, now: float, *, title: str = "") -> None:
    """Record that a fault of a bot is over."""
    _note_of_bot(bot_id, NoticeKind.OVER, {"title": title, "fault": kind.value}, now)


def session_opened(
    account_id: int, login_id: int | None, about: Mapping[str, Any], now: float
) -> None:
    """Record that a session was opened, by a login if that can be undone.

    `about` is what it was `opened_by`, the browser's `agent` and `address`, and when its page was
    `shown`.
    """
    _note(account_id, NoticeKind.SESSION, {**about, "login": login_id}, now)


def key_replaced(account_id: int, login_id: int | None, now: float) -> None:
    """Record that the API key was replaced, by a login if it was one."""
    _note(account_id, NoticeKind.KEY, {"login": login_id, "at": now}, now)


def transfer(account_id: int, what: str, about: Mapping[str, Any], now: float) -> None:
    """Record that a transfer was asked for, called off, done and so on, as `what` says."""
    _note(account_id, NoticeKind.TRANSFER, {**about, "what": what}, now)


def requests_waiting(account_id: int, campaign_id: int, title: str, count: int, now: float) -> None:
    """Record that `count` people wait to be let into the chat `title` of a campaign."""
    about = {"campaign": campaign_id, "title": title, "count": count}
    _note(account_id, NoticeKind.REQUESTS, about, now)


def _note_of_bot(bot_id: int, kind: NoticeKind, about: Mapping[str, Any], now: float) -> None:
    bot = db.session.get(Bot, bot_id)
    if bot is not None:
        _note(bot.account_id, kind, {**about, "bot": bot.username}, now)


def _note(account_id: int, kind: NoticeKind, about: Mapping[str, Any], now: float) -> None:
    if not notifications_enabled():
        return
    connection = db.session.connection()
    if connection.scalar(_reachable(_ACCOUNTS.c.id == account_id)) is not None:
        row = (account_id, 0, kind.value, 1, orjson.dumps(about).decode(), now)
        insert_rows(connection, _NOTICES, _COLUMNS, [row])


def _reachable(*where: ColumnElement[bool]) -> Any:
    return select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.tg_id.is_not(None), *where)


def notifications_enabled() -> bool:
    """Tell whether this installation has a service bot, without which nothing is sent."""
    return bool(current_settings().service_bot_token)
