"""Answers of people who were asked whether they are human, and of us to queries of guard bots.

A pressed button approves the request at once. It does not let the bot write later: only a
message of theirs does (tdlib/td issue 2932), which is why a start of the bot counts as well
(`intake`).
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, select, text, type_coerce
from sqlalchemy.types import Text

from app.config import current_settings
from app.database.rows import write_rows
from app.domain.telegram.updates import ButtonPressed
from app.extensions import cipher, db
from app.models import Bot, Campaign
from app.models.account import IS_SUSPENDED_SQL
from app.services.join_requests import statements
from app.services.join_requests.greeting import HUMAN, language_of
from app.services.messages.callbacks import CALLBACK_ANSWERS
from app.translations import gettext, use_language

_LONGEST_ID: Final = 18
_IS_SUSPENDED: Final = text(
    f"SELECT 1 FROM bot WHERE bot.id = :bot AND {IS_SUSPENDED_SQL.format(owner='bot.account_id')}"  # noqa: S608
)


def pressed(bot_id: int, press: ButtonPressed, now: float) -> None:
    """Approve who answers by the button of a greeting of this bot. No commit.

    The bot of a suspended account says nothing, and nobody is let in by it.
    """
    verb, _, digits = press.data.partition(":")
    if verb != HUMAN or not (digits.isascii() and digits.isdigit()) or len(digits) > _LONGEST_ID:
        return
    connection = db.session.connection()
    token = _tokens(connection, [bot_id]).get(bot_id)
    if token is None or connection.scalar(_IS_SUSPENDED, {"bot": bot_id, "now": now}):
        return
    # Whoever has a bot of their own makes buttons that say what ours say.
    asks = select(Campaign.id).where(Campaign.id == int(digits), Campaign.bot_id == bot_id)
    answer = [(campaign, press.person.id) for campaign in connection.scalars(asks)]
    is_theirs = write_rows(connection, statements.answering, "cs", answer, now=now)
    with use_language(language_of(press.person.language)):
        words = gettext("Thank you!") if is_theirs else gettext("This button no longer works.")
    CALLBACK_ANSWERS.answer_button(current_settings().telegram_api_url, token, press.query, words)


def leave_to_us(connection: Connection, queries: Collection[tuple[int, str]]) -> None:
    """Answer the queries of guard bots, pairs of bot and query, after the commit.

    Telegram waits ten seconds for it, and the person with it. `queue` leaves the request among
    those that wait, so that it is decided as any other.
    https://core.telegram.org/bots/api#answerchatjoinrequestquery.
    """
    tokens = _tokens(connection, {bot for bot, _ in queries}) if queries else {}
    base_url = current_settings().telegram_api_url
    for bot, query in queries:
        if bot in tokens:
            CALLBACK_ANSWERS.answer_request(base_url, tokens[bot], query)


def _tokens(connection: Connection, bots: Collection[int]) -> dict[int, str]:
    """The tokens of living bots, without those that cannot be read."""
    sealed = select(Bot.id, type_coerce(Bot.token, Text).label("token"))
    rows = connection.execute(sealed.where(Bot.id.in_(bots), Bot.living))
    tokens = ((row.id, cipher.decrypt_or_none(row.token)) for row in rows)
    return {bot: token for bot, token in tokens if token is not None}
