"""A visitor opens the link of a source: where they go, and what is recorded of it.

Nothing that a visitor sends can choose where a link leads: the target is made
of the campaign's own bot and code.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select

from app.crypto import cipher
from app.domain.clicks import link_query, payloads
from app.domain.clicks.link_query import LinkQuery, QueryFlag
from app.domain.clicks.marks import base62
from app.domain.clicks.page_visit import PageVisit
from app.domain.clicks.payloads import TOKEN_LENGTH
from app.domain.clicks.privacy import Capture, kept_ids
from app.domain.time_ranges import DAY
from app.errors import TooManyRequests
from app.extensions import db
from app.models import Click
from app.services.accounts.rate_limits import Limit
from app.services.clicks import lookup, store, target, visit_store
from app.services.clicks.grouped.visit import Visit
from app.services.clicks.invites import pool
from app.services.clicks.lookup import KnownSite
from app.services.clicks.target import Choice
from app.services.clicks.visit_store import REPEAT_SECONDS, Report, pressed_at, token_of
from app.services.clicks.visits import CLICKS_OF_ACCOUNT, Reporter, may_keep, new_click, new_mark

#: Clicks that are recorded, by address. Hundreds share one behind a carrier, so beyond it
#: people are still led on.
CLICKS: Final = Limit("clicks", per_minute=60, burst=30)
#: Requests that are answered at all, by address.
VISITS: Final = Limit("visits", per_minute=600, burst=300)
#: A browser without a mark that presses again within so many seconds is recognised by the id
#: that the ad platform gave its press.
PRESS_SECONDS: Final = 10


class PageLink(NamedTuple):
    """What our script put into a link of its page.

    `mark` is that of the visit, `site` the public id of the site, or "". `consent` is None
    where the link does not say whether the visitor agreed. `reporter` is the browser.
    """

    mark: str
    site: str
    consent: bool | None
    reporter: Reporter


@dataclass(frozen=True, slots=True)
class Visitor:
    """What a request tells of who opens the link.

    `mark` is the random mark that an earlier visit left, or "". `is_anonymous`:
    the browser asks not to be recognised, and then has no mark. `is_preview`: no
    person opens it now. `country` is what a trusted header says. `page` is set for a link
    that our script wrote.
    """

    address: str
    mark: str = ""
    referrer: str = ""
    is_anonymous: bool = False
    is_preview: bool = False
    country: str = ""
    page: PageLink | None = None


class Target(NamedTuple):
    """Where the visitor goes; `link`, `kind` and `expires` are those of a `target.Choice`.

    `title` is the chat's, and `mark` is to be left with the browser. With `bridge` the visitor
    gets a page with a button instead of a redirect.
    """

    link: str
    title: str
    mark: str = ""
    kind: str = "start"
    expires: int = 0
    bridge: bool = False


def open_link(code: str, query: bytes, visitor: Visitor, now: float) -> Target:
    """Record a visit to the source `code` at `now`, Unix seconds, and say where it leads.

    A site's public id in place of `code` stands for its default source. Raises NotFound for
    an unknown or deleted source, campaign or bot, and TooManyRequests for an address that
    floods us.
    """
    VISITS.hit(visitor.address)
    page = visitor.page
    by_site = lookup.is_public_id(code)
    site = lookup.find_site(code if by_site else page.site if page else "")
    source = lookup.find_pressed_source(site.default_code if by_site and site else code, now)
    if visitor.is_preview:
        store.record(Visit(source.id, "previews", now))
        return _target(source, target.plain(source))
    if lookup.records_nothing(source):
        store.record(Visit(source.id, "paused", now))
        return _target(source, target.plain(source))
    try:
        if page is not None:
            site = site if site and site.account_id == source.account_id else None
            earlier = pressed_at(token_of(page.mark, source.id))
            if earlier is None or earlier <= now - REPEAT_SECONDS:
                _hit_limits(source, visitor)
            return press(source, page, site, now, query)
        return _click(source, query, visitor, now)
    except TooManyRequests:
        return _target(source, target.plain(source))


def press(
    source: Any, page: PageLink, site: KnownSite | None, now: float, query: bytes = b""
) -> Target:
    """Record that the link of a page was pressed, and say where it leads. Commits.

    `source` is a row of `lookup.find_source`. One visit is one click, however often it presses.
    """
    if may_keep(site, page.consent):
        parsed = link_query.read(query, source.click_param, orjson.loads(source.sub_map))
        visit, reporter = PageVisit(parsed), page.reporter
    else:
        visit = PageVisit(LinkQuery(flags=QueryFlag.NO_CONSENT))
        reporter = Reporter(is_anonymous=True)
    click = new_click(source, page.mark, visit, reporter, site)
    again = target.choose_again(source, click["token"], now) if pressed_at(click["token"]) else None
    choice = again or target.choose(source, click["token"], now)
    if choice.is_fallback and again is None:
        click["flags"] |= QueryFlag.FALLBACK
        store.record(Visit(source.id, "fallbacks", now))
    visit_store.record(Report({**click, "created": int(now), "pressed": int(now)}, now))
    return _target(source, choice)


def _click(source: Any, query: bytes, visitor: Visitor, now: float) -> Target:
    """Record a click by a link that stands in an ad."""
    last = _last_click(source.id, visitor.mark)
    if last and last.created > now - REPEAT_SECONDS:
        choice = target.choose_again(source, last.token, now)
        if choice is not None:
            store.record(Visit(source.id, "repeats", now))
            return _target(source, choice, visitor.mark)
    _hit_limits(source, visitor)
    parsed = link_query.read(query, source.click_param, orjson.loads(source.sub_map))
    press_id = "" if visitor.is_anonymous else parsed.press_id
    token = _new_token(source.id, visitor.mark, last.token if last else "", press_id, now)
    if not visitor.is_anonymous and not visitor.mark:
        visitor = replace(visitor, mark=new_mark())
    click = _new_click(source, token, parsed, visitor, now)
    choice = _pooled(source, click, now) or _beside_pool(source, click, now)
    return _target(source, choice, visitor.mark)


def _pooled(source: Any, click: dict[str, Any], now: float) -> Choice | None:
    """Store a click together with the hand-out of its link; None if the pool has none for it."""
    token, kind = click["token"], target.pooled_kind(source)
    if kind is None:
        return None
    order = pool.order(source, kind, token)
    stored = store.record(Visit(source.id, "clicks", now, click, order))
    if stored.is_repeat:  # the same browser has pressed twice in one moment
        store.record(Visit(source.id, "repeats", now))
        return target.choose_again(source, token, now)
    handed_out = pool.readable(stored)
    return target.of_pool(source, handed_out) if handed_out else None


def _beside_pool(source: Any, click: dict[str, Any], now: float) -> Choice:
    choice = target.choose_beside_pool(source, click["token"], now)
    if choice.is_fallback:
        click["flags"] |= QueryFlag.FALLBACK
    if store.record(Visit(source.id, "clicks", now, click)).is_repeat:
        store.record(Visit(source.id, "repeats", now))
    return choice


def _target(source: Any, choice: Choice, mark: str = "") -> Target:
    return Target(
        choice.link, source.chat_title, mark, choice.kind, choice.expires, bool(source.bridge)
    )


def _hit_limits(source: Any, visitor: Visitor) -> None:
    """Count a click against the limits of its address and its account. Raises TooManyRequests."""
    CLICKS.hit(visitor.address)
    CLICKS_OF_ACCOUNT.hit(str(source.account_id))


def _last_click(source_id: int, mark: str) -> Any:
    """The token of this browser's last click on this source, and when it was; None without one."""
    if not mark:
        return None
    newest = (
        select(Click.token, Click.created)
        .where(Click.visitor == mark, Click.visitor != "", Click.source_id == source_id)
        .order_by(Click.created.desc())
        .limit(1)
    )
    row = db.session.execute(newest).first()
    db.session.rollback()
    return row


