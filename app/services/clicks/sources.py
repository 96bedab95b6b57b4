"""Sources: the links for ads, everything `sources/*` does."""

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Row,
    Select,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError

from app.config import current_settings
from app.database.direct import fetch
from app.domain.clicks.link_query import SUBS
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Campaign, Source, SourceDay, SourceMode, SourceStatus
from app.services.accounts import accounts, quotas
from app.services.accounts.quotas import Quota
from app.services.campaigns import links
from app.services.campaigns.links import TrackerLink
from app.services.clicks import source_modes
from app.services.clicks.grouped.visit import COUNTERS
from app.services.lists import ownership
from app.services.lists.ownership import check_owned

CODE_ALPHABET: Final = string.ascii_lowercase + string.digits
CODE_LENGTH: Final = 8
CODE_TRIES: Final = 20
DEFAULT_CLICK_PARAM: Final = "click"
MAX_SUB_MAP: Final = 10
_SETTINGS: Final = ("mode", "link_ttl", "lookback", "fallback", "bridge")


def listed(
    account_id: int, *, campaign: int | None = None, limit: int | None = None, offset: int = 0
) -> Sequence[Row[Any]]:
    """The sources that are not deleted, newest first, with their counters. Raises NotFound."""
    check_owned(account_id, campaign=campaign)
    of_campaign = [Source.campaign_id == campaign] if campaign is not None else []
    rows = _rows(account_id, *of_campaign)
    return db.session.execute(rows.order_by(Source.id.desc()).limit(limit).offset(offset)).all()


def titles(account_id: int) -> Sequence[Row[Any]]:
    """`id` and `title` of the sources that are not deleted, newest first."""
    columns: list[Any] = [Source.id, Source.title]
    mine = select(*columns).where(Source.account_id == account_id, Source.living)
    return db.session.execute(mine.order_by(Source.id.desc())).all()


def titles_beside_campaigns(account_id: int) -> Sequence[Any]:
    """What campaigns and sources that are not deleted are called, newest first.

    A row has `is_source`, 0 or 1, `id` and `title`.
    """
    return fetch(db.session.connection(), _TITLES, {"account": account_id})


def _titles() -> Any:
    """Select what `titles_beside_campaigns` returns, with the parameter `account`."""
    account, title = bindparam("account", type_=BigInteger()), Campaign.chat_title
    campaigns: Any = select(
        literal(0, Integer).label("is_source"), Campaign.id, title.label("title")
    ).where(Campaign.account_id == account, Campaign.living)
    mine: Any = select(literal(1, Integer), Source.id, Source.title).where(
        Source.account_id == account, Source.living
    )
    return campaigns.union_all(mine).order_by(text("id DESC"))


_TITLES: Final = _titles()  # to make it takes longer than to run it


def find(account_id: int, source_id: int) -> Row[Any]:
    """One source with its counters. Raises NotFound."""
    row = db.session.execute(_rows(account_id, Source.id == source_id)).first()
    if row is None:
        raise NotFound
    return row


def add(
    account_id: int,
    *,
    campaign: int,
    title: str,
    click_param: str = DEFAULT_CLICK_PARAM,
    sub_map: Mapping[str, str] | None = None,
    force: bool = False,
    **settings: int,
) -> Source:
    """Make a link for a campaign. Raises NotFound, PlanLimit or BadParameter. Commits.

    `settings` are `mode`, `link_ttl`, `lookback`, `fallback` and `bridge` as `models.Source` has
    them. `force` allows a mode by which Telegram will not tell where people come from.
    """
    accounts.lock(account_id)
    ownership.hold(Campaign, account_id, campaign, Campaign.living)
    source_modes.check(campaign, settings.get("mode", SourceMode.START), force=force)
    quotas.check(account_id, Quota.SOURCES)
    source = _insert(
        account_id=account_id,
        campaign_id=campaign,
        title=title,
        click_param=click_param,
        sub_map=_sub_map_text(sub_map or {}),
        created=int(time.time()),
        **settings,
    )
    db.session.commit()
    return source


