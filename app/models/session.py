"""Session: an open dashboard; Login: a nonce with which a person opened the service bot."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key


class Login(Base):
    """A nonce that a person has opened the service bot with, stored as a hash.

    A nonce that nobody has opened has no row. `used` is when it was redeemed or
    undone, Unix seconds; the row stays for a day, so that the same link does not
    open a second time.
    """

    __tablename__ = "login"
    __table_args__ = (
        Index("uq_login_nonce_hash", "nonce_hash", unique=True),
        Index("ix_login_expires", "expires"),
    )

    id: Mapped[Key]
    nonce_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    expires: Mapped[Instant]
    used: Mapped[Instant | None]


class Session(Base):
    """A session of an account, found by the hash of its token. `login_id` is its login."""

    __tablename__ = "session"
    __table_args__ = (
        Index("uq_session_token_hash", "token_hash", unique=True),
        Index("ix_session_account_id", "account_id"),
        Index("ix_session_login_id", "login_id"),
        Index("ix_session_expires", "expires"),
    )

    id: Mapped[Key]
    token_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    login_id: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[Instant]
    expires: Mapped[Instant]
