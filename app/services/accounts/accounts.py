"""Accounts: who may call the API, and on which plan."""

import hmac
import time
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from app.crypto import hash_secret, new_secret
from app.domain import tariffs
from app.domain.tariffs import FREE, GRACE, PERIOD, PlanStatus
from app.errors import BadKey, BadParameter, Banned, NotFound, Unpaid, translatable
from app.extensions import db, wakeup
from app.models import Account, AccountStatus, Campaign
from app.queues import Queue

LANGUAGES: Final = ("en", "ru")
_NOBODY: Final = hash_secret("")


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that makes a request. A plain value that holds no transaction.

    `zone` names the time zone of the account. `session_id` is None for a caller with the API
    key. `login_id` is the login by which the
    session was opened or the key was made; None for a key of the operator's.
    """

    id: int
    lang: str
    tariff: str
    paid_until: int | None
    session_id: int | None = None
    login_id: int | None = None
    zone: str = "UTC"
    name: str = ""

    @property
    def has_lapsed(self) -> bool:
        """Whether the plan has ended: the dashboard only shows then, and has no days of grace."""
        status = tariffs.plan_status(self.tariff, self.paid_until, time.time())
        return status in (PlanStatus.GRACE, PlanStatus.LAPSED)


class NewAccount(NamedTuple):
    """The id of a new account and its API key, which is stored as a hash only."""

    id: int
    key: str


def authenticate(key: str, *, must_be_paid: bool = True) -> Caller:
    """Return the account that `key` opens, and end the transaction.

    Raises BadKey, the same for a wrong key and an unknown account, Banned or
    Unpaid.
    """
    digits, _, secret = key.partition("-")
    account = _by_id(digits)
    expected = account.key_hash if account else _NOBODY
    if not hmac.compare_digest(hash_secret(secret), expected) or account is None or not secret:
        raise BadKey
    login_id = account.key_login_id
    return authorize(account, must_be_paid=must_be_paid, grace=GRACE, login_id=login_id)


def is_key_of(account: Account, key: str) -> bool:
    """Whether `key` is the account's key now."""
    digits, _, secret = key.partition("-")
    return digits == str(account.id) and hmac.compare_digest(hash_secret(secret), account.key_hash)


def authorize(
    account: Account,
    *,
    must_be_paid: bool,
    grace: int = 0,
    session_id: int | None = None,
    login_id: int | None = None,
) -> Caller:
    """Return the caller behind an account that has proved who it is; end the transaction.

    Raises Banned, or Unpaid from `grace` seconds after the end of the plan.
    """
    if account.status == AccountStatus.BANNED:
        raise Banned().in_language(account.lang)
    if must_be_paid and _has_lapsed(account, time.time(), grace):
        raise Unpaid().in_language(account.lang)
    caller = Caller(
        account.id,
        account.lang,
        account.tariff,
        account.paid_until,
        session_id,
        login_id,
        account.zone,
        account.name,
    )
    db.session.commit()  # a view may call Telegram: it must not hold a connection meanwhile
    return caller


def _by_id(digits: str) -> Account | None:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        return None
    return db.session.get(Account, int(digits))


def _has_lapsed(account: Account, now: float, grace: int) -> bool:
    if plan_status(account, now) in (PlanStatus.FREE, PlanStatus.PAID):
        return False
    return account.paid_until is not None and now > account.paid_until + grace


def plan_status(account: Account, now: float | None = None) -> PlanStatus:
    """Return the status of the account's plan at `now`, Unix seconds; None is the present."""
    return tariffs.plan_status(account.tariff, account.paid_until, now or time.time())


def create(
    login: str,
    name: str,
    *,
    tariff: str = FREE,
    until: int | None = None,
    lang: str = "en",
    now: int | None = None,
) -> NewAccount:
    """Create an account. `until` and `now` are Unix seconds.

    Raises BadParameter when the login is unusable or taken.
    """
    now = int(time.time()) if now is None else now
    _check_text("login", login, 64)
    _check_text("name", name, 128)
    secret = new_secret()
    account = Account(
        login=login,
        name=name,
        lang=lang,
        key_hash=hash_secret(secret),
        tariff=tariff,
        paid_until=_paid_until(tariff, until, now),
        created=now,
    )
    db.session.add(account)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise BadParameter(
            "login", translatable("the login %(login)s is taken", login=login)
        ) from error
    made = NewAccount(account.id, f"{account.id}-{secret}")
    db.session.commit()
    return made


def _check_text(field: str, text: str, longest: int) -> None:
    if not text.strip() or not text.isprintable() or len(text) > longest:
        raise BadParameter(
            field,
            translatable(
                "the %(field)s must be 1 to %(most)d printable characters",
                field=field,
                most=longest,
            ),
        )


def _paid_until(tariff: str, until: int | None, now: int) -> int | None:
    return until if until is not None or tariff == FREE else now + PERIOD


def by_login(login: str) -> Account:
    """Return the account with this login. Raises NotFound."""
    account = db.session.scalar(select(Account).where(Account.login == login))
    if account is None:
        raise NotFound(translatable("there is no account with the login %(login)s", login=login))
    return account


def ban(login: str, *, banned: bool) -> None:
    """Refuse an account's calls, postbacks and messages, or let them go on. Raises NotFound.

    What waits when an account is banned waits on. Lead events that come meanwhile are
    ignored; rights, migrated chats and blocked bots are stored as ever, and of updates
    nothing but that they came. The same holds when the grace after a plan is over.
    """
    by_login(login).status = AccountStatus.BANNED if banned else AccountStatus.ACTIVE
    db.session.commit()
    if not banned:
        wakeup.remind(Queue.POSTBACKS)
        wakeup.remind(Queue.MESSAGES)


def set_tariff(login: str, tariff: str, *, until: int | None, now: int) -> None:
    """Grant a plan until `until`, Unix seconds. None is 30 days for a paid plan.

    Raises NotFound.
    """
    account = by_login(login)
    account.tariff = tariff
    account.paid_until = _paid_until(tariff, until, now)
    db.session.commit()


def living_campaigns(account_id: int) -> int:
    """Count the campaigns that the plan limits: all that are not deleted."""
    living = select(func.count()).where(Campaign.account_id == account_id, Campaign.living)
    return db.session.scalar(living) or 0


def lock(account_id: int) -> Account:
    """Lock the account until the transaction ends, so that its limits are checked one at a time.

    New rows that only refer to the account, such as leads, do not wait for this lock.
    """
    return db.session.scalars(
        select(Account)
        .where(Account.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