def _new_token(source_id: int, mark: str, last: str, press_id: str, now: float) -> str:
    """Return the token of the click that follows the click `last` of a browser.

    It is derived, so two presses at once are one click whichever processes they come to. Without
    a mark it is derived from the id that the ad platform made for the press, for some seconds
    only, since addresses with such an id are passed on. Without either it is random. The day is
    part of the first, because clicks are deleted.
    """
    if mark:
        name = f"{source_id}:{mark}:{last}:{int(now // DAY)}"
    elif press_id:
        name = f"{source_id}::{press_id}:{int(now // PRESS_SECONDS)}"
    else:
        return payloads.new_token()
    return base62(cipher.visit_number(name), TOKEN_LENGTH)


def _new_click(
    source: Any, token: str, parsed: LinkQuery, visitor: Visitor, now: float
) -> dict[str, Any]:
    """The values of `store.COLUMNS` for a click that begins now."""
    parsed.ids = kept_ids(parsed.ids, ~Capture.NONE, is_anonymous=visitor.is_anonymous)
    return {
        "account_id": source.account_id,
        "source_id": source.id,
        "campaign_id": source.campaign_id,
        "token": token,
        "visitor": visitor.mark,
        "created": int(now),
        "pressed": int(now),
        "referrer": visitor.referrer,
        "country": visitor.country,
        **_as_columns(parsed),
    }


def _as_columns(parsed: LinkQuery) -> dict[str, Any]:
    values = {field.name: getattr(parsed, field.name) for field in fields(parsed)}
    return {
        name: orjson.dumps(value).decode() if isinstance(value, dict) else value
        for name, value in values.items()
    } | {"flags": int(parsed.flags)}
