"""The channel, the site and the source that a call of AdTarget's API means.

Its keys once belonged to one site, so a call may name none: then the page's host tells which
site it is, or there is only one.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from sqlalchemy import or_, select

from app.domain.clicks.origins import is_allowed
from app.errors import BadParameter, ChannelNotFound, translatable
from app.extensions import db
from app.models import Campaign, Site, Source
from app.services.clicks import lookup
from app.services.clicks.lookup import KnownSite

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")


def find_campaign(account_id: int, channel: str) -> int:
    """Return the living campaign of a channel: its id in Telegram, or the campaign's code.

    Raises ChannelNotFound.
    """
    names = [Campaign.code == channel]
    if _NUMBER.fullmatch(channel):
        names.append(Campaign.chat_id == int(channel))
    campaign = db.session.scalar(
        select(Campaign.id)
        .where(Campaign.account_id == account_id, Campaign.living, or_(*names))
        .order_by(Campaign.id.desc())
        .limit(1)
    )
    if campaign is None:
        raise ChannelNotFound
    return campaign


def find_site(account_id: int, params: Mapping[str, Any]) -> KnownSite | None:
    """Return the site that `website_id` or `site_id` names, or else that of the page `href`.

    Without both the only site of the account; None where that is not clear. Raises BadParameter
    for a site that the account does not have.
    """
    rows = db.session.execute(
        select(Site.id, Site.public_id, Site.domains)
        .where(Site.account_id == account_id)
        .order_by(Site.id)
    ).all()
    for field, name in (("websiteId", "website_id"), ("siteId", "site_id")):
        if not (text := params.get(name)):
            continue
        named = [row for row in rows if text in (row.public_id, str(row.id))]
        if not named:
            raise BadParameter(field, translatable("names no site of this account"))
        return lookup.find_site(named[0].public_id)
    host = _host(params.get("href") or "")
    of_page = [row for row in rows if host and is_allowed(host, orjson.loads(row.domains))]
    chosen = of_page[:1] or (rows if len(rows) == 1 else [])
    return lookup.find_site(chosen[0].public_id) if chosen else None


def check_site(account_id: int, params: Mapping[str, Any]) -> None:
    """Raise BadParameter for a site that is named and that the account does not have."""
    if params.get("website_id") or params.get("site_id"):
        find_site(account_id, params)


def find_source(account_id: int, site: KnownSite | None, params: Mapping[str, Any]) -> str:
    """Return the code of the source: `source`, that of the channel or site, or the only one.

    Raises ChannelNotFound, or BadParameter where nothing names one.
    """
    if code := params.get("source"):
        return str(code)
    default = site.default_code if site else ""
    own = select(Source.code).where(Source.account_id == account_id, Source.living)
    if channel := params.get("channel_id"):
        own = own.where(Source.campaign_id == find_campaign(account_id, channel))
    elif default:
        return default
    codes = db.session.scalars(own.order_by(Source.id)).all()
    if default in codes:
        return default
    if not codes or not (channel or len(codes) == 1):
        field = "channelId" if channel else "websiteId"
        raise BadParameter(field, translatable("leads to no source; make one by sources/add"))
    return codes[0]


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""
