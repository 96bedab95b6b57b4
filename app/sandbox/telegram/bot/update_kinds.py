"""Kinds of updates: their names, the queue each waits in, and how long each lives.

Sources: https://core.telegram.org/bots/api#update, Bot API 10.3; for queues and
lives Client.cpp and WebhookActor.cpp of the open Bot API server.
"""

from typing import Any, Final

from app.domain.time_ranges import DAY

#: Everything Telegram may send, as far as we know of it (Bot API 10.3).
KINDS: Final = (
    "message",
    "edited_message",
    "channel_post",
    "edited_channel_post",
    "business_connection",
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
    "guest_message",
    "message_reaction",
    "message_reaction_count",
    "inline_query",
    "chosen_inline_result",
    "callback_query",
    "shipping_query",
    "pre_checkout_query",
    "purchased_paid_media",
    "poll",
    "poll_answer",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
    "chat_boost",
    "removed_chat_boost",
    "managed_bot",
    "subscription",
    "stopped_message_generation",
)
#: A bot that asked for nothing gets everything but these.
ON_REQUEST: Final = frozenset({"chat_member", "message_reaction", "message_reaction_count"})

_CHAT_KINDS: Final = {"message", "edited_message", "channel_post", "edited_channel_post"}
_PERSON_KINDS: Final = {
    "callback_query", "inline_query", "chosen_inline_result", "shipping_query",
    "pre_checkout_query",
}  # fmt: skip
_LIFE_SECONDS: Final = {
    "callback_query": 150.0,
    "shipping_query": 150.0,
    "pre_checkout_query": 150.0,
    "inline_query": 30.0,
    "chosen_inline_result": 600.0,
}


def kind_of(update: dict[str, Any]) -> str:
    """Return the name of the one field beside `update_id`, "" if there is none."""
    return next((name for name in update if name != "update_id"), "")


def queue_key(update: dict[str, Any]) -> str:
    """Return the name of the queue of an update. Telegram keeps order only inside a queue."""
    kind = kind_of(update)
    if kind == "chat_member":
        return f"member:{_value_at(update, kind, 'new_chat_member', 'user', 'id')}"
    if kind == "chat_join_request":
        return f"member:{_value_at(update, kind, 'from', 'id')}"
    if kind in _PERSON_KINDS:
        return f"{kind}:{_value_at(update, kind, 'from', 'id')}"
    chat = _value_at(update, kind, "chat", "id")
    return f"chat:{chat}" if kind in _CHAT_KINDS else f"{kind}:{chat}"


def life_seconds(update: dict[str, Any]) -> float:
    """Return for how long Telegram tries to deliver an update, in seconds."""
    return _LIFE_SECONDS.get(kind_of(update), DAY)


def _value_at(value: Any, *path: str) -> Any:
    """Return the value at a path; None if the update has another shape."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
