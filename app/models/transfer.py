"""TransferToken: with it others may give an account a bot or a campaign."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Encrypted


class TransferToken(Base):
    """Its owner may read it again, so it is encrypted and not only hashed."""

    __tablename__ = "transfer_token"
    __table_args__ = (Index("uq_transfer_token_token_hash", "token_hash", unique=True),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    token: Mapped[str] = mapped_column(Encrypted)
    token_hash: Mapped[str] = mapped_column(String(64))
