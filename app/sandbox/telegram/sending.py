"""The methods that send something, with Telegram's limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.sandbox.telegram import formatting
from app.sandbox.telegram.call import Caller, Result
from app.sandbox.telegram.faults import Refusal
from app.sandbox.telegram.state import SentMessage

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024
#: What a video has beside a photo's fields; the double looks into no file.
_VIDEO: Final = {"duration": 1, "mime_type": "video/mp4"}
_PARSE_MODES: Final = {"", "markdown", "markdownv2", "html"}


def send_message(call: Caller) -> Result:
    """A text. Length counts after the entities are parsed."""
    chat, shown = call.chat(), _parsed(call, "text")
    if not shown.strip():
        raise Refusal(400, "Bad Request: message text is empty")
    if len(shown) > MAX_TEXT:
        raise Refusal(400, "Bad Request: message is too long")
    content: dict[str, Any] = {"text": shown}
    if entities := _own_entities(call):
        content["entities"] = entities
    return sent_message(call, "sendMessage", chat, call.text("text"), content)


def send_photo(call: Caller) -> Result:
    """A picture by upload, file id or address."""
    return _send_file(call, "sendPhoto", "photo")


def send_video(call: Caller) -> Result:
    """A film by upload, file id or address."""
    return _send_file(call, "sendVideo", "video")


def _parsed(call: Caller, name: str) -> str:
    """The text as a reader sees it. A parse mode wins over entities."""
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
    given = call.structure(name)
    if call.params.get(name) is not None and not isinstance(given, list):
        raise Refusal(400, "Bad Request: can't parse entities: expected an Array of MessageEntity")
    return given or []


def _own_entities(call: Caller) -> Any:
    """What counts of the entities: a parse mode hides them."""
    return [] if call.text("parse_mode") else _entities(call)


def _check_buttons(markup: Any) -> None:
    rows = markup.get("inline_keyboard", []) if isinstance(markup, dict) else []
    for button in (button for row in rows for button in row):
        if "url" in button and (fault := formatting.link_fault(button["url"])):
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
    """The message that a method sent, and what the bot is told of it."""
    markup = call.structure("reply_markup")
    if call.text("reply_markup") and not isinstance(markup, dict):
        raise Refusal(400, "Bad Request: can't parse reply keyboard markup JSON object")
    _check_buttons(markup)
    number = call.bot.next_message_id()
    told = {
        "message_id": number,
        "from": call.bot.me(),
        "chat": {"id": chat, "type": "private" if chat > 0 else "supergroup"},
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
    return Result(told | dict(content), sent=sent)
