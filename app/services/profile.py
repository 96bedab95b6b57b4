"""What an account sees and sets of itself: profile/*, with its one-click AlterCPA tracker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple
from zoneinfo import available_timezones

from app.domain.tariffs import FREE, PLANS, Plan
from app.errors import BadParameter, CannotConnect, translatable
from app.extensions import db
from app.models import Account
from app.services.accounts import accounts
from app.services.trackers import catalogue, connection_check, url_templates
from plugins.trackers import altercpa_lite

TRACKER: Final = "altercpa_lite"
#: Known everywhere, also without a database of zones.
UTC: Final = "UTC"


@dataclass(frozen=True, slots=True)
class Profile:
    """An account with its plan, the number of its living campaigns and its `pb_*` templates."""

    account: Account
    plan: Plan
    campaigns: int
    templates: Mapping[str, str]


class Connection(NamedTuple):
    """Which tracker is connected; `domain` is "" when none is. It never holds the key."""

    connected: bool
    domain: str


def read(account_id: int) -> Profile:
    """Return what `profile/info` shows. A plan that is no longer sold reads as the free one."""
    account = db.session.get_one(Account, account_id)
    return Profile(
        account,
        PLANS.get(account.tariff, PLANS[FREE]),
        accounts.living_campaigns(account_id),
        url_templates.read(account_id),
    )


def edit_templates(account_id: int, urls: Mapping[str, str]) -> None:
    """Change some of the account's five templates, by `pb_*` name; "" clears one.

    Raises BadParameter that names the template which cannot be used.
    """
    settings = url_templates.checked(urls)
    accounts.lock(account_id)
    url_templates.write(account_id, None, settings, keeps_others=True)
    db.session.commit()


def choose_notifications(
    account_id: int, *, tariff: bool | None = None, leads: bool | None = None
) -> None:
    """Switch notifications on or off; None leaves a switch as it is."""
    account = db.session.get_one(Account, account_id)
    if tariff is not None:
        account.notify_tariff = tariff
    if leads is not None:
        account.notify_leads = leads
    db.session.commit()


def choose_language(account_id: int, lang: str) -> None:
    """Set the language of an account, one of `accounts.LANGUAGES`."""
    db.session.get_one(Account, account_id).lang = lang
    db.session.commit()


def choose_zone(account_id: int, zone: str) -> None:
    """Set the time zone in which an account sees its times, such as Europe/Riga. Commits.

    Raises BadParameter for a zone that this system does not know.
    """
    if zone != UTC and zone not in available_timezones():
        raise BadParameter(
            "zone", translatable("must be the name of a time zone, such as Europe/Moscow")
        )
    db.session.get_one(Account, account_id).zone = zone
    db.session.commit()


def connection(account_id: int) -> Connection:
    """Return which tracker the account has connected."""
    domain = db.session.get_one(Account, account_id).tracker_domain
    return Connection(domain is not None, domain or "")


def choose_connection(account_id: int, *, domain: str, key: str) -> Connection:
    """Connect the tracker at `domain`, or disconnect if it is blank; return what is connected.

    Raises as `connect` does.
    """
    if domain.strip():
        connect(account_id, domain, key)
    else:
        disconnect(account_id)
    return connection(account_id)


def connect(account_id: int, domain: str, key: str) -> None:
    """Check the tracker, then point all five templates of the account at it.

    Raises ValidationError for a domain or key that cannot be one, and
    CannotConnect, with nothing changed, when the tracker refuses.
    """
    adapter = catalogue.find(TRACKER, "domain")
    settings = catalogue.check(adapter, {"domain": domain, "key": key}, "")
    checked = connection_check.check(adapter, settings)
    if not checked.ok:
        raise CannotConnect.wrapping(checked.message)
    templates = url_templates.checked(
        {
            field: altercpa_lite.postback_template(kind, settings)
            for field, kind in url_templates.FIELDS.items()
        }
    )
    account = accounts.lock(account_id)
    account.tracker_domain = settings["domain"]
    account.tracker_key = settings["key"]
    url_templates.write(account_id, None, templates)
    db.session.commit()


def disconnect(account_id: int) -> None:
    """Forget domain and key. The templates stay and go on firing."""
    account = accounts.lock(account_id)
    account.tracker_domain = account.tracker_key = None
    db.session.commit()
