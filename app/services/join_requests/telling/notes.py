"""What a decision that Telegram has heard leaves behind: a line in the journal, and a greeting.

Nothing here commits. Whoever changes the request's state writes its line in the same
transaction, so there is exactly one.
"""

from typing import Any, Final

from sqlalchemy import Connection, select

from app.database.rows import insert_rows
from app.domain.join_requests.rules import Verdict
from app.models import (
    Action,
    Bot,
    Campaign,
    DecidedBy,
    GreetOn,
    JoinRequest,
    JournalEntry,
    RequestRule,
    table_of,
)
from app.models.journal import ENTRY_COLUMNS
from app.services.join_requests import greeting
from app.services.join_requests.greeting import Greeting, asker_of

#: After the approval a person is greeted for so long; it only arrives if they started the bot.
AFTERWARDS_SECONDS: Final = 600.0
_REQUESTS: Final = table_of(JoinRequest)
_CAMPAIGNS: Final = table_of(Campaign)
_JOURNAL: Final = table_of(JournalEntry)
_GREETED_AFTERWARDS: Final = frozenset({GreetOn.APPROVED, GreetOn.BOTH})


def write(connection: Connection, request_id: int, now: float) -> None:
    """Note that Telegram did what was decided of a request, and greet who was let in."""
    row = connection.execute(select(_REQUESTS).where(_REQUESTS.c.id == request_id)).one()
    action = Action.APPROVED if row.action == Verdict.APPROVE else Action.DECLINED
    words = _words(connection, row, row.decided or now)[:200]
    values = (
        row.account_id, row.bot_id, row.chat_id, row.campaign_id, row.lead_id, row.subscriber,
        row.username, int(action), int(row.decided or now), 0, words,
    )  # fmt: skip
    insert_rows(connection, _JOURNAL, ENTRY_COLUMNS, [values])
    if action is Action.APPROVED:
        _greet(connection, row, now)


def _words(connection: Connection, row: Any, decided: float) -> str:
    """Say whose decision it was, and after how long."""
    verb = "approved" if row.action == Verdict.APPROVE else "declined"
    after = f"{max(0, int(decided) - row.asked)} s after the request"
    if row.decided_by == DecidedBy.PERSON:
        return f"{verb} by a person, {after}"
    if row.rule_id is None:
        return f"{verb} by the desk, {after}"
    query = select(RequestRule.position).where(RequestRule.id == row.rule_id)
    position = connection.scalar(query)
    which = "a rule of the past" if position is None else f"rule {position}"
    return f"{verb} by {which}, {after}"


def _greet(connection: Connection, row: Any, now: float) -> None:
    """Greet who was let in, if the campaign does so."""
    query = select(_CAMPAIGNS).where(_CAMPAIGNS.c.id == row.campaign_id)
    campaign = connection.execute(query).one()
    if campaign.greet_on not in _GREETED_AFTERWARDS or not greeting.has_content(campaign):
        return
    username = connection.scalar(select(Bot.username).where(Bot.id == row.bot_id)) or ""
    asker = asker_of(row, row.user_chat or row.subscriber)
    expires = now + AFTERWARDS_SECONDS
    greeting.write(connection, [Greeting(campaign, username, asker, False, expires)], now)
