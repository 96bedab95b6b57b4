"""What a transfer does when it takes effect, in one transaction; the history, in many.

A campaign's templates and connected destinations go along, and with its leads also their
journal, postbacks and counters; what is long follows a part at a time (`relocation`). Postbacks to
a destination of the sender's whole account stay in the sender's log, for they were sent to the
sender's tracker. Without leads all of that is deleted for good, a part at a time (`clear`), and
only the campaign and its settings go.

Whatever changes an owner holds the bots' updates first, then locks the accounts in the order of
their ids, then the transfer.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import orjson
import structlog
from sqlalchemy import ColumnElement, Select, func, select, update

from app.domain import tariffs
from app.domain.tariffs import PlanStatus
from app.errors import Banned, NotAdminThere, NotFound, PlanLimit, RecipientUnpaid, translatable
from app.extensions import db
from app.models import (
    Account,
    AccountStatus,
    Bot,
    BotChat,
    Campaign,
    Source,
    Transfer,
    TransferState,
)
from app.services.accounts import accounts, notifications, quotas
from app.services.accounts.quotas import Quota
from app.services.campaigns import bulk, clearing, relocation
from app.services.updates import inbox

log = structlog.get_logger()

Model = TypeVar("Model", Bot, Campaign)


def check(transfer: Transfer) -> str:
    """Judge a transfer that is asked for, and return the title of what it gives.

    Raises NotFound, RecipientUnpaid, PlanLimit or NotAdminThere.
    """
    recipient = db.session.get_one(Account, transfer.recipient_id)
    if transfer.bot_id is None:
        campaign = _campaign(transfer)
        _check_room(recipient, [campaign])
        _receiving_bot(transfer, campaign)
        return campaign.chat_title[:255]
    bot = _bot(transfer)
    _check_room(recipient, _campaigns_of(transfer))
    quotas.check(recipient.id, Quota.BOTS)
    return f"@{bot.username}"


def notice_values(transfer: Transfer) -> dict[str, Any]:
    """Return what the texts of a transfer's notices are filled in with."""
    recipient = db.session.get_one(Account, transfer.recipient_id)
    return {
        "transfer": transfer.id,
        "title": transfer.title,
        "name": recipient.name,
        "due": transfer.due,
        "leads": transfer.with_leads,
        "login": transfer.login_id,
    }


def is_paid(account: Account) -> bool:
    """Whether an account has paid, so that it may receive."""
    return accounts.plan_status(account) is PlanStatus.PAID


def clear(transfer: Transfer) -> bool:
    """Delete a part of the history that a transfer without leads deletes. No commit.

    False if none is left, so that it can take effect. Raises as `take_effect`.
    """
    check(transfer)
    owners = (transfer.account_id, transfer.recipient_id)
    banned = select(Account.id).where(
        Account.id.in_(owners), Account.status == AccountStatus.BANNED
    )
    if db.session.scalar(banned) is not None:
        raise Banned
    bots_by_campaign = _given(transfer)
    bots = list(set(bots_by_campaign.values()))
    inbox.hold(db.session.connection(), bots)
    still = select(Transfer.id).where(
        Transfer.id == transfer.id, Transfer.state == TransferState.PENDING
    )
    if db.session.scalar(still.with_for_update()) is None:
        return False  # called off a moment ago; `take_effect` finds that out, too
    if _given(transfer) != bots_by_campaign:
        return True  # one of them has gone to somebody else meanwhile, with its history
    return clearing.delete_part(db.session.connection(), list(bots_by_campaign), bots)


def take_effect(transfer: Transfer, now: float) -> bool:
    """Give the bot or the campaign. False if it was called off a moment before. No commit.

    Raises as `check`, and Banned.
    """
    bots = [transfer.bot_id]
    if transfer.bot_id is None:
        campaign = _campaign(transfer)
        bots = [campaign.bot_id, _receiving_bot(transfer, campaign)]
    owners = lock(bots, [transfer.account_id, transfer.recipient_id])
    recipient = owners[transfer.recipient_id]
    if any(owner.status == AccountStatus.BANNED for owner in owners.values()):
        raise Banned
    if not change_state(transfer, TransferState.PENDING, TransferState.DONE, now):
        return False
    if transfer.bot_id is None:
        campaign = _campaign(transfer, locked=True)
        _check_room(recipient, [campaign])
        campaigns, bot_id = [campaign], _receiving_bot(transfer, campaign)
    else:
        bot = _bot(transfer, locked=True)
        campaigns, bot_id = list(_campaigns_of(transfer, locked=True)), bot.id
        _check_room(recipient, campaigns)
        quotas.check(recipient.id, Quota.BOTS)
        bot.account_id = recipient.id
    moved = [[each.id, each.bot_id, each.status] for each in campaigns]
    transfer.moved = orjson.dumps(moved).decode()
    old_bots = hand_over(campaigns, recipient.id, bot_id, with_leads=transfer.with_leads)
    if transfer.with_leads:
        ids = [campaign.id for campaign in campaigns]
        transfer.progress = relocation.begin(ids, [*old_bots, bot_id])
    sender = db.session.get_one(Account, transfer.account_id)
    notify_both(transfer, "done", "received", sender.name, now)
    log.info("transfer.done", transfer=transfer.id, recipient=recipient.id)
    return True


