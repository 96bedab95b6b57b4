"""JoinRequest: a person who asks to be let into a chat. RequestRule, Blocked: who is let in."""

import enum

from sqlalchemy import BigInteger, ForeignKey, Index, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.join_requests.rules import Verdict
from app.models.base import Base, Encrypted, Instant, Key, Moment, partial_index


class RequestState(enum.IntEnum):
    """WAITING for somebody, SCHEDULED and SENDING on its way; the others are ends."""

    WAITING = 0
    SCHEDULED = 1
    SENDING = 2
    APPROVED = 3
    DECLINED = 4
    JOINED = 5
    GONE = 6  # withdrawn, decided by another administrator, or asked again
    FAILED = 7


class DecidedBy(enum.IntEnum):
    """Whose decision it was."""

    RULE = 0
    PERSON = 1
    OTHER_ADMIN = 2
    NOBODY = 3


class JoinRequest(Base):
    """`asked` is Telegram's date. For five minutes from then the bot may write to `user_chat`.

    `came` is a `domain.join_requests.facts.Came`, and `query` the id of a join request query.
    `action`, a `domain.join_requests.rules.Verdict`, is what was decided, by the rule `rule_id`
    if it was one, and `due` when it is told to Telegram. While it is told, `due` is when the
    lease ends. `decided` is when it came to its end, `batch` the decision of a person over
    many, `message_id` the greeting. With `asks` an answer to the greeting approves it.
    """

    __tablename__ = "join_request"
    __table_args__ = (
        Index("uq_join_request_person", "chat_id", "subscriber", "asked", unique=True),
        partial_index(
            "ix_join_request_scheduled",
            "campaign_id",
            "due",
            "id",
            where=f"state = {RequestState.SCHEDULED:d}",
        ),
        partial_index("ix_join_request_sending", "due", where=f"state = {RequestState.SENDING:d}"),
        Index("ix_join_request_account_id", "account_id", "id"),
        Index("ix_join_request_account_id_state", "account_id", "state", "id"),
        Index("ix_join_request_campaign_id_state", "campaign_id", "state", "id"),
        Index("ix_join_request_campaign_id_decided", "campaign_id", "decided"),
        Index("ix_join_request_account_id_subscriber", "account_id", "subscriber"),
        partial_index("ix_join_request_bio", "decided", where="bio IS NOT NULL"),
        partial_index("ix_join_request_batch", "batch", where="batch <> ''"),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(BigInteger)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    subscriber: Mapped[int] = mapped_column(BigInteger)
    asked: Mapped[Moment]
    user_chat: Mapped[int] = mapped_column(BigInteger, default=0)
    username: Mapped[str] = mapped_column(String(64), default="")
    first_name: Mapped[str] = mapped_column(String(64), default="")
    last_name: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str] = mapped_column(String(16), default="")
    premium: Mapped[bool] = mapped_column(default=False)
    bio: Mapped[str | None] = mapped_column(Encrypted, deferred=True)
    link_key: Mapped[str | None] = mapped_column(String(32))
    link_name: Mapped[str] = mapped_column(String(32), default="")
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    click_id: Mapped[int | None] = mapped_column(BigInteger)
    came: Mapped[int] = mapped_column(SmallInteger, default=0)
    query: Mapped[str] = mapped_column(String(64), default="")
    state: Mapped[int] = mapped_column(SmallInteger, default=RequestState.WAITING)
    action: Mapped[int] = mapped_column(SmallInteger, default=Verdict.HOLD)
    asks: Mapped[bool] = mapped_column(default=False)
    rule_id: Mapped[int | None] = mapped_column(BigInteger)
    decided: Mapped[Instant | None]
    decided_by: Mapped[int] = mapped_column(SmallInteger, default=DecidedBy.NOBODY)
    due: Mapped[Instant | None]
    lease: Mapped[str | None] = mapped_column(String(32))
    tries: Mapped[int] = mapped_column(SmallInteger, default=0)
    reason: Mapped[str] = mapped_column(String(200), default="")
    batch: Mapped[str] = mapped_column(String(16), default="")
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    lead_id: Mapped[int | None] = mapped_column(BigInteger)


class RequestRule(Base):
    """One rule of a campaign's desk; the first that fits decides. `conditions` is JSON.

    The delay is between `delay_from` and `delay_to` seconds. A rule that asks waits for an
    answer for `delay_to`, then it does what `otherwise` says. `hits` counts whom it decided.
    """

    __tablename__ = "request_rule"
    __table_args__ = (Index("ix_request_rule_campaign_id", "campaign_id", "position"),)

    id: Mapped[Key]
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    position: Mapped[int] = mapped_column(SmallInteger)
    conditions: Mapped[str] = mapped_column(Text, default="{}")
    action: Mapped[int] = mapped_column(SmallInteger)
    otherwise: Mapped[int] = mapped_column(SmallInteger, default=Verdict.HOLD)
    delay_from: Mapped[int] = mapped_column(default=0)
    delay_to: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(String(200), default="")
    hits: Mapped[int] = mapped_column(default=0)
    enabled: Mapped[bool] = mapped_column(default=True)


class Blocked(Base):
    """A person who is not let into chats of an account, by id or by username.

    `person` is a keyed hash of the id: it goes on working when the id itself was erased.
    """

    __tablename__ = "blocked"
    __table_args__ = (
        Index("uq_blocked_person", "account_id", "person", unique=True),
        Index("uq_blocked_username", "account_id", "username", unique=True),
    )

    id: Mapped[Key]
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    subscriber: Mapped[int | None] = mapped_column(BigInteger)
    person: Mapped[str | None] = mapped_column(String(64))
    username: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(200), default="")
    created: Mapped[Moment]
