"""Invite: one invite link that our bot has made, and who came by it."""

import enum

from sqlalchemy import BigInteger, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Encrypted, Instant, Key, Moment, partial_index


class InviteKind(enum.IntEnum):
    """SINGLE lets one person in, REQUEST lets people ask, NAMED is shared by all of a source."""

    SINGLE = 1
    REQUEST = 2
    NAMED = 3


class InviteState(enum.IntEnum):
    """From POOL to HANDED_OUT, and once its person came to USED or TO_REVOKE.

    GONE leads nowhere any more. REFUSED is one that Telegram does not let us revoke.
    """

    POOL = 0
    HANDED_OUT = 1
    USED = 2
    TO_REVOKE = 3
    GONE = 4
    REFUSED = 5


class Invite(Base):
    """`link_key` is that of `domain.telegram.evidence`: it finds the link and does not tell it.

    `token` is that of the click it was handed out to, which is stored a moment
    later; no link to another row, since clicks are deleted in time. `used_by` is the
    person who came by it first, and `uses` how many came. `due` is when it is revoked.
    """

    __tablename__ = "invite"
    __table_args__ = (
        Index("uq_invite_link_key", "link_key", unique=True),
        partial_index(
            "ix_invite_pool",
            "bot_id",
            "chat_id",
            "kind",
            "expires",
            where=f"state = {InviteState.POOL:d}",
        ),
        partial_index("ix_invite_due", "due", where=f"state = {InviteState.TO_REVOKE:d}"),
        partial_index(
            "uq_invite_named",
            "source_id",
            where=f"kind = {InviteKind.NAMED:d} AND state = {InviteState.HANDED_OUT:d}",
            unique=True,
        ),
        partial_index("ix_invite_token", "token", where="token IS NOT NULL"),
        partial_index("ix_invite_used_by", "used_by", where="used_by IS NOT NULL"),
        Index("ix_invite_source_id", "source_id"),
        Index("ix_invite_made", "made"),
    )

    id: Mapped[Key]
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    link_key: Mapped[str | None] = mapped_column(String(32))
    link: Mapped[str] = mapped_column(Encrypted)
    name: Mapped[str] = mapped_column(String(32), default="")
    kind: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[int] = mapped_column(SmallInteger, default=InviteState.POOL)
    made: Mapped[Moment]
    expires: Mapped[Moment | None]
    handed_out: Mapped[Moment | None]
    token: Mapped[str | None] = mapped_column(String(16))
    used_by: Mapped[int | None] = mapped_column(BigInteger)
    used: Mapped[Moment | None]
    uses: Mapped[int] = mapped_column(default=0)
    due: Mapped[Instant] = mapped_column(default=0.0)
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
