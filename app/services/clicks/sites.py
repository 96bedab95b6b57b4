"""Sites: the pages of an account that may report visits, everything `sites/*` does but `check`."""

import secrets
import string
import time
from collections.abc import Sequence
from html import escape
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import Row, Select, and_, select
from sqlalchemy.exc import IntegrityError

from app.config import current_settings
from app.domain.clicks.origins import MAX_DOMAINS, normalize_domain
from app.domain.clicks.privacy import Capture, Consent
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Bot, Campaign, Site, Source
from app.services.accounts import accounts, quotas
from app.services.accounts.quotas import Quota
from app.services.lists import ownership

ID_ALPHABET: Final = string.ascii_letters + string.digits
ID_LENGTH: Final = 16
ID_TRIES: Final = 20
#: Nothing personal unless the owner asks for it.
DEFAULT_CAPTURE: Final = Capture.META_IDS | Capture.OTHER_IDS


class ShownSite(NamedTuple):
    """A site as its owner sees it. `source` is 0 without a default source.

    `snippet` is what goes into the pages, "" where the installation has no PUBLIC_URL.
    """

    id: int
    site: str
    domains: list[str]
    source: int
    capture: int
    consent: int
    created: int
    last_seen: int
    snippet: str


def listed(account_id: int, *, limit: int | None = None, offset: int = 0) -> list[ShownSite]:
    """Return the sites of an account, newest first."""
    rows = _rows(account_id).order_by(Site.id.desc()).limit(limit).offset(offset)
    return [_shown(row) for row in db.session.execute(rows)]


def add(
    account_id: int,
    *,
    domains: Sequence[str],
    source: int = 0,
    capture: int = DEFAULT_CAPTURE,
    consent: int = Consent.NONE,
) -> ShownSite:
    """Let the pages of `domains` report visits. Raises NotFound, PlanLimit or BadParameter.

    Commits.
    """
    accounts.lock(account_id)
    quotas.check(account_id, Quota.SITES)
    site = _insert(
        account_id=account_id,
        domains=_domains_text(domains),
        default_source_id=_own_source(account_id, source),
        capture=capture,
        consent=consent,
        created=int(time.time()),
    )
    db.session.commit()
    return find(account_id, site)


def find(account_id: int, site_id: int) -> ShownSite:
    """Return one site. Raises NotFound."""
    row = db.session.execute(_rows(account_id).where(Site.id == site_id)).first()
    if row is None:
        raise NotFound
    return _shown(row)


def edit(account_id: int, site_id: int, **changes: Any) -> None:
    """Change `domains`, `source`, `capture` or `consent`. Raises NotFound or BadParameter.

    Commits.
    """
    site = _locked(account_id, site_id)
    if "domains" in changes:
        site.domains = _domains_text(changes["domains"])
    if "source" in changes:
        site.default_source_id = _own_source(account_id, changes["source"])
    site.capture = changes.get("capture", site.capture)
    site.consent = changes.get("consent", site.consent)
    db.session.commit()


def remove(account_id: int, site_id: int) -> None:
    """Delete a site: its pages report nothing from now on; what they reported stays. Commits."""
    db.session.delete(_locked(account_id, site_id))
    db.session.commit()


_IS_DEFAULT: Final = and_(
    Source.id == Site.default_source_id, Source.account_id == Site.account_id, Source.living
)


def _rows(account_id: int) -> Select[Site, str, str]:
    return (
        select(Site, Source.code, Bot.username)
        .outerjoin(Source, _IS_DEFAULT)
        .outerjoin(Campaign, Campaign.id == Source.campaign_id)
        .outerjoin(Bot, Bot.id == Campaign.bot_id)
        .where(Site.account_id == account_id)
    )


def _shown(row: Row[Site, str, str]) -> ShownSite:
    site: Site = row.Site
    return ShownSite(
        site.id,
        site.public_id,
        orjson.loads(site.domains),
        site.default_source_id or 0,
        site.capture,
        site.consent,
        site.created,
        site.last_seen,
        _snippet(site, row.code or "", row.username or ""),
    )


def _snippet(site: Site, code: str, username: str) -> str:
    """Return the tag for a page, which says itself where the page's links should lead.

    "" without a PUBLIC_URL: the Host header of a request is whatever its sender likes.
    """
    base = current_settings().public_url
    if not base:
        return ""
    attributes = {"src": f"{base}/t.js", "data-site": site.public_id}
    if code:
        attributes |= {"data-source": code, "data-links": username.lower()}
    if site.consent == Consent.REQUIRED:
        attributes["data-consent"] = "required"
    texts = (f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<script async {' '.join(texts)}></script>"


def _locked(account_id: int, site_id: int) -> Site:
    return ownership.find(Site, account_id, site_id, locked=True)


def _own_source(account_id: int, source_id: int) -> int | None:
    if not source_id:
        return None
    ownership.hold(Source, account_id, source_id, Source.living)
    return source_id


def _domains_text(domains: Sequence[str]) -> str:
    """Return the JSON text of checked domains, each once. Raises BadParameter."""
    normal = list(dict.fromkeys(normalize_domain(domain) for domain in domains))
    if not normal:
        raise BadParameter("domains", translatable("must not be empty"))
    if len(normal) > MAX_DOMAINS:
        most = translatable("has more than %(most)d names", most=MAX_DOMAINS)
        raise BadParameter("domains", most)
    if "" in normal:
        wrong = next(domain for domain in domains if not normalize_domain(domain))
        raise BadParameter(
            "domains",
            translatable(
                "%(domain)s is no host; write shop.example or *.shop.example", domain=wrong
            ),
        )
    return orjson.dumps(normal).decode()


def _insert(**values: Any) -> int:
    """Insert under a fresh public id; a collision is tried again. Returns the row's id."""
    for _ in range(ID_TRIES):
        public_id = "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_LENGTH))
        site = Site(public_id=public_id, **values)
        try:
            with db.session.begin_nested():
                db.session.add(site)
        except IntegrityError:
            continue
        return site.id
    raise RuntimeError("no free public id was found")
