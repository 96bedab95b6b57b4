"""The methods that send something, with Telegram's limits.

Sources: https://core.telegram.org/bots/api#sendmessage; words of refusals:
Client.cpp of the open Bot API server and td/telegram. Ours: no file is looked
into, so every picture and video has the same size; nobody is ever too fast,
since a flood is ordered as a fault.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.domain.telegram.links import link_fault
from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.log import SentMessage
from app.sandbox.telegram.methods import formatting

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
#: What a video has beside the fields of a photo.
_VIDEO: Final = {"duration": 1, "mime_type": "video/mp4"}
_PARSE_MODES: Final = {"", "markdown", "markdownv2", "html"}


def send_message(call: Caller) -> Result:
    """Send a text. Its length counts after the entities are parsed. Raises Refusal."""
    chat, shown = call.chat(), _parsed(call, "text")
    if formatting.is_empty(shown):
        raise Refusal(400, "Bad Request: message text is empty")
    if len(shown) > MAX_TEXT:
        raise Refusal(400, "Bad Request: message is too long")
    content: dict[str, Any] = {"text": shown}
    if entities := _own_entities(call):
        content["entities"] = entities
    return sent_message(call, "sendMessage", chat, call.text("text"), content)


def send_photo(call: Caller) -> Result:
    """Send a picture by upload, file id or address. Raises Refusal."""
    return _send_file(call, "sendPhoto", "photo")


def send_video(call: Caller) -> Result:
    """Send a video by upload, file id or address. Raises Refusal."""
    return _send_file(call, "sendVideo", "video")


def _parsed(call: Caller, name: str) -> str:
    """Return the text as a reader sees it. A parse mode wins over entities."""
    mode = call.text("parse_mode").lower()
    if mode not in _PARSE_MODES:
        raise Refusal(400, "Bad Request: unsupported parse_mode")
    if mode != "markdown":
        if not mode:
            formatting.check_entities(call.text(name), _entities(call))
        return call.text(name)
    try:
        return formatting.plain(call.text(name))
    except formatting.Unparsable as error:
        raise Refusal(400, str(error)) from None


def _entities(call: Caller) -> Any:
    name = "entities" if "text" in call.params else "caption_entities"
    entities = call.structure(name)
    if call.params.get(name) is not None and not isinstance(entities, list):
        raise Refusal(400, "Bad Request: can't parse entities: expected an Array of MessageEntity")
    return entities or []


def _own_entities(call: Caller) -> Any:
    """Return the entities that count: a parse mode hides them."""
    return [] if call.text("parse_mode") else _entities(call)


def _check_buttons(markup: Any) -> None:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    for button in (button for row in rows for button in row):
        if "url" in button and (fault := link_fault(button["url"])):
            url = button["url"]
            raise Refusal(
                400, f"Bad Request: inline keyboard button URL '{url}' is invalid: {fault}"
            )


def _send_file(call: Caller, method: str, kind: str) -> Result:
    chat, caption = call.chat(), _parsed(call, "caption")
    if not call.text(kind):
        raise Refusal(400, f"Bad Request: there is no {kind} in the request")
    if len(caption) > MAX_CAPTION:
        raise Refusal(400, "Bad Request: message caption is too long")
    file_id = call.text(kind) if isinstance(call.params[kind], str) else f"{kind}-{call.now:.6f}"
    file = {"file_id": file_id, "file_unique_id": file_id[-16:], "width": 100, "height": 100}
    content: dict[str, Any] = {kind: [file]} if kind == "photo" else {kind: file | _VIDEO}
    if caption:  # absent, and not empty, without one
        content["caption"] = caption
    if entities := _own_entities(call):
        content["caption_entities"] = entities
    return sent_message(call, method, chat, call.text("caption"), content)


def sent_message(
    call: Caller, method: str, chat: int, text: str, content: Mapping[str, Any]
) -> Result:
    """Return the message that a method sends to a chat, and log it. Raises Refusal.

    `text` is as the bot wrote it, `content` what a reader gets.
    """
    markup = call.structure("reply_markup")
    if call.text("reply_markup") and not isinstance(markup, dict):
        raise Refusal(400, "Bad Request: can't parse reply keyboard markup JSON object")
    _check_buttons(markup)
    _check_reach(call, chat)
    number = call.bot.next_message_id()
    message = {
        "message_id": number,
        "from": call.bot.identity.user(),
        "chat": _chat(call, chat),
        "date": int(call.now),
    }
    sent = SentMessage(
        time=call.now,
        token=call.bot.token,
        method=method,
        chat_id=chat,
        message_id=number,
        text=text,
        shown=str(content.get("text", content.get("caption", ""))),
        parse_mode=call.text("parse_mode"),
        entities=_own_entities(call),
        reply_markup=markup or {},
        params=call.params,
    )
    return Result(message | dict(content), sent=sent)


def _chat(call: Caller, chat: int) -> dict[str, Any]:
    """Return the `Chat` as an update told it. Ours: one of which none told has a type only."""
    kind = "private" if chat > 0 else "supergroup"
    return call.bot.chats.seen.get(chat) or {"id": chat, "type": kind}


def _check_reach(call: Caller, chat: int) -> None:
    """Raise Refusal for a person to whom the bot may not write now."""
    chats = call.bot.chats
    window_open = chats.requests.is_window_open(chat, call.now)
    if chat > 0 and (fault := chats.reach.fault(chat, window_open)):
        raise fault.refusal()
