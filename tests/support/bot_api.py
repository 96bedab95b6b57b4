"""What only tests ask of the Bot API double: groups that move, and faults that end."""

from typing import Any

from app.sandbox.telegram.faults import FaultOrders
from app.sandbox.telegram.people import ADMIN, Chat
from app.sandbox.telegram.server import BotApiDouble


def migrated(old: Chat, new: Chat, date: int = 0) -> dict[str, Any]:
    """What the old group says when it becomes the supergroup `new`."""
    return _service(old, date, {"migrate_to_chat_id": new.id})


def migrated_from(old: Chat, new: Chat, date: int = 0) -> dict[str, Any]:
    """What the new supergroup says of the group it was."""
    return _service(new, date, {"migrate_from_chat_id": old.id})


def heal(double: BotApiDouble, token: str) -> None:
    """Cancel every ordered fault of a bot."""
    with double.locked:
        (bot,) = (bot for bot in double.bots() if bot.token == token)
        bot.faults = FaultOrders()


def _service(chat: Chat, date: int, fields: dict[str, Any]) -> dict[str, Any]:
    message = {"message_id": 1, "from": ADMIN.user(), "chat": chat.chat(), "date": date}
    return {"message": message | fields}
