"""Finds the source that a link names and the site that a page names. No writes."""

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from app.database.reads import read_first
from app.domain.clicks.privacy import Capture, Consent
from app.errors import NotFound
from app.extensions import db
from app.models import BotStatus, CampaignStatus, SourceStatus
from app.models.account import IS_SUSPENDED_SQL

_CODE: Final = re.compile(r"[a-z0-9]{8}")
_PUBLIC_ID: Final = re.compile(r"[A-Za-z0-9]{16}")

_BY_CODE: Final = text(f"""
    SELECT
        source.id, source.account_id, source.campaign_id, source.click_param, source.sub_map,
        source.status AS source_status, campaign.code AS campaign_code, campaign.chat_title,
        campaign.status AS campaign_status, campaign.chat_id, bot.username, bot.id AS bot_id,
        source.mode, source.link_ttl, source.fallback, source.bridge, campaign.desk,
        bot_chat.is_admin, bot_chat.can_invite, bot_chat.username AS chat_username,
        {IS_SUSPENDED_SQL.format(owner="source.account_id")} AS is_suspended
    FROM source
    JOIN campaign ON campaign.id = source.campaign_id
    JOIN bot ON bot.id = campaign.bot_id
    LEFT JOIN bot_chat ON bot_chat.bot_id = bot.id AND bot_chat.chat_id = campaign.chat_id
    WHERE source.code = :code AND source.status <> {SourceStatus.DELETED:d}
        AND campaign.status <> {CampaignStatus.DELETED:d} AND bot.status <> {BotStatus.DELETED:d}
""")  # noqa: S608 - our own constants
_BY_PUBLIC_ID: Final = text("""
    SELECT site.id, site.account_id, site.domains, site.capture, site.consent, source.code
    FROM site
    LEFT JOIN source ON source.id = site.default_source_id AND source.account_id = site.account_id
    WHERE site.public_id = :public_id
""")
_IS_SUSPENDED: Final = text("SELECT " + IS_SUSPENDED_SQL.format(owner=":account"))


@dataclass(frozen=True, slots=True)
class KnownSite:
    """A site as its pages need it. `default_code` is the code of its default source, or ""."""

    id: int
    account_id: int
    domains: tuple[str, ...]
    default_code: str
    capture: Capture
    consent: Consent


def find_source(code: str, now: float) -> Any:
    """Return the living source as a row of `_BY_CODE`; ends the transaction. Raises NotFound."""
    row = None
    if _CODE.fullmatch(code):
        row = db.session.connection().execute(_BY_CODE, {"code": code, "now": now}).first()
        db.session.rollback()
    if row is None:
        raise NotFound
    return row


def find_pressed_source(code: str, now: float) -> Any:
    """As `find_source`, but outside of a transaction, which saves two trips to the database."""
    db.session.rollback()
    row = None
    if _CODE.fullmatch(code):
        row = read_first(db.engine, _BY_CODE, {"code": code, "now": now})
    if row is None:
        raise NotFound
    return row


def records_nothing(source: Any) -> bool:
    """Whether the source, its campaign or its account records nothing now."""
    is_paused = (
        source.source_status == SourceStatus.PAUSED
        or source.campaign_status == CampaignStatus.PAUSED
    )
    return is_paused or bool(source.is_suspended)


def is_suspended(account_id: int, now: float) -> bool:
    """Whether an account is suspended at `now`, Unix seconds; ends the transaction."""
    answer = db.session.scalar(_IS_SUSPENDED, {"account": account_id, "now": now})
    db.session.rollback()
    return bool(answer)


def is_public_id(name: str) -> bool:
    """Whether this may be the public id of a site."""
    return _PUBLIC_ID.fullmatch(name) is not None


def find_site(public_id: str) -> KnownSite | None:
    """Return the site with this public id, None without one. Ends the transaction."""
    if not is_public_id(public_id):
        return None
    row = db.session.connection().execute(_BY_PUBLIC_ID, {"public_id": public_id}).first()
    db.session.rollback()
    if row is None:
        return None
    return KnownSite(
        row.id,
        row.account_id,
        tuple(orjson.loads(row.domains)),
        row.code or "",
        Capture(row.capture),
        Consent(row.consent),
    )
