"""The first steps of an account: from an empty one to its first delivered postback."""

from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Float, Select, bindparam, exists, select

from app.extensions import db
from app.models import (
    Bot,
    BotChat,
    Campaign,
    Destination,
    DestinationStatus,
    Lead,
    Postback,
    PostbackState,
    PostbackTally,
    Span,
)

#: So long after the first postback the steps are still shown, as done.
SHOWN_SECONDS: Final = 3600.0


class FirstSteps(NamedTuple):
    """How far an account has come. `bot`, `campaign`, `lead` and `postback` are the newest, if any.

    `has_tracker` is true where something is told to somebody, `has_delivered` once a postback
    has been delivered, and `is_over` when that was not just now.
    """

    bot: str | None
    has_chat: bool
    campaign: int | None
    has_tracker: bool
    lead: int | None
    postback: int | None
    has_delivered: bool
    is_over: bool

    @property
    def done(self) -> tuple[bool, bool, bool, bool, bool]:
        """Whether each step is done: bot, chat, campaign, tracker, first person."""
        return (
            self.bot is not None,
            self.has_chat,
            self.campaign is not None,
            self.has_tracker,
            self.has_delivered,
        )


def progress(account_id: int, now: float) -> FirstSteps:
    """Return how far an account has come. One statement."""
    place = {"account": account_id, "old": now - SHOWN_SECONDS}
    row = db.session.execute(_PROGRESS, place).one()
    bot, has_chat, campaign, has_tracker, lead, postback, summed, fresh, is_old = row
    has_delivered = summed or fresh
    return FirstSteps(
        bot,
        has_chat,
        campaign,
        has_tracker,
        lead,
        postback,
        has_delivered,
        is_over=has_delivered and is_old,
    )


def _statement() -> Select[Any]:
    """Select what is asked, with the parameters `account`, and `old` for a time long ago."""
    account_id = bindparam("account", type_=BigInteger())
    bots = select(Bot.id).where(Bot.account_id == account_id, Bot.living)
    campaigns = Campaign.account_id == account_id, Campaign.living
    postbacks = Postback.account_id == account_id
    delivered = (
        PostbackTally.account_id == account_id,
        PostbackTally.state == PostbackState.DELIVERED,
        PostbackTally.number > 0,
    )
    return select(
        _newest(Bot.username, Bot.id, Bot.account_id == account_id, Bot.living),
        exists().where(BotChat.bot_id.in_(bots), BotChat.is_admin),
        _newest(Campaign.id, Campaign.id, *campaigns),
        exists().where(
            Destination.account_id == account_id, Destination.status == DestinationStatus.ACTIVE
        ),
        _newest(Lead.id, Lead.start_time, Lead.account_id == account_id),
        _newest(Postback.id, Postback.created, postbacks),
        exists().where(*delivered, PostbackTally.span > Span.DELTA),
        exists().where(*delivered, PostbackTally.span == Span.DELTA),
        exists().where(postbacks, Postback.created < bindparam("old", type_=Float())),
    )


def _newest(value: Any, order: Any, *where: Any) -> Any:
    newest = select(value).where(*where).order_by(order.desc()).limit(1)
    return newest.correlate(None).scalar_subquery()


_PROGRESS: Final = _statement()
