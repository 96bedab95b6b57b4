"""The link of a visitor, for a page or a server that asks for it instead of following ours."""

import time
from collections.abc import Mapping
from typing import Any

from app.domain.clicks.marks import read_mark
from app.services.clicks import lookup, target
from app.services.clicks.lookup import KnownSite
from app.services.clicks.open_link import PageLink, Target, press
from app.services.clicks.visits import CLICKS_OF_ACCOUNT, Reporter, find_source, new_mark


def make(
    account_id: int, site: KnownSite | None, params: Mapping[str, Any], reporter: Reporter
) -> Target:
    """Return where a visitor goes, and record that they went.

    `params` has `source`, `tempId` and `consent`, each as in a report of a visit. Raises
    NotFound, BadParameter where nothing names a source, or TooManyRequests.
    """
    now = time.time()
    source = find_source(account_id, site, params.get("source") or "", now)
    mark = read_mark(params.get("tempId") or "") or new_mark()
    if lookup.records_nothing(source):
        choice = target.plain(source)
        return Target(choice.link, source.chat_title, kind=choice.kind)
    CLICKS_OF_ACCOUNT.hit(str(account_id))
    page = PageLink(mark, "", params.get("consent"), reporter)
    return press(source, page, site, now)
