"""Site: a customer's web pages that may report visits, and what of a visitor is kept."""

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.clicks.privacy import Consent
from app.models.base import Base, Key, Moment


class Site(Base):
    """Pages with our script. `domains` is JSON: hosts, exact or `*.host`.

    `capture` has bits of `domain.clicks.privacy.Capture`. `default_source_id` is the source of
    pages that name none; no foreign key, since deleted sources are purged. `last_seen` is when
    a page last reported a visit, 0 for never.
    """

    __tablename__ = "site"
    __table_args__ = (
        Index("uq_site_public_id", "public_id", unique=True),
        Index("ix_site_account_id", "account_id"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    public_id: Mapped[str] = mapped_column(String(16))
    domains: Mapped[str] = mapped_column(Text)
    default_source_id: Mapped[int | None] = mapped_column(BigInteger)
    capture: Mapped[int] = mapped_column(SmallInteger, default=0)
    consent: Mapped[int] = mapped_column(SmallInteger, default=Consent.NONE)
    created: Mapped[Moment]
    last_seen: Mapped[Moment] = mapped_column(default=0)
