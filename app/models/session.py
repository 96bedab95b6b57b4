"""Session: an open dashboard; Login: a page that asks for one, and who opened its link."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, false
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Instant, Key


class Login(Base):
    """A nonce, stored as a hash, with the page that shows it and the person who opened its link.

    Page and person come in either order. `shown` is when the page was first seen, by the
    browser at `address` that calls itself `agent`; it knows the cookie of `cookie_hash`, and
    with `cookie_seen` it has brought it once. `account_id` is the person's account. `agreed`
    is when the person said yes, `used` when the login was redeemed or undone, `undone` when it
    was undone. All in Unix seconds. Ids are never used twice: keys and transfers remember them.
    """

    __tablename__ = "login"
    __table_args__ = (
        Index("uq_login_nonce_hash", "nonce_hash", unique=True),
        Index("ix_login_expires", "expires"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[Key]
    nonce_hash: Mapped[str] = mapped_column(String(64))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    shown: Mapped[Instant | None]
    address: Mapped[str] = mapped_column(String(45), default="", server_default="")
    agent: Mapped[str] = mapped_column(String(300), default="", server_default="")
    cookie_hash: Mapped[str] = mapped_column(String(64), default="", server_default="")
    cookie_seen: Mapped[bool] = mapped_column(default=False, server_default=false())
    agreed: Mapped[Instant | None]
    expires: Mapped[Instant]
    used: Mapped[Instant | None]
    undone: Mapped[Instant | None]


class Session(Base):
    """A session of an account, found by the hash of its token.

    `login_id` is the login that opened it, or that made the API key which did; `by_key` says
    that it was the key. `agent` is the browser's User-Agent, and `used` when it last came.
    """

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
    login_id: Mapped[int | None] = mapped_column(BigInteger)
    created: Mapped[Instant]
    expires: Mapped[Instant]
    agent: Mapped[str] = mapped_column(String(300), default="", server_default="")
    used: Mapped[Instant | None]
    by_key: Mapped[bool] = mapped_column(default=False, server_default=false())