def edit(account_id: int, source_id: int, *, force: bool = False, **changes: Any) -> Source:
    """Change what `add` takes, but the campaign. Raises NotFound or BadParameter. Commits."""
    source = _locked(account_id, source_id)
    if "mode" in changes:
        source_modes.check(source.campaign_id, changes["mode"], force=force)
    if "sub_map" in changes:
        changes["sub_map"] = _sub_map_text(changes["sub_map"])
    for name, value in changes.items():
        setattr(source, name, value)
    db.session.commit()
    return source


def warnings(source: Source) -> list[str]:
    """What keeps a source from working as it is set, in sentences of the language in use."""
    return source_modes.warnings(source.campaign_id, source.mode, source.fallback)


def pause(account_id: int, source_id: int, *, paused: bool) -> None:
    """Pause or resume. The link of a paused source leads on and records nothing. Commits."""
    source = _locked(account_id, source_id)
    source.status = SourceStatus.PAUSED if paused else SourceStatus.ACTIVE
    db.session.commit()


def remove(account_id: int, source_id: int) -> None:
    """Delete softly: its link leads nowhere from now on; clicks and counters stay. Commits."""
    _locked(account_id, source_id).status = SourceStatus.DELETED
    db.session.commit()


def make_links(account_id: int, source_id: int) -> list[TrackerLink]:
    """The links to put into ads: one for each tracker whose macro is known.

    The first one has no tracker and no click id. Raises NotFound, also without a PUBLIC_URL:
    the Host header of a request is whatever its sender likes, and ads cost money.
    """
    source = find(account_id, source_id)
    base = current_settings().public_url
    if not base:
        raise NotFound(
            translatable("this installation does not know its own address: set PUBLIC_URL")
        )
    link = f"{base.rstrip('/')}/c/{source.code}"
    param = quote(source.click_param, safe="")
    return [
        TrackerLink("", "", link),
        *(
            TrackerLink(formats.title, formats.macro, f"{link}?{param}={formats.macro}")
            for formats in links.click_formats(account_id, source.campaign)
            if formats.macro
        ),
    ]


def _rows(account_id: int, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Sources with their counters; days of other sources are not read."""
    mine = (Source.account_id == account_id, Source.living, *conditions)
    sums = (
        select(
            SourceDay.source_id,
            *(func.sum(getattr(SourceDay, name)).label(name) for name in COUNTERS),
        )
        .join(Source, Source.id == SourceDay.source_id)
        .where(*mine)
        .group_by(SourceDay.source_id)
        .subquery()
    )
    return (
        select(
            *(Source.__table__.c[name] for name in ("id", "code", "title", "click_param")),
            Source.campaign_id.label("campaign"),
            Source.sub_map,
            Source.status,
            Source.created,
            *(Source.__table__.c[name] for name in _SETTINGS),
            *(func.coalesce(sums.c[name], 0).label(name) for name in COUNTERS),
        )
        .outerjoin(sums, sums.c.source_id == Source.id)
        .where(*mine)
    )


def _locked(account_id: int, source_id: int) -> Source:
    return ownership.find(Source, account_id, source_id, Source.living, locked=True)


def _insert(**values: Any) -> Source:
    """Insert under a fresh code; a collision is tried again."""
    for _ in range(CODE_TRIES):
        code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
        source = Source(code=code, **values)
        try:
            with db.session.begin_nested():
                db.session.add(source)
        except IntegrityError:
            continue
        return source
    raise RuntimeError("no free source code was found")


def _sub_map_text(sub_map: Mapping[str, str]) -> str:
    """The JSON text of a checked `sub_map`. Raises BadParameter."""
    if len(sub_map) > MAX_SUB_MAP:
        most = translatable("has more than %(most)d names", most=MAX_SUB_MAP)
        raise BadParameter("sub_map", most)
    if any(value not in SUBS for value in sub_map.values()):
        raise BadParameter("sub_map", translatable("names are kept as sub1 to sub10 only"))
    if len(set(sub_map.values())) < len(sub_map):
        raise BadParameter("sub_map", translatable("two names are kept as the same sub"))
    return orjson.dumps(dict(sub_map)).decode()
