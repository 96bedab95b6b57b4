"""Account: a customer of this installation; ReplacedKey: an API key it had before; HiddenItem."""

import enum
from typing import Final

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.tariffs import FREE, GRACE
from app.models.base import Base, Encrypted, Instant, Key, Moment


class AccountStatus(enum.IntEnum):
    """What the operator says of an account. A BANNED one is suspended, whatever its plan."""

    ACTIVE = 0
    BANNED = 1


#: SQL: whether the account that `{owner}` names is suspended at `:now`: banned, or its plan and
#: the grace are over. A scalar subquery, so that the account is found by its key whatever the
#: planner believes of the table. It is never NULL for an account that exists.
IS_SUSPENDED_SQL: Final = f"""(
    SELECT account.status = {AccountStatus.BANNED:d}
        OR (account.tariff <> '{FREE}' AND COALESCE(account.paid_until + {GRACE} < :now, FALSE))
    FROM account WHERE account.id = {{owner}}
)"""  # noqa: S608 - our own constants


class Account(Base):
    """Owns bots, campaigns and destinations. Its API key is stored as a hash.

    `tracker_domain` and `tracker_key` are those of `profile/tracker`, None while
    nothing is connected; the key is decrypted only by code that asks for it.
    `zone` is the name of the time zone in which times are shown, such as Europe/Riga.
    `tg_id` is the Telegram user behind the account, if there is one.
    `key_login_id` is the login by which the key was made, through its session or through
    another key that it had made; None for a key of the operator's.
    `expiry_told` is the moment, Unix seconds, of the last warning of the plan's end.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index("uq_account_login", "login", unique=True),
        Index("uq_account_tg_id", "tg_id", unique=True),
    )

    id: Mapped[Key]
    login: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(128))
    lang: Mapped[str] = mapped_column(String(2), default="en")
    zone: Mapped[str] = mapped_column(String(64), default="UTC", server_default="UTC")
    status: Mapped[int] = mapped_column(default=AccountStatus.ACTIVE)
    key_hash: Mapped[str] = mapped_column(String(64))
    key_login_id: Mapped[int | None] = mapped_column(BigInteger)
    tariff: Mapped[str] = mapped_column(String(16), default="kitten")
    paid_until: Mapped[Moment | None]
    notify_tariff: Mapped[bool] = mapped_column(default=True)
    notify_leads: Mapped[bool] = mapped_column(default=True)
    created: Mapped[Moment]
    tracker_domain: Mapped[str | None] = mapped_column(String(255))
    tracker_key: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    tg_id: Mapped[int | None] = mapped_column(BigInteger)
    expiry_told: Mapped[Moment] = mapped_column(default=0, server_default="0")


class ReplacedKey(Base):
    """A key, as a hash, that the key of another login has replaced. It opens nothing.

    It is kept for as long as that login can be undone, to be restored then. `login_id` is
    the login by which it was made, as in `Account.key_login_id`.
    """

    __tablename__ = "replaced_key"
    __table_args__ = (
        Index("ix_replaced_key_account_id_id", "account_id", "id"),
        Index("ix_replaced_key_replaced", "replaced"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    key_hash: Mapped[str] = mapped_column(String(64))
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    replaced: Mapped[Instant]


class HiddenItem(Base):
    """A line of "Needs attention" that an account does not want to see until `until`.

    `item` says which, by kind and ids, as `dashboard/attention.py` names it.
    """

    __tablename__ = "hidden_item"
    __table_args__ = (Index("uq_hidden_item_account_id_item", "account_id", "item", unique=True),)

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    item: Mapped[str] = mapped_column(String(64))
    until: Mapped[Instant]
