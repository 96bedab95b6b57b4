"""A visitor opens the link of a source: where they go, and what is recorded of it.

Nothing that a visitor sends can choose where a link leads: the target is made
of the campaign's own bot and code.
"""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select, text

from app.domain.clicks import link_query, payloads
from app.domain.clicks.link_query import LinkQuery
from app.errors import NotFound, TooManyRequests
from app.extensions import db
from app.models import BotStatus, CampaignStatus, Click, SourceStatus
from app.models.account import IS_SUSPENDED_SQL
from app.services.accounts.rate_limits import Limit
from app.services.clicks import store, target
from app.services.clicks.store import Visit

_CODE: Final = re.compile(r"[a-z0-9]{8}")
REPEAT_SECONDS: Final = 600.0
VISITOR_LENGTH: Final = 22
_VISITOR_ALPHABET: Final = string.ascii_letters + string.digits

#: Clicks that are recorded, by address. Hundreds share one behind a carrier, so beyond it
#: people are still led on.
CLICKS: Final = Limit("clicks", per_minute=60, burst=30)
#: The same by account: what its ads bring in its best minutes, and no more is kept.
CLICKS_OF_ACCOUNT: Final = Limit("account-clicks", per_minute=6000, burst=6000)
#: Requests that are answered at all, by address.
VISITS: Final = Limit("visits", per_minute=600, burst=300)


_BY_CODE: Final = text(f"""
    SELECT
        source.id, source.account_id, source.campaign_id, source.click_param, source.sub_map,
        source.status AS source_status, campaign.code AS campaign_code, campaign.chat_title,
        campaign.status AS campaign_status, bot.username,
        {IS_SUSPENDED_SQL.format(owner="source.account_id")} AS is_suspended
    FROM source
    JOIN campaign ON campaign.id = source.campaign_id
    JOIN bot ON bot.id = campaign.bot_id
    WHERE source.code = :code AND source.status <> {SourceStatus.DELETED:d}
        AND campaign.status <> {CampaignStatus.DELETED:d} AND bot.status <> {BotStatus.DELETED:d}
""")  # noqa: S608 - our own constants


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a request tells of who opens the link.

    `mark` is the random mark that an earlier visit left, or "". `is_anonymous`:
    the browser asks not to be recognised, and then has no mark. `is_preview`: no
    person opens it now.
    """

    address: str
    mark: str = ""
    referrer: str = ""
    is_anonymous: bool = False
    is_preview: bool = False


class Target(NamedTuple):
    """Where the visitor goes. `title` is the chat's; `mark` is to be left with the browser."""

    link: str
    title: str
    mark: str = ""


def open_link(code: str, query: bytes, visitor: Visitor, now: float) -> Target:
    """Record a visit to the source `code` at `now`, Unix seconds, and say where it leads.

    Raises NotFound for an unknown or deleted source, campaign or bot, and
    TooManyRequests for an address that floods us.
    """
    VISITS.hit(visitor.address)
    link = _find(code, now)
    if visitor.is_preview:
        store.record(Visit(link.id, "previews", now))
        return Target(target.plain(link).link, link.chat_title)
    if _stands_still(link):
        store.record(Visit(link.id, "paused", now))
        return Target(target.plain(link).link, link.chat_title)
    if not visitor.is_anonymous and not visitor.mark:
        visitor = replace(visitor, mark=_new_mark())
    token = _earlier_token(link.id, visitor, now)
    choice = target.choose_again(link, token, now) if token else None
    if choice is not None:
        store.record(Visit(link.id, "repeats", now))
        return Target(choice.link, link.chat_title, visitor.mark)
    try:
        CLICKS.hit(visitor.address)
        CLICKS_OF_ACCOUNT.hit(str(link.account_id))
    except TooManyRequests:
        return Target(target.plain(link).link, link.chat_title)
    token = payloads.new_token()
    choice = target.choose(link, token, now)
    store.record(Visit(link.id, "clicks", now, _new_click(link, token, query, visitor, now)))
    return Target(choice.link, link.chat_title, visitor.mark)


def _find(code: str, now: float) -> Any:
    """The living source with what its link needs. Raises NotFound."""
    if not _CODE.fullmatch(code):
        raise NotFound
    row = db.session.connection().execute(_BY_CODE, {"code": code, "now": now}).first()
    db.session.rollback()
    if row is None:
        raise NotFound
    return row


def _stands_still(link: Any) -> bool:
    is_paused = (
        link.source_status == SourceStatus.PAUSED or link.campaign_status == CampaignStatus.PAUSED
    )
    return is_paused or bool(link.is_suspended)


def _earlier_token(source_id: int, visitor: Visitor, now: float) -> str:
    """The token of this browser's last click on this source, if it was minutes ago."""
    if not visitor.mark:
        return ""
    newest = (
        select(Click.token)
        .where(
            Click.visitor == visitor.mark,
            Click.visitor != "",
            Click.source_id == source_id,
            Click.created > now - REPEAT_SECONDS,
        )
        .order_by(Click.created.desc())
        .limit(1)
    )
    token = db.session.scalar(newest) or ""
    db.session.rollback()
    return token


def _new_mark() -> str:
    return "".join(secrets.choice(_VISITOR_ALPHABET) for _ in range(VISITOR_LENGTH))


def _new_click(link: Any, token: str, query: bytes, visitor: Visitor, now: float) -> dict[str, Any]:
    """The values of `store.COLUMNS` for a click that begins now."""
    return {
        "account_id": link.account_id,
        "source_id": link.id,
        "campaign_id": link.campaign_id,
        "token": token,
        "visitor": visitor.mark,
        "created": int(now),
        "referrer": visitor.referrer,
        **_as_columns(link_query.read(query, link.click_param, orjson.loads(link.sub_map))),
    }


def _as_columns(found: LinkQuery) -> dict[str, Any]:
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    return {
        name: orjson.dumps(value).decode() if isinstance(value, dict) else value
        for name, value in values.items()
    } | {"flags": int(found.flags)}
