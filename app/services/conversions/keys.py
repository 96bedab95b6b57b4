"""Keys of `/in/<key>`: made, shown once, replaced, deleted; and who may use one."""

import hashlib
import hmac
import ipaddress
import re
import secrets
import string
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import select, text

from app.crypto import cipher, hash_secret, new_secret
from app.errors import NotFound
from app.extensions import db
from app.models import Campaign, EventKey
from app.models.account import IS_SUSPENDED_SQL
from app.services.accounts import accounts, event_key_history, quotas
from app.services.accounts.keys import require_not_undone
from app.services.accounts.quotas import Quota
from app.services.lists import ownership
from app.services.lists.ownership import check_owned

_ALPHABET: Final = string.ascii_letters + string.digits
LENGTH: Final = 24
_KEY: Final = re.compile(rf"[A-Za-z0-9]{{{LENGTH}}}")

_BY_HASH: Final = text(f"""
    SELECT event_key.id, event_key.account_id, event_key.campaign_id, event_key.currency,
        event_key.secret, event_key.addresses,
        {IS_SUSPENDED_SQL.format(owner="event_key.account_id")} AS is_suspended
    FROM event_key WHERE key_hash = :hash
""")  # noqa: S608 - our own constants


class NewKey(NamedTuple):
    """What is shown once. `secret` is empty for a key whose calls need not be signed."""

    id: int
    key: str
    secret: str = ""


class ActiveKey(NamedTuple):
    """A key in use: `networks` may call, or all without any; with `secret` calls are signed."""

    id: int
    account_id: int
    campaign_id: int | None
    currency: str
    secret: str
    networks: tuple[str, ...]
    is_suspended: bool

    def lets_in(self, address: str) -> bool:
        """Whether somebody at `address` may use it."""
        if not self.networks:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(caller in ipaddress.ip_network(network) for network in self.networks)

    def is_signed(self, message: bytes, signature: str) -> bool:
        """Whether `signature` is the hexadecimal HMAC-SHA256 of `message`, if it has a secret."""
        if not self.secret:
            return True
        right = hmac.new(self.secret.encode(), message, hashlib.sha256).hexdigest()
        received = signature.strip().lower().removeprefix("sha256=")
        return hmac.compare_digest(right.encode(), received.encode("utf-8", "replace"))


def find(key: str, now: float) -> ActiveKey:
    """The key as it stands at `now`, Unix seconds. Raises NotFound."""
    if not _KEY.fullmatch(key):
        raise NotFound
    params = {"hash": hash_secret(key), "now": now}
    row = db.session.connection().execute(_BY_HASH, params).first()
    db.session.rollback()
    if row is None:
        raise NotFound
    return ActiveKey(
        row.id,
        row.account_id,
        row.campaign_id,
        row.currency,
        cipher.decrypt(row.secret) if row.secret else "",
        tuple(orjson.loads(row.addresses)),
        bool(row.is_suspended),
    )


def listed(
    account_id: int, *, campaign: int | None = None, limit: int | None = None, offset: int = 0
) -> Sequence[EventKey]:
    """The keys of an account, newest first; nobody can read the keys themselves again."""
    check_owned(account_id, campaign=campaign)
    matching = select(EventKey).where(EventKey.account_id == account_id)
    if campaign is not None:
        matching = matching.where(EventKey.campaign_id == campaign)
    return db.session.scalars(
        matching.order_by(EventKey.id.desc()).limit(limit).offset(offset)
    ).all()


def add(
    account_id: int,
    *,
    title: str,
    campaign: int | None = None,
    currency: str = "",
    addresses: Sequence[str] = (),
    signed: bool = False,
    login_id: int | None = None,
) -> NewKey:
    """Make a key, by the login `login_id` if it was one. Commits.

    Raises NotFound or PlanLimit, or BadKey for a login that was undone meanwhile.
    """
    accounts.lock(account_id)
    require_not_undone(login_id)
    if campaign is not None:
        ownership.hold(Campaign, account_id, campaign, Campaign.living)
    quotas.check(account_id, Quota.EVENT_KEYS)
    row = EventKey(
        account_id=account_id,
        campaign_id=campaign,
        title=title,
        currency=currency,
        addresses=orjson.dumps(list(addresses)).decode(),
        created=int(time.time()),
        login_id=login_id,
    )
    return _with_new_key(row, signed=signed)


def edit(account_id: int, key_id: int, **changes: Any) -> None:
    """Change `title`, `currency` or `addresses`. Raises NotFound. Commits."""
    row = _locked(account_id, key_id)
    if "addresses" in changes:
        changes["addresses"] = orjson.dumps(list(changes["addresses"])).decode()
    for name, value in changes.items():
        setattr(row, name, value)
    db.session.commit()


def rotate(
    account_id: int, key_id: int, *, signed: bool | None = None, login_id: int | None = None
) -> NewKey:
    """Replace a key, and its secret if it has one; the old one stops at once. Commits.

    `signed` says whether calls are signed from now on; None leaves that as it is. The key that a
    login has replaced is kept for its undo. Raises NotFound, or BadKey for a login that was
    undone meanwhile.
    """
    accounts.lock(account_id)
    require_not_undone(login_id)
    row = _locked(account_id, key_id)
    event_key_history.keep(row, login_id, time.time())
    row.login_id = login_id
    return _with_new_key(row, signed=row.secret is not None if signed is None else signed)


def remove(account_id: int, key_id: int) -> None:
    """Delete a key; what came by it stays. Raises NotFound. Commits."""
    db.session.delete(_locked(account_id, key_id))
    db.session.commit()


def _with_new_key(row: EventKey, *, signed: bool) -> NewKey:
    key = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
    secret = new_secret() if signed else ""
    row.key_hash, row.secret = hash_secret(key), secret or None
    db.session.add(row)
    db.session.flush()
    number = row.id
    db.session.commit()
    return NewKey(number, key, secret)


def _locked(account_id: int, key_id: int) -> EventKey:
    return ownership.find(EventKey, account_id, key_id, locked=True)