def change_state(transfer: Transfer, old: TransferState, new: TransferState, now: float) -> bool:
    """Take a transfer from one state to the next. False if somebody else was faster."""
    moved = db.session.execute(
        update(Transfer)
        .where(Transfer.id == transfer.id, Transfer.state == old)
        .values(state=new, settled=now)
        .returning(Transfer.id)
    ).first()
    return moved is not None


def notify_both(transfer: Transfer, sender: str, recipient: str, name: str, now: float) -> None:
    """Notify both accounts of a transfer by the notices `sender` and `recipient`. No commit.

    `name` is the sender's.
    """
    notifications.transfer(transfer.account_id, sender, notice_values(transfer), now)
    about = notice_values(transfer) | {"name": name, "login": None}
    notifications.transfer(transfer.recipient_id, recipient, about, now)


def lock(bots: Iterable[int | None], owners: Iterable[int]) -> dict[int, Account]:
    """Stop the updates of `bots` and the changes of the accounts, and return those."""
    inbox.hold(db.session.connection(), [bot for bot in bots if bot])
    return {id_: accounts.lock(id_) for id_ in sorted(set(owners))}


def _check_room(recipient: Account, campaigns: Sequence[Campaign]) -> None:
    if not is_paid(recipient):
        raise RecipientUnpaid
    slots = tariffs.free_slots(recipient.tariff, accounts.living_campaigns(recipient.id))
    if slots != tariffs.UNLIMITED and slots < len(campaigns):
        raise PlanLimit(translatable("the recipient's plan has no room for so many campaigns"))
    quotas.check(recipient.id, Quota.CAMPAIGNS, len(campaigns))
    of_these = Source.campaign_id.in_([campaign.id for campaign in campaigns])
    sources = select(func.count(Source.id)).where(of_these, Source.living)
    quotas.check(recipient.id, Quota.SOURCES, db.session.scalar(sources) or 0)


def _bot(transfer: Transfer, *, locked: bool = False) -> Bot:
    return _one(_own(Bot, transfer, Bot.id == transfer.bot_id, locked=locked))


def _campaign(transfer: Transfer, *, locked: bool = False) -> Campaign:
    return _one(_own(Campaign, transfer, Campaign.id == transfer.campaign_id, locked=locked))


def _campaigns_of(transfer: Transfer, *, locked: bool = False) -> Sequence[Campaign]:
    query = _own(Campaign, transfer, Campaign.bot_id == transfer.bot_id, locked=locked)
    return db.session.scalars(query).all()


def _given(transfer: Transfer) -> dict[int, int]:
    """The campaigns that a transfer gives, as the database has them now: bots by campaign."""
    is_given = Campaign.bot_id == transfer.bot_id
    if transfer.bot_id is None:
        is_given = Campaign.id == transfer.campaign_id
    own = (Campaign.account_id == transfer.account_id, Campaign.living, is_given)
    rows = db.session.execute(select(Campaign.id, Campaign.bot_id).where(*own))
    return {row.id: row.bot_id for row in rows}


def _own(
    model: type[Model], transfer: Transfer, condition: ColumnElement[bool], *, locked: bool
) -> Select[Model]:
    """Select what is living and the sender's of a model."""
    query = select(model).where(condition, model.account_id == transfer.account_id, model.living)
    return query.with_for_update().execution_options(populate_existing=True) if locked else query


def _one(query: Select[Model]) -> Model:
    row = db.session.scalar(query)
    if row is None:
        raise NotFound
    return row


def _receiving_bot(transfer: Transfer, campaign: Campaign) -> int:
    able = (
        select(Bot.id)
        .join(BotChat, BotChat.bot_id == Bot.id)
        .where(
            Bot.account_id == transfer.recipient_id,
            Bot.living,
            BotChat.chat_id == campaign.chat_id,
            BotChat.is_admin,
        )
        .order_by(Bot.id)
    )
    if transfer.to_bot is not None:
        able = able.where(Bot.id == transfer.to_bot)
    chosen = db.session.scalar(able)
    if chosen is None:
        raise NotAdminThere(
            translatable("none of the recipient's bots is an administrator of that chat")
        )
    return chosen


def hand_over(
    campaigns: Sequence[Campaign], recipient: int, bot_id: int, *, with_leads: bool
) -> list[int]:
    """Give campaigns and what belongs to them to an account and its bot. No commit.

    With leads their history is to follow. Returns the bots that they had.
    """
    ids = [campaign.id for campaign in campaigns]
    old_bots = list({campaign.bot_id for campaign in campaigns})
    for campaign in campaigns:
        campaign.account_id, campaign.bot_id = recipient, bot_id
    db.session.flush()
    connection = db.session.connection()
    if not ids:
        return []
    bulk.reassign_destinations(connection, ids, recipient)
    if not with_leads:
        clearing.delete_rest(connection, ids, old_bots)
    bulk.reassign_sources(connection, ids, recipient)
    if with_leads:
        relocation.move_urgent(connection, ids, [*old_bots, bot_id])
    return old_bots
