"""Connection: the one-click AlterCPA tracker of an account, `profile/tracker`."""

from __future__ import annotations

from typing import NamedTuple

from app.errors import CannotConnect
from app.extensions import db
from app.models import Account
from app.services.accounts import accounts
from app.services.trackers import catalogue, connection_check, url_templates
from plugins.trackers import altercpa_lite

TRACKER = "altercpa_lite"


class Connection(NamedTuple):
    """Which tracker is connected; `domain` is "" when none is. Never the key."""

    connected: bool
    domain: str


def read(account_id: int) -> Connection:
    """The connection of an account."""
    domain = db.session.get_one(Account, account_id).tracker_domain
    return Connection(domain is not None, domain or "")


def choose(account_id: int, *, domain: str, key: str) -> None:
    """Connect `domain`, or with "" disconnect. Raises as `connect` does."""
    if domain.strip():
        connect(account_id, domain, key)
    else:
        disconnect(account_id)


def connect(account_id: int, domain: str, key: str) -> None:
    """Try the tracker, then let all five templates of the account lead to it.

    Raises ValidationError for a domain or key that cannot be one, and
    CannotConnect, with nothing changed, when the tracker does not agree.
    """
    adapter = catalogue.find(TRACKER, "domain")
    settings = catalogue.check(adapter, {"domain": domain, "key": key}, "")
    checked = connection_check.check(adapter, settings)
    if not checked.ok:
        raise CannotConnect.because(checked.message)
    account = accounts.lock(account_id)
    account.tracker_domain = settings["domain"]
    account.tracker_key = settings["key"]
    urls = {
        field: altercpa_lite.postback_template(kind, settings)
        for field, kind in url_templates.FIELDS.items()
    }
    url_templates.write(account_id, None, urls)
    db.session.commit()


def disconnect(account_id: int) -> None:
    """Forget domain and key. The templates stay and go on firing."""
    account = accounts.lock(account_id)
    account.tracker_domain = account.tracker_key = None
    db.session.commit()
