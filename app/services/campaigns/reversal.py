"""Reversal of a transfer that a stranger asked for: all of it comes back to its owner.

Bots and campaigns are taken from whoever has them by now. What was deleted meanwhile is revived,
and the leads that came meanwhile come along; those that the transfer deleted do not come back.
A campaign that somebody else made since for such a bot stays theirs, deleted: its templates hold
keys that are not the owner's.
"""

from collections.abc import Collection, Sequence

import orjson
import structlog
from sqlalchemy import and_, or_, select

from app.crypto import new_secret
from app.domain.tariffs import PLANS
from app.extensions import db
from app.models import Account, Bot, BotStatus, Campaign, CampaignStatus, Transfer, TransferState
from app.services.campaigns import handover, relocation
from app.services.campaigns.campaigns import pause_surplus

log = structlog.get_logger()


def reverse(transfer: Transfer, now: float) -> bool:
    """Give back what a transfer took, wherever it is by now. False if it moves. No commit."""
    before = _whereabouts(transfer)
    bots = [transfer.bot_id, *(bot for _, _, bot in before)]
    owners = [transfer.account_id, *(owner for _, owner, _ in before)]
    handover.lock(bots, owners)
    if _whereabouts(transfer) != before:
        return False  # it went on at this moment; the next call finds it there
    if not handover.change_state(transfer, TransferState.REVERSING, TransferState.REVERSED, now):
        return False
    home = {id_: (bot, status) for id_, bot, status in orjson.loads(transfer.moved)}
    if transfer.bot_id is not None:
        _bring_home(transfer.bot_id, transfer.account_id)
    ids = [id_ for id_, _, _ in before if id_]
    went: dict[int, list[Campaign]] = {}
    campaigns = db.session.scalars(
        select(Campaign).where(Campaign.id.in_(ids)).order_by(Campaign.id).with_for_update()
    ).all()
    _end_those_made_since(campaigns, home, transfer.account_id)
    for campaign in campaigns:
        if campaign.id not in home:
            continue
        bot, status = home[campaign.id]
        if not campaign.living and status != CampaignStatus.DELETED and _is_free(campaign):
            campaign.status = status
        went.setdefault(bot, []).append(campaign)
    for bot, group in went.items():
        handover.hand_over(group, transfer.account_id, bot, with_leads=True)
    all_bots = [bot for bot, _ in home.values()] + [bot for _, _, bot in before]
    gone_home = [campaign.id for group in went.values() for campaign in group]
    transfer.progress = relocation.begin(gone_home, all_bots)
    sender = db.session.get_one(Account, transfer.account_id)
    pause_surplus(sender.id, PLANS[sender.tariff])  # it may have become smaller meanwhile
    handover.notify_both(transfer, "reversed", "lost", sender.name, now)
    log.info("transfer.reversed", transfer=transfer.id, account=transfer.account_id)
    return True


def _whereabouts(transfer: Transfer) -> list[tuple[int, int, int]]:
    """Who has what a transfer gave: for each campaign its id, its owner and its bot.

    Campaigns that were made since for a bot belong to it. The bot itself is the campaign 0.
    """
    ids = [id_ for id_, _, _ in orjson.loads(transfer.moved)]
    query = select(Campaign.id, Campaign.account_id, Campaign.bot_id)
    of_bot = and_(Campaign.bot_id == (transfer.bot_id or 0), Campaign.living)
    query = query.where(or_(Campaign.id.in_(ids), of_bot)).order_by(Campaign.id)
    rows = [(row.id, row.account_id, row.bot_id) for row in db.session.execute(query)]
    if transfer.bot_id is not None:
        owner = select(Bot.account_id).where(Bot.id == transfer.bot_id)
        if (account := db.session.scalar(owner)) is not None:
            rows.append((0, account, transfer.bot_id))
    return rows


def _end_those_made_since(
    campaigns: Sequence[Campaign], home: Collection[int], account_id: int
) -> None:
    """End what others have made since for the bots, before what had the same chats is revived.

    `campaigns` are those that come `home`, and those of a bot that does. On a bot to which a
    campaign alone was given, only one that has its chat by now was made since, and for it.
    """
    returning = [campaign for campaign in campaigns if campaign.id in home]
    in_their_places = select(Campaign).where(
        Campaign.bot_id.in_({campaign.bot_id for campaign in returning}),
        Campaign.chat_id.in_({campaign.chat_id for campaign in returning}),
        Campaign.living,
    )
    others = db.session.scalars(in_their_places.order_by(Campaign.id).with_for_update()).all()
    for campaign in {*campaigns, *others}:
        if campaign.id not in home and campaign.account_id != account_id:
            campaign.status = CampaignStatus.DELETED
    db.session.flush()


def _bring_home(bot_id: int, account_id: int) -> None:
    """Give a bot back, also if it was disconnected meanwhile and nobody has connected it anew."""
    bot = db.session.get(Bot, bot_id, populate_existing=True, with_for_update=True)
    if bot is None:
        return
    bot.account_id = account_id
    elsewhere = select(Bot.id).where(Bot.tg_id == bot.tg_id, Bot.living)
    if not bot.living and db.session.scalar(elsewhere) is None:
        bot.status, bot.webhook_path, bot.webhook_url = BotStatus.ACTIVE, new_secret(), ""
    db.session.flush()


def _is_free(campaign: Campaign) -> bool:
    """Whether no living campaign tracks the chat of a deleted one."""
    other = select(Campaign.id).where(Campaign.chat_id == campaign.chat_id, Campaign.living)
    return db.session.scalar(other) is None
