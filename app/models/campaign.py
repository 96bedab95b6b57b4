"""Campaign: a tracked chat, a welcome, a deep link and its templates."""

import enum

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Big, Instant, Key, Moment, partial_index
from app.models.translatable_column import Translatable


class CampaignStatus(enum.IntEnum):
    """As the public API numbers them."""

    ACTIVE = 0
    PAUSED = 1
    DELETED = 2


class DeskMode(enum.IntEnum):
    """Whom the desk lets in: nobody, all who are not blocked, or whom the rules say."""

    OFF = 0
    ALL = 1
    RULES = 2


class GreetOn(enum.IntEnum):
    """When a person who asks is greeted: at once, when let in, or both times."""

    REQUEST = 1
    APPROVED = 2
    BOTH = 3


class Campaign(Base):
    """Tracks one chat. A chat has at most one living campaign in the installation.

    Its templates live in a `Destination` of role TEMPLATE. `welcome_fault`
    is what was left out of a welcome and why, "" if nothing; an edit clears it.
    `desk_cap` is how many requests rules approve in an hour, 0 for all; from minute
    `desk_quiet_from` to `desk_quiet_to` of the account's day they decide none, and if both are
    equal there is no such time. `greet` is what people who ask are told, "" for nothing.
    `desk_told` is when the owner last heard how many wait.
    """

    __tablename__ = "campaign"
    __table_args__ = (
        Index("uq_campaign_code", "code", unique=True),
        Index("ix_campaign_account_id", "account_id"),
        Index("ix_campaign_bot_id_chat_id", "bot_id", "chat_id"),
        partial_index("uq_campaign_chat_id_living", "chat_id", where="status <> 2", unique=True),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    bot_id: Mapped[int] = mapped_column(ForeignKey("bot.id"))
    chat_id: Mapped[int] = mapped_column(BigInteger)
    chat_title: Mapped[str] = mapped_column(String(255))
    code: Mapped[str] = mapped_column(String(16))
    status: Mapped[int] = mapped_column(default=CampaignStatus.ACTIVE)
    welcome: Mapped[str] = mapped_column(Text, default="")
    welcome_fault: Mapped[str] = mapped_column(Translatable(300), default="")
    media: Mapped[str] = mapped_column(String(64), default="")
    button_text: Mapped[str] = mapped_column(String(64), default="")
    button_url: Mapped[str] = mapped_column(Text, default="")
    unsub_window: Mapped[int] = mapped_column(Big, default=2_592_000)
    notify_level: Mapped[int] = mapped_column(SmallInteger, default=0)
    created: Mapped[Moment]
    desk: Mapped[int] = mapped_column(SmallInteger, default=DeskMode.OFF, server_default="0")
    desk_cap: Mapped[int] = mapped_column(default=0, server_default="0")
    desk_quiet_from: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    desk_quiet_to: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    desk_told: Mapped[Instant] = mapped_column(default=0.0, server_default="0")
    greet: Mapped[str] = mapped_column(Text, default="", server_default="")
    greet_button: Mapped[str] = mapped_column(String(64), default="", server_default="")
    greet_media: Mapped[str] = mapped_column(String(64), default="", server_default="")
    greet_on: Mapped[int] = mapped_column(SmallInteger, default=GreetOn.REQUEST, server_default="1")

    @hybrid_property
    def living(self) -> bool:
        """Whether it has not been deleted; in SQL a condition on `status`."""
        return self.status != CampaignStatus.DELETED


class _Counters:
    """Counters of one campaign in one period.

    `kicks` are of the `unsubs`, `organic` are joins without a lead. Both are None where some
    were counted before these were.
    """

    # First in the table and in its primary key: a campaign's rows are found by it.
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("campaign.id"), primary_key=True, sort_order=-1
    )
    starts: Mapped[int] = mapped_column(default=0)
    holds: Mapped[int] = mapped_column(default=0)
    confirms: Mapped[int] = mapped_column(default=0)
    unsubs: Mapped[int] = mapped_column(default=0)
    kicks: Mapped[int | None] = mapped_column(default=0)
    organic: Mapped[int | None] = mapped_column(default=0)


class CampaignDay(_Counters, Base):
    """The counters of one UTC day (days since 1970-01-01)."""

    __tablename__ = "campaign_day"

    day: Mapped[int] = mapped_column(primary_key=True)


class CampaignQuarter(_Counters, Base):
    """The same counters by quarter of an hour (since 1970), for days of any time zone."""

    __tablename__ = "campaign_quarter"

    quarter: Mapped[int] = mapped_column(primary_key=True)


class CampaignCohort(Base):
    """How many subscribers who joined on `join_day` left after `age_day` whole days.

    How many joined is the day's `confirms`. Ages beyond the last one that
    retention shows share its row.
    """

    __tablename__ = "campaign_cohort"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    join_day: Mapped[int] = mapped_column(primary_key=True)
    age_day: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    left: Mapped[int] = mapped_column(default=0)


class JoinDay(Base):
    """How many people joined on one UTC day by their kind, a `domain.attribution.JoinKind`.

    `source_id` is 0 where no source is known.
    """

    __tablename__ = "join_day"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    source_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    joins: Mapped[int] = mapped_column(default=0)
