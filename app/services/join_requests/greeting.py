"""Greetings of people who ask to join: written to while Telegram lets the bot. No commit.

Telegram lets a bot write for five minutes after a request, until it is processed
(https://core.telegram.org/bots/api#chatjoinrequest). Only a message of theirs opens the
conversation for good, not a pressed button (tdlib/td issue 2932): so the button is a start link.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Connection

from app.database.rows import insert_rows
from app.domain import welcome
from app.domain.clicks import payloads
from app.domain.media.limits import CAPTION
from app.models import Message, MessageLane, MessageState, table_of
from app.translations import LANGUAGES, gettext, use_language
from plugins.contract import Event, EventKind

_MESSAGES: Final = table_of(Message)
COLUMNS: Final = (
    "account_id bot_id chat_id campaign_id lead_id text media parse_mode entities markup state"
    " reason tries due created lane expires"
).split()
#: The five minutes, less what a call may take.
WINDOW_SECONDS: Final = 290
#: What the button of a question says to us.
HUMAN: Final = "human"
LONGEST_BUTTON: Final = 64


class Asker(NamedTuple):
    """The person who is greeted. `token` is that of their click, "" if none is known."""

    subscriber: int
    user_chat: int
    asked: int
    username: str
    first_name: str
    last_name: str
    language: str
    premium: bool
    click: str = ""
    token: str = ""
    lead_id: int | None = None


def asker_of(row: Any, user_chat: int) -> Asker:
    """Who asked, from a row with their names; they are written to at `user_chat`."""
    return Asker(
        subscriber=row.subscriber,
        user_chat=user_chat,
        asked=row.asked,
        username=row.username,
        first_name=row.first_name,
        last_name=row.last_name,
        language=row.language,
        premium=row.premium,
        lead_id=row.lead_id,
    )


class Greeting(NamedTuple):
    """A greeting to be written. With `asks` its button is the answer.

    `text` replaces the campaign's own, and has no button.
    """

    campaign: Any
    bot_username: str
    asker: Asker
    asks: bool
    expires: float
    text: str = ""


def write(connection: Connection, greetings: Sequence[Greeting], now: float) -> list[int]:
    """Insert messages, all due at `now`. Returns their ids in the order of `greetings`."""
    rows = [_values(greeting, now) for greeting in greetings]
    inserted = insert_rows(
        connection, _MESSAGES, COLUMNS, rows, returning=["id", "bot_id", "chat_id", "campaign_id"]
    )
    ids = {(row.bot_id, row.chat_id, row.campaign_id): row.id for row in inserted}
    return [ids[row[1], row[2], row[3]] for row in rows]


def has_content(campaign: Any) -> bool:
    """Whether a campaign has something to say to who asks."""
    return bool(campaign.greet.strip() or campaign.greet_media)


def start_link(bot_username: str, code: str, token: str = "") -> str:
    """The link that opens the bot with the campaign's code, and the click's token if known."""
    payload = payloads.of_token(code, token) if token else code
    return f"https://t.me/{bot_username}?start={payload}"


def language_of(code: str) -> str:
    """The language in which a person of Telegram's language code is spoken to."""
    short = code[:2].lower()
    return short if short in LANGUAGES else LANGUAGES[0]


def _values(greeting: Greeting, now: float) -> tuple[Any, ...]:
    campaign, asker = greeting.campaign, greeting.asker
    media = "" if greeting.text else campaign.greet_media
    limit = CAPTION if media else welcome.MAX_TEXT
    template = greeting.text or campaign.greet
    text, entities, _ = welcome.render(template, _event(greeting), limit)
    return (
        campaign.account_id, campaign.bot_id, asker.user_chat, campaign.id, asker.lead_id or 0,
        text, media or None, "", orjson.dumps(entities).decode() if entities else "",
        "" if greeting.text else _button(greeting),
        int(MessageState.WAITING), "", 0, now, now, int(MessageLane.URGENT), greeting.expires,
    )  # fmt: skip


def _button(greeting: Greeting) -> str:
    campaign = greeting.campaign
    with use_language(language_of(greeting.asker.language)):
        label = campaign.greet_button or gettext("Continue")
    button: dict[str, str] = {"text": label[:LONGEST_BUTTON]}
    if greeting.asks:
        button["callback_data"] = f"{HUMAN}:{campaign.id}"
    else:
        token = greeting.asker.token
        button["url"] = start_link(greeting.bot_username, campaign.code, token)
    return orjson.dumps({"inline_keyboard": [[button]]}).decode()


def _event(greeting: Greeting) -> Event:
    """What fills in the macros: the request as an event."""
    campaign, asker = greeting.campaign, greeting.asker
    return Event(
        id=f"{campaign.code}-{asker.subscriber}-{asker.asked}",
        kind=EventKind.HOLD,
        lead=asker.lead_id or 0,
        account=campaign.account_id,
        campaign=campaign.code,
        chat=campaign.chat_id,
        title=campaign.chat_title,
        subscriber=asker.subscriber,
        username=asker.username,
        first_name=asker.first_name,
        last_name=asker.last_name,
        premium=asker.premium,
        language=asker.language,
        click=asker.click,
        time=asker.asked,
        joined=None,
        sequence=1,
    )
