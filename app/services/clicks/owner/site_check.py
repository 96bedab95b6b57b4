"""Looks at a page of a site: whether our tag is there, as a browser would find it."""

from contextlib import suppress
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

from app.config import current_settings
from app.domain.clicks.origins import is_allowed
from app.errors import BadParameter, translatable
from app.extensions import db
from app.outbound.result import Answer
from app.outbound.transport import Transport
from app.services.clicks.owner.content_policy import allows_script
from app.services.clicks.sites import ShownSite, find
from app.web.request_slots import slot_released
from plugins.contract import Request

#: Bytes of a page that are looked through.
MAX_PAGE: Final = 512 * 1024
#: Of a page of nothing else, each costs 10 µs; a page of a long shop has some thousands.
MOST_TAGS: Final = 20_000
#: Redirects that are followed, within the site.
MOST_STEPS: Final = 3
_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HEADERS: Final = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (compatible; Gatepost)"}


class SiteCheck(NamedTuple):
    """What was seen. `url` is the page that was read last, `status` 0 without an answer.

    `tagged` is the site that the tag names, "" without one.
    """

    ok: bool
    message: str
    url: str
    status: int = 0
    ms: int = 0
    tagged: str = ""


class Tag(NamedTuple):
    """A script tag with `data-site`: what it loads, and the site that it names."""

    src: str
    site: str


def check(account_id: int, site_id: int, url: str = "") -> SiteCheck:
    """Fetch a page of the site and say what is seen of our tag there; the start page without `url`.

    Raises NotFound, or BadParameter for a page that is none of the site's. Ends the transaction.
    """
    site = find(account_id, site_id)
    page = url or _start_page(site)
    if not page or not _is_of(site, page):
        raise BadParameter("url", translatable("is no page of this site"))
    db.session.commit()
    answer, page = _fetch(site, page)
    if answer.response is None:
        reason = translatable("the page does not answer: %(reason)s", reason=answer.reason)
        return SiteCheck(False, reason, page, ms=answer.ms)
    if answer.status != _OK:
        reason = translatable("the page answers with HTTP status %(status)d", status=answer.status)
        return SiteCheck(False, reason, page, answer.status, answer.ms)
    tags = find_tags(answer.response.text, page)
    fault = _fault(site, tags, answer.response.headers.get("content-security-policy", ""))
    message = fault or translatable("the tag is there")
    tagged = next((tag.site for tag in tags), "")
    return SiteCheck(not fault, message, page, answer.status, answer.ms, tagged)


def find_tags(page: str, url: str) -> list[Tag]:
    """Return the script tags with `data-site` in the text of a page, their addresses whole.

    What stands behind its first 20,000 signs of a tag is not read.
    """
    reader = _Reader(url)
    with suppress(AssertionError):  # what no parser reads, such as `<![<`: the rest is not read
        reader.feed("<".join(page.split("<", MOST_TAGS)[:MOST_TAGS]))
    return reader.tags


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__()
        self.tags: list[Tag] = []
        self._url = url

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and "data-site" in values:
            try:
                address = urljoin(self._url, values.get("src", ""))
            except ValueError:
                address = ""
            self.tags.append(Tag(address, values["data-site"]))


def _fetch(site: ShownSite, page: str) -> tuple[Answer, str]:
    """The answer of a page and its address, after the redirects that stay within the site."""
    allow = current_settings().outbound_allow
    with slot_released(), Transport(allow=allow, connections=1, max_body=MAX_PAGE) as transport:
        for _ in range(MOST_STEPS):
            answer: Answer = next(transport.exchange([Request("GET", page, _HEADERS)]))
            target = _redirect(answer, page)
            if not target or not _is_of(site, target):
                break
            page = target
    return answer, page


def _redirect(answer: Answer, page: str) -> str:
    if answer.response is None or answer.status not in _REDIRECTS:
        return ""
    try:
        return urljoin(page, answer.response.headers.get("location", ""))
    except ValueError:
        return ""


def _fault(site: ShownSite, tags: list[Tag], policy: str) -> str:
    """What keeps the tag from working, "" if nothing is seen that does."""
    script = f"{current_settings().public_url.rstrip('/')}/t.js"
    if not tags:
        return translatable(
            "the tag is not in the page; one that a tag manager adds later is not seen here"
        )
    if all(tag.site != site.site for tag in tags):
        return translatable("the tag names another site: %(site)s", site=tags[0].site[:64])
    if all(tag.src != script for tag in tags if tag.site == site.site):
        return translatable("the tag does not load %(script)s", script=script)
    if not allows_script(policy, script):
        return translatable(
            "the page's Content-Security-Policy does not allow %(script)s", script=script
        )
    return ""


def _start_page(site: ShownSite) -> str:
    hosts = [domain.removeprefix("*.") for domain in site.domains]
    return f"https://{hosts[0]}/" if hosts else ""


def _is_of(site: ShownSite, url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return False
    names = [*site.domains, *(domain.removeprefix("*.") for domain in site.domains)]
    return parts.scheme in ("http", "https") and not parts.username and is_allowed(host, names)
