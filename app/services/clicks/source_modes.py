"""Whether a source can give the links that it is set to, by what is known of its chat and bot."""

from typing import Any, Final

from sqlalchemy import and_, select

from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import Bot, BotChat, Campaign, SourceFallback, SourceMode
from app.translations import gettext

#: By these Telegram has to tell which link a person came by, which it never does in public chats.
_BY_LINK: Final = frozenset({SourceMode.INVITE, SourceMode.REQUEST, SourceMode.NAMED})


def check(campaign_id: int, mode: int, *, force: bool) -> None:
    """Raise BadParameter for links of a public chat that would not be recognised, unless forced."""
    row = _chat(campaign_id)
    if not force and mode in _BY_LINK and row is not None and row.chat_username:
        raise BadParameter(
            "mode",
            translatable(
                "the chat is public, and of public chats Telegram does not tell by which link "
                "people come: choose start, or set force"
            ),
        )


def warnings(campaign_id: int, mode: int, fallback: int) -> list[str]:
    """What keeps a source from working as it is set, in sentences of the language in use."""
    row = _chat(campaign_id)
    if row is None or mode == SourceMode.START:
        return []
    if row.chat_username and mode in _BY_LINK:
        return [
            gettext(
                "The chat is public: Telegram does not tell by which link people come. Most "
                "joins will have no click."
            )
        ]
    needs_right = mode in _BY_LINK or fallback == SourceFallback.NAMED
    if needs_right and row.is_admin is not None and not (row.is_admin and row.can_invite):
        return [
            gettext(
                "@%(bot)s may not invite users to the chat. Until it has this right, visitors "
                "get the fallback link.",
                bot=row.bot,
            )
        ]
    return []


def _chat(campaign_id: int) -> Any:
    in_chat = and_(BotChat.bot_id == Campaign.bot_id, BotChat.chat_id == Campaign.chat_id)
    return db.session.execute(
        select(
            Bot.username.label("bot"),
            BotChat.is_admin,
            BotChat.can_invite,
            BotChat.username.label("chat_username"),
        )
        .select_from(Campaign)
        .join(Bot, Bot.id == Campaign.bot_id)
        .outerjoin(BotChat, in_chat)
        .where(Campaign.id == campaign_id)
    ).first()
