"""Hands invite links out to clicks: from the pool of the chat, else made on the spot."""

import time
from typing import Any, Final, NamedTuple

from sqlalchemy import Text, select, type_coerce

from app.config import current_settings
from app.crypto import CannotDecrypt
from app.extensions import cipher, db
from app.models import Bot, Invite, InviteKind, InviteState
from app.outbound.telegram import BotApi, TelegramRefused, TelegramUnreachable
from app.services.clicks import store
from app.services.clicks.grouped.visit import PoolOrder, Visit
from app.services.clicks.invites import minting, pace
from app.services.clicks.invites.minting import Maker

#: How long a visitor waits at most for a link that is made on the spot, in seconds.
MINT_SECONDS: Final = 1.4
#: After a call without an answer no visitor waits for Telegram for so long.
AWAY_SECONDS: Final = 5.0

#: The link as it is stored, so that one that cannot be read is like none.
_SEALED: Final = type_coerce(Invite.link, Text).label("link")

_away = {"until": 0.0}


class HandedOut(NamedTuple):
    """A link for one click, and until when it can be used, Unix seconds (0 is for ever)."""

    link: str
    expires: int = 0


def order(source: Any, kind: InviteKind, token: str) -> PoolOrder:
    """Order a link of the pool for the click `token`.

    `source` is a row that `open_link` has read, here and below.
    """
    return PoolOrder(source.bot_id, source.chat_id, int(kind), source.link_ttl, token)


def hand_out(source: Any, kind: InviteKind, token: str, now: float) -> HandedOut | None:
    """Give the click `token` a link of the pool that lives `link_ttl` at least. Commits.

    None if there is no such link. The click is stored by the caller.
    """
    return readable(store.record(Visit(source.id, "", now, order=order(source, kind, token))))


def make_now(source: Any, kind: InviteKind, token: str, now: float) -> HandedOut | None:
    """Make a link for the click `token` while the visitor waits, if the bot's pace allows it.

    No database connection is held meanwhile. Commits.
    """
    maker = None if now < _away["until"] else find_maker(source.bot_id)
    if maker is None or not pace.allows_call(maker.bot_id, source.chat_id, maker.slow_until, now):
        return None
    made = minting.order(
        maker, source.chat_id, kind, source.link_ttl, now, source_id=source.id, click_token=token
    )
    api = BotApi(current_settings().telegram_api_url, maker.token, seconds=MINT_SECONDS)
    reply: Any
    try:
        reply = api.call(minting.METHOD, **made.params)
    except TelegramRefused as error:
        reply = error
    except TelegramUnreachable as error:
        reply, _away["until"] = error, time.time() + AWAY_SECONDS
    link = minting.record(made, reply, now)
    return HandedOut(link, made.expires or 0) if link else None


def find_maker(bot_id: int) -> Maker | None:
    """A living bot as a maker of links; None if its token cannot be used. Ends the transaction."""
    columns = select(Bot.token, Bot.invites_slow_until, Bot.paused)
    try:
        row = db.session.execute(columns.where(Bot.id == bot_id, Bot.living)).first()
    except CannotDecrypt:
        row = None
    db.session.rollback()
    return Maker(bot_id, row[0], row[1]) if row and not row[2] else None


def of_click(token: str, now: float) -> tuple[bool, HandedOut | None]:
    """Whether a link was made for the click `token`, and the link if it can still be used."""
    columns = select(Invite.state, Invite.expires, _SEALED)
    newest = columns.where(Invite.token == token).order_by(Invite.id.desc())
    row = db.session.execute(newest.limit(1)).first()
    db.session.rollback()
    if row is None:
        return False, None
    is_usable = row.state == InviteState.HANDED_OUT and (row.expires or 0) > now
    return True, readable(row) if is_usable else None


def named_link(source: Any) -> HandedOut | None:
    """The link that all clicks of a source share; None until the worker has made it."""
    row = db.session.execute(
        select(_SEALED, Invite.expires).where(
            Invite.source_id == source.id,
            Invite.kind == InviteKind.NAMED,
            Invite.state == InviteState.HANDED_OUT,
            Invite.bot_id == source.bot_id,
            Invite.chat_id == source.chat_id,
        )
    ).first()
    db.session.rollback()
    return readable(row)


def readable(row: Any) -> HandedOut | None:
    """Return the link of a row, whose `link` is as it is stored; None if there is none to read."""
    link = cipher.decrypt_or_none(row.link) if row else None
    return None if link is None else HandedOut(link, row.expires or 0)
