"""How bots stand in their chats, for their owner: what each may do there, and asked anew."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_, select, update

from app.errors import NotFound
from app.extensions import db
from app.models import Bot, BotChat, Campaign
from app.services.bots.rights import NEVER_ADMIN


class ChatRights(NamedTuple):
    """A bot's rights in a chat, and the campaign that tracks it, None without one."""

    chat: BotChat
    campaign_id: int | None


def chats_of(bot_ids: Sequence[int]) -> Mapping[int, Sequence[ChatRights]]:
    """Return the chats of some bots, by bot: those in which each is or was an administrator."""
    tracks = and_(
        Campaign.bot_id == BotChat.bot_id, Campaign.chat_id == BotChat.chat_id, Campaign.living
    )
    rows = db.session.execute(
        select(BotChat, Campaign.id)
        .outerjoin(Campaign, tracks)
        .where(BotChat.bot_id.in_(bot_ids), BotChat.title != NEVER_ADMIN)
        .order_by(BotChat.title, BotChat.id)
    )
    chats: dict[int, list[ChatRights]] = {bot_id: [] for bot_id in bot_ids}
    for chat, campaign_id in rows:
        chats[chat.bot_id].append(ChatRights(chat, campaign_id))
    return chats


def check_soon(account_id: int, bot_id: int) -> None:
    """Have Telegram asked within seconds how a bot stands. Commits. Raises NotFound."""
    mine = update(Bot).where(Bot.id == bot_id, Bot.account_id == account_id, Bot.living)
    if db.session.scalar(mine.values(checked=0.0).returning(Bot.id)) is None:
        raise NotFound
    db.session.commit()
