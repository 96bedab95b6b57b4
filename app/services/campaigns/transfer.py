"""Transfer of a bot or a campaign to another account, in one transaction.

The campaign's templates and connected destinations go along, and with its leads also their
journal, postbacks and counters. Postbacks to a destination of the sender's whole account stay
in the sender's log, for they were sent to the sender's tracker. Without leads all of that is
deleted for good, and only the campaign and its settings go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from app.crypto import hash_secret, new_secret
from app.domain import tariffs
from app.domain.tariffs import PlanStatus
from app.errors import (
    BadParameter,
    NotAdminThere,
    NotFound,
    PlanLimit,
    RecipientUnpaid,
    translatable,
)
from app.extensions import db
from app.models import (
    Account,
    AccountStatus,
    Bot,
    BotChat,
    Campaign,
    TransferToken,
)
from app.services.accounts import accounts, quotas
from app.services.accounts.quotas import Quota
from app.services.campaigns import bulk
from app.services.updates import inbox

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Recipient:
    """The account that a token belongs to. `slots`: campaigns it may still have, -1 unlimited."""

    name: str
    paid: bool
    slots: int


def token_of(account_id: int) -> str:
    """The account's receiving token, made when it is first asked for."""
    row = db.session.get(TransferToken, account_id)
    if row is None:
        accounts.lock(account_id)  # two at once must be told the same token
        row = db.session.get(TransferToken, account_id)
    return row.token if row else renew_token(account_id)


def renew_token(account_id: int) -> str:
    """Replace the receiving token; the old one is dead at once."""
    accounts.lock(account_id)
    token = new_secret()
    row = db.session.get(TransferToken, account_id) or TransferToken(account_id=account_id)
    row.token, row.token_hash = token, hash_secret(token)
    db.session.add(row)
    db.session.commit()
    return token


def resolve(token: str) -> Recipient:
    """Return the account that would receive. Raises NotFound."""
    account = db.session.get_one(Account, _owner(token))
    living = accounts.living_campaigns(account.id)
    return Recipient(account.name, _is_paid(account), tariffs.free_slots(account.tariff, living))


def transfer_bot(account_id: int, token: str, bot_id: int, *, with_leads: bool) -> None:
    """Transfer a bot with all its campaigns that are not deleted.

    Raises NotFound, RecipientUnpaid, PlanLimit, or BadParameter for the account's own token.
    """
    recipient = _lock_both(account_id, token, [bot_id])
    bot = db.session.scalar(
        select(Bot)
        .where(Bot.id == bot_id, Bot.account_id == account_id, Bot.living)
        .with_for_update()
    )
    if bot is None:
        raise NotFound
    campaigns = db.session.scalars(
        select(Campaign)
        .where(
            Campaign.bot_id == bot_id,
            Campaign.account_id == account_id,
            Campaign.living,
        )
        .with_for_update()
    ).all()
    _check_room(recipient, len(campaigns))
    quotas.check(recipient.id, Quota.BOTS)
    bot.account_id = recipient.id
    _hand_over(campaigns, recipient.id, bot_id, with_leads=with_leads)
    log.info("bot.transferred", bot=bot_id, account=account_id, recipient=recipient.id)


def transfer_campaign(
    account_id: int, token: str, campaign_id: int, *, to_bot: int | None, with_leads: bool
) -> None:
    """Transfer one campaign to a bot of the recipient that administers its chat.

    Raises as `transfer_bot`, and NotAdminThere: there is none, or `to_bot` is not one.
    """
    chosen = _receiving_bot(_owner(token), _living(account_id, campaign_id), to_bot)
    bots = [_living(account_id, campaign_id).bot_id, *([chosen] if chosen else [])]
    recipient = _lock_both(account_id, token, bots)
    campaign = _living(account_id, campaign_id, lock=True)
    _check_room(recipient, 1)
    chosen = _receiving_bot(recipient.id, campaign, to_bot)
    if chosen is None:
        raise NotAdminThere(
            translatable("none of the recipient's bots is an administrator of that chat")
        )
    _hand_over([campaign], recipient.id, chosen, with_leads=with_leads)
    log.info("campaign.transferred", campaign=campaign_id, recipient=recipient.id)


def _owner(token: str) -> int:
    """Return the active account with this token. Raises NotFound."""
    owner = db.session.scalar(
        select(TransferToken.account_id)
        .join(Account, Account.id == TransferToken.account_id)
        .where(
            TransferToken.token_hash == hash_secret(token), Account.status == AccountStatus.ACTIVE
        )
    )
    if owner is None:
        raise NotFound(translatable("this token belongs to no account; ask for it again"))
    return owner


def _lock_both(account_id: int, token: str, bots: Sequence[int]) -> Account:
    """Stop the updates of `bots` and the changes of both accounts; return the recipient."""
    recipient = _owner(token)
    if recipient == account_id:
        raise BadParameter("token", translatable("is your own; ask the recipient for theirs"))
    inbox.hold(db.session.connection(), bots)
    locked = {id_: accounts.lock(id_) for id_ in sorted((account_id, recipient))}
    return locked[recipient]


def _is_paid(account: Account) -> bool:
    return accounts.plan_status(account) is PlanStatus.PAID


def _check_room(recipient: Account, count: int) -> None:
    if not _is_paid(recipient):
        raise RecipientUnpaid
    slots = tariffs.free_slots(recipient.tariff, accounts.living_campaigns(recipient.id))
    if slots != tariffs.UNLIMITED and slots < count:
        raise PlanLimit(translatable("the recipient's plan has no room for so many campaigns"))
    quotas.check(recipient.id, Quota.CAMPAIGNS, count)


def _living(account_id: int, campaign_id: int, *, lock: bool = False) -> Campaign:
    living = select(Campaign).where(
        Campaign.id == campaign_id,
        Campaign.account_id == account_id,
        Campaign.living,
    )
    if lock:
        living = living.with_for_update().execution_options(populate_existing=True)
    campaign = db.session.scalar(living)
    if campaign is None:
        raise NotFound
    return campaign


def _receiving_bot(recipient: int, campaign: Campaign, to_bot: int | None) -> int | None:
    able = (
        select(Bot.id)
        .join(BotChat, BotChat.bot_id == Bot.id)
        .where(
            Bot.account_id == recipient,
            Bot.living,
            BotChat.chat_id == campaign.chat_id,
            BotChat.is_admin,
        )
        .order_by(Bot.id)
    )
    return db.session.scalar(able if to_bot is None else able.where(Bot.id == to_bot))


def _hand_over(
    campaigns: Sequence[Campaign], recipient: int, bot_id: int, *, with_leads: bool
) -> None:
    ids = [campaign.id for campaign in campaigns]
    old_bots = list({campaign.bot_id for campaign in campaigns})
    for campaign in campaigns:
        campaign.account_id, campaign.bot_id = recipient, bot_id
    db.session.flush()
    connection = db.session.connection()
    if ids:
        bulk.reassign_destinations(connection, ids, recipient)
    if ids and with_leads:
        bulk.reassign_history(connection, ids, recipient, old_bots=old_bots, bot=bot_id)
    elif ids:
        bulk.delete_history(connection, ids, old_bots=old_bots)
    db.session.commit()
