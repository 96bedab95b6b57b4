"""Visits that pages report: what of them is kept, and the fbp that a pixel sets late."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select

from app.crypto import cipher
from app.domain.clicks import page_visit
from app.domain.clicks.marks import MARK_LENGTH, base62, read_mark
from app.domain.clicks.page_visit import PageVisit
from app.domain.clicks.privacy import Capture, Consent, kept_ids
from app.errors import BadParameter, NotFound, translatable
from app.extensions import db
from app.models import Click, Site
from app.services.accounts.rate_limits import Limit
from app.services.clicks import lookup, visit_store
from app.services.clicks.lookup import KnownSite
from app.services.clicks.visit_store import Report
from plugins.kit.platforms.meta_ids import is_fbp

#: Reports of pages, by address and by site. Hundreds share an address behind a carrier; the
#: link works without its report.
BY_ADDRESS: Final = Limit("page-visits", per_minute=60, burst=60)
BY_SITE: Final = Limit("site-visits", per_minute=3000, burst=3000)
#: Clicks of an account, however they came: what its ads bring in its best minutes.
CLICKS_OF_ACCOUNT: Final = Limit("account-clicks", per_minute=6000, burst=6000)
FBP_SECONDS: Final = 24 * 3600
MAX_SESSION: Final = 64


@dataclass(frozen=True, slots=True)
class Reporter:
    """What a request tells of the visitor it is about.

    `is_anonymous`: the browser asks not to be recognised. `country` is what a header that
    the operator trusts says, or "".
    """

    address: str = ""
    user_agent: str = ""
    country: str = ""
    is_anonymous: bool = False


class VisitIds(NamedTuple):
    """How a visit is called: `visit` is its click's token, `temp` the visitor's mark as sent.

    `names` are the names in Telegram that the source leads to, in lower case.
    """

    visit: str
    temp: str
    session: str
    names: tuple[str, ...]


def report(
    account_id: int, site: KnownSite | None, body: Mapping[str, Any], reporter: Reporter
) -> VisitIds:
    """Record a visit to a page of an account, under the names of `domain.clicks.page_visit`.

    `source` in the body is the code of the source that the page leads to; without it the
    site's default source counts. Without a `site` nothing private is kept. Where the site asks
    for consent, a report that does not say `"consent": true` is answered and not recorded.

    Raises NotFound for an unknown source or one of another account, BadParameter where nothing
    names a source, and TooManyRequests where the account has too many clicks a minute.
    """
    now = time.time()
    source = find_source(account_id, site, _text(body.get("source")), now)
    temp = _text(body.get("tempId"))
    mark = read_mark(temp)
    if not mark:
        temp = mark = new_mark()
    ids = VisitIds(
        visit_store.token_of(mark, source.id),
        temp,
        _text(body.get("clientSessionId"))[:MAX_SESSION] or new_mark(),
        (source.username.lower(),),
    )
    if lookup.records_nothing(source) or not may_keep(site, body.get("consent")):
        return ids
    CLICKS_OF_ACCOUNT.hit(str(account_id))
    visit = page_visit.read(body, source.click_param, orjson.loads(source.sub_map))
    click = new_click(source, mark, visit, reporter, site)
    visit_store.record(Report({**click, "created": int(now), "pressed": None}, now))
    return ids


def new_click(
    source: Any, mark: str, visit: PageVisit, reporter: Reporter, site: KnownSite | None
) -> dict[str, Any]:
    """Return the values of a click that `visit_store` takes, but `created` and `pressed`."""
    capture = site.capture if site else Capture.META_IDS | Capture.OTHER_IDS
    query = visit.query
    ids = kept_ids(query.ids, capture, is_anonymous=reporter.is_anonymous)
    address = visit.client_ip or reporter.address
    agent = visit.user_agent or reporter.user_agent
    private = Capture.NONE if site is None or reporter.is_anonymous else capture
    return {
        "account_id": source.account_id,
        "source_id": source.id,
        "campaign_id": source.campaign_id,
        "site_id": site.id if site else None,
        "token": visit_store.token_of(mark, source.id),
        "visitor": "" if reporter.is_anonymous else mark,
        "external": query.external,
        "referrer": visit.referrer,
        "landing": visit.landing,
        "ids": ids,
        "utm": query.utm,
        "subs": query.subs,
        "ad": query.ad,
        "flags": int(query.flags),
        "ip": cipher.encrypt(address) if private & Capture.IP and address else None,
        "ua": cipher.encrypt(agent) if private & Capture.USER_AGENT and agent else None,
        "country": visit.country or reporter.country,
        "city": visit.city,
    }


def add_fbp(site: KnownSite | None, account_id: int, temp: str, fbp: str) -> bool:
    """Add the fbp that a pixel set late to the newest visit of a browser within a day.

    An fbp that is known stays, and where the site of the visit does not capture it none is
    kept, nor while the account is suspended. Without `site` the visit may be of any. Returns
    whether the value is one that Meta takes; not whether there was such a visit, which is
    nobody's business. Commits.
    """
    mark = read_mark(temp)
    if not mark or not is_fbp(fbp):
        return False
    now = time.time()
    if lookup.is_suspended(account_id, now):
        return True
    mine = (Click.visitor == mark, Click.account_id == account_id)
    recent = Click.created > now - FBP_SECONDS
    same_site = Click.site_id == site.id if site else Click.id.is_not(None)
    newest = select(Click).where(*mine, recent, same_site).order_by(Click.created.desc()).limit(1)
    if db.session.scalar(newest.with_only_columns(Click.id)) is None:
        db.session.rollback()  # a stranger's call locks nothing for nothing
        return True
    click = db.session.scalar(newest.with_for_update())
    if click is not None and _takes_fbp(click) and "fbp" not in (ids := orjson.loads(click.ids)):
        click.ids = orjson.dumps({**ids, "fbp": fbp}).decode()
    db.session.commit()
    return True


def _takes_fbp(click: Click) -> bool:
    """Whether an fbp may be kept of this visit. A site that is deleted captures nothing."""
    if click.site_id is None:
        return True
    capture = db.session.scalar(select(Site.capture).where(Site.id == click.site_id))
    return bool((capture or 0) & Capture.META_IDS)


def new_mark() -> str:
    """Return a new random mark of a visitor."""
    return base62(secrets.randbits(8 * MARK_LENGTH), MARK_LENGTH)


def find_source(account_id: int, site: KnownSite | None, code: str, now: float) -> Any:
    """Return the source `code` of an account; without a code, the site's default source.

    Raises NotFound, or BadParameter where nothing names a source.
    """
    code = code or (site.default_code if site else "")
    if not code:
        raise BadParameter("source", translatable("is required: the site has no default source"))
    source = lookup.find_source(code, now)
    if source.account_id != account_id:
        raise NotFound
    return source


def may_keep(site: KnownSite | None, consent: object) -> bool:
    """Whether the visitor has agreed, or need not, and has not declined."""
    if site is not None and site.consent is Consent.REQUIRED:
        return consent is True
    return consent is not False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
