"""Source: a link for ads of a campaign; Click: one person who saw a page of it, or followed it."""

import enum

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Text, false
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.attribution import DEFAULT_LOOKBACK
from app.models.base import Base, Big, Encrypted, Key, Moment, partial_index


class SourceStatus(enum.IntEnum):
    """As the public API numbers them."""

    ACTIVE = 0
    PAUSED = 1
    DELETED = 2


class SourceMode(enum.IntEnum):
    """Which link of Telegram a click gets; the names are those of the public API."""

    #: START in a public chat or where the bot may not invite; in a private one REQUEST if the
    #: campaign has a desk, else INVITE
    AUTO = 0
    START = 1  #: the bot's start link
    INVITE = 2  #: an invite link for this click alone
    REQUEST = 3  #: a link by which one asks to join, for this click alone
    NAMED = 4  #: the invite link that all clicks of the source share


class SourceFallback(enum.IntEnum):
    """What a click gets if no invite link can be made for it."""

    NONE = 0  #: the bot's start link, without the click
    START = 1
    NAMED = 2


class Source(Base):
    """A link to be put into an ad, `/c/<code>`, and what is read from its query.

    `click_param` is the name under which the tracker sends its click id;
    `sub_map` is JSON that says which other names are kept as which of sub1…sub10.
    With `bridge` visitors get a page with a button instead of being led on at once.
    An invite link can be used for `link_ttl` seconds at least from its hand-out, and
    a click that is older than `lookback` seconds is no evidence.
    """

    __tablename__ = "source"
    __table_args__ = (
        Index("uq_source_code", "code", unique=True),
        Index("ix_source_account_id", "account_id"),
        Index("ix_source_campaign_id", "campaign_id"),
        partial_index(
            "ix_source_needs_links",
            "campaign_id",
            where=f"mode <> {SourceMode.START:d} AND status = {SourceStatus.ACTIVE:d}",
        ),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    code: Mapped[str] = mapped_column(String(8))
    title: Mapped[str] = mapped_column(String(64))
    click_param: Mapped[str] = mapped_column(String(64))
    sub_map: Mapped[str] = mapped_column(Text, default="{}")
    status: Mapped[int] = mapped_column(SmallInteger, default=SourceStatus.ACTIVE)
    created: Mapped[Moment]
    mode: Mapped[int] = mapped_column(SmallInteger, default=SourceMode.START, server_default="1")
    link_ttl: Mapped[int] = mapped_column(default=86_400, server_default="86400")
    lookback: Mapped[int] = mapped_column(default=DEFAULT_LOOKBACK, server_default="2592000")
    fallback: Mapped[int] = mapped_column(
        SmallInteger, default=SourceFallback.START, server_default="1"
    )
    bridge: Mapped[bool] = mapped_column(default=False, server_default=false())

    @hybrid_property
    def living(self) -> bool:
        """Whether it has not been deleted; in SQL a condition on `status`."""
        return self.status != SourceStatus.DELETED


class SourceDay(Base):
    """Counters of one source on one UTC day (days since 1970-01-01).

    `visits` are pages that reported a visitor. `repeats` pressed again within minutes,
    `previews` were programs, and `paused` came while the source or its campaign stood still.
    `fallbacks` are clicks for which no invite link could be made.
    """

    __tablename__ = "source_day"

    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    clicks: Mapped[int] = mapped_column(default=0)
    repeats: Mapped[int] = mapped_column(default=0)
    previews: Mapped[int] = mapped_column(default=0)
    paused: Mapped[int] = mapped_column(default=0)
    visits: Mapped[int] = mapped_column(default=0, server_default="0")
    fallbacks: Mapped[int] = mapped_column(default=0, server_default="0")


class Click(Base):
    """One click. `token` brings it back with the start of the bot that it caused.

    A page that reports a visit makes the row before its link is pressed: `pressed` is NULL
    until then. `landing` is that page, without its query. `ip` and `ua` are kept only where
    the site says so, encrypted and for days. `visitor` is the random mark of a browser.
    `external` is the tracker's own click id. `ids`, `utm`, `subs` and `ad` are JSON objects
    of texts, as `domain.clicks.link_query` sorts them; `flags` are its bits. `lead_id` is the
    lead that the click became, and no foreign key: clicks are deleted in time.
    """

    __tablename__ = "click"
    __table_args__ = (
        Index("uq_click_token", "token", unique=True),
        Index("ix_click_account_id", "account_id", "id"),
        Index("ix_click_source_id", "source_id", "id"),
        Index("ix_click_created", "created"),
        partial_index("ix_click_visitor", "visitor", "source_id", "created", where="visitor <> ''"),
        partial_index("ix_click_lead_id", "lead_id", where="lead_id IS NOT NULL"),
        partial_index("ix_click_joined", "account_id", "id", where="lead_id IS NOT NULL"),
        Index("ix_click_external", "account_id", "external", "lead_id"),
        partial_index("ix_click_private", "created", where="ip IS NOT NULL OR ua IS NOT NULL"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    source_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    token: Mapped[str] = mapped_column(String(16))
    visitor: Mapped[str] = mapped_column(String(22), default="")
    created: Mapped[Moment]
    external: Mapped[str] = mapped_column(String(256), default="")
    referrer: Mapped[str] = mapped_column(String(512), default="")
    ids: Mapped[str] = mapped_column(Text, default="{}")
    utm: Mapped[str] = mapped_column(Text, default="{}")
    subs: Mapped[str] = mapped_column(Text, default="{}")
    ad: Mapped[str] = mapped_column(Text, default="{}")
    flags: Mapped[int] = mapped_column(SmallInteger, default=0)
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    site_id: Mapped[int | None] = mapped_column(BigInteger)
    pressed: Mapped[int | None] = mapped_column(Big)
    landing: Mapped[str] = mapped_column(String(2048), default="", server_default="")
    ip: Mapped[str | None] = mapped_column(Encrypted)
    ua: Mapped[str | None] = mapped_column(Encrypted)
    country: Mapped[str] = mapped_column(String(2), default="", server_default="")
    city: Mapped[str] = mapped_column(String(64), default="", server_default="")
