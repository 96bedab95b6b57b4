"""What a Telegram update says: JSON in, one small frozen value out.

Nothing in an update is trusted. What decides (ids, dates, statuses) must have
the right type, or the update is `Ignored` with a reason; what decorates
(names, language) falls back to empty, for no lead is lost to an odd name.
Fields: https://core.telegram.org/bots/api#update, Bot API 10.3, 2026-08-24.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_BODY: Final = 1 << 20
_INT64: Final = 1 << 63
_END_OF_DATES: Final = 253_402_300_800  # the year 10000, where calendars give up
_START: Final = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>.*))?", re.DOTALL)
_OUTSIDE: Final = frozenset({"left", "kicked"})
_ADMINS: Final = frozenset({"creator", "administrator"})
_STATUSES: Final = _OUTSIDE | _ADMINS | {"member", "restricted"}


class Malformed(ValueError):
    """The body is no update. The text says why, in words of ours only."""


class HappeningKind(enum.StrEnum):
    """What a person can do that concerns a campaign."""

    START = "start"
    REQUEST = "request"
    JOIN = "join"
    LEAVE = "leave"
    KICK = "kick"

    @property
    def is_membership(self) -> bool:
        """Whether Telegram sends it in the person's membership queue."""
        return self is not HappeningKind.START


@dataclass(frozen=True, slots=True)
class Person:
    """A Telegram user. Texts are clean and fit the columns of `models.Lead`."""

    id: int
    username: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""
    premium: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """A person started the bot, or moved in or out of a chat.

    `date` is Telegram's, in Unix seconds. `chat` is None for a start, which
    names its campaign by `code` instead: empty for a bare /start.
    `was_member` tells whether the person was inside before.
    """

    kind: HappeningKind
    person: Person
    chat: int | None
    date: int
    update_id: int
    code: str = ""
    click: str = ""
    was_member: bool = False


@dataclass(frozen=True, slots=True)
class Reachable:
    """A person blocked the bot (`reachable` False) or unblocked it."""

    person: Person
    reachable: bool
    date: int
    update_id: int


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """The bot's standing in a group or channel changed at `date`."""

    chat: int
    title: str
    type: str
    is_admin: bool
    date: int


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """A group became a supergroup and has a new id. Both chats tell of it."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """Not for us, and why."""

    reason: str


Reading = Happening | RightsChanged | Reachable | ChatMoved | Ignored


class _Odd(Exception):
    """The update is not what its kind promises."""


def decode(body: bytes) -> dict[str, Any]:
    """Parse a body into an update: an object with an integer `update_id`.

    Lone surrogates, NaN, numbers of any length and repeated keys (the last one
    counts) are taken. Raises `Malformed`, also above 1 MiB or nested too deep.
    """
    if len(body) > MAX_BODY:
        raise Malformed("larger than 1 MiB")
    try:
        update = orjson.loads(body)
    except orjson.JSONDecodeError:
        update = _decode_patiently(body)
    if not isinstance(update, dict):
        raise Malformed("not a JSON object")
    update_id = update.get("update_id")
    if type(update_id) is not int or not 0 <= update_id < _INT64:
        raise Malformed("update_id is not an integer in range")
    return update


def read(update: Mapping[str, Any]) -> Reading:
    """Say what an update means. Never raises, whatever JSON it is given."""
    for kind, reader in _READERS.items():
        if kind in update:
            try:
                return reader(_table(update, kind), _int(update, "update_id", low=0))
            except _Odd as odd:
                return Ignored(f"{kind}: {odd}")
    kinds = (_clean(key, 40) for key in update if key != "update_id")
    return Ignored(f"{next(kinds, '') or 'nothing'}: not a kind we follow")


def _decode_patiently(body: bytes) -> Any:
    """Read what the strict parser refuses, with Python's own."""
    try:
        return json.loads(body, parse_int=_number)
    except RecursionError:
        raise Malformed("nested too deep") from None
    except ValueError:
        raise Malformed("not JSON") from None


def _number(digits: str) -> int | float:
    """Python refuses integers of thousands of digits; a float takes them."""
    return int(digits) if len(digits) <= 64 else float(digits)


def _message(message: Mapping[str, Any], update_id: int) -> Reading:
    chat = _table(message, "chat")
    if "migrate_to_chat_id" in message:
        return _moved(_chat_id(chat, "id"), _chat_id(message, "migrate_to_chat_id"))
    if "migrate_from_chat_id" in message:
        return _moved(_chat_id(message, "migrate_from_chat_id"), _chat_id(chat, "id"))
    if chat.get("type") != "private":
        return Ignored("message: not in a private chat")
    text = message.get("text")
    start = _START.fullmatch(text) if isinstance(text, str) else None
    if start is None:
        return Ignored("message: no /start")
    payload = _clean(start["payload"] or "", 256)
    code, _, click = payload.partition("-")
    person, date = _person(message, "from"), _date(message)
    return Happening(HappeningKind.START, person, None, date, update_id, code=code, click=click)


def _moved(old: int, new: int) -> Reading:
    return ChatMoved(old, new) if old != new else Ignored("message: moved to itself")


def _join_request(request: Mapping[str, Any], update_id: int) -> Reading:
    return Happening(
        HappeningKind.REQUEST,
        _person(request, "from"),
        _chat_id(_table(request, "chat"), "id"),
        _date(request),
        update_id,
    )


def _chat_member(change: Mapping[str, Any], update_id: int) -> Reading:
    """Join and leave come from the pair old → new, never from the new alone."""
    old, new = _table(change, "old_chat_member"), _table(change, "new_chat_member")
    was, now = _is_inside(old), _is_inside(new)
    if was == now:
        return Ignored("chat_member: no change of membership")
    person = _person(new, "user")
    actor = _int(_table(change, "from"), "id")
    chat, date = _chat_id(_table(change, "chat"), "id"), _date(change)
    by_others = actor != person.id or new["status"] == "kicked"
    gone = HappeningKind.KICK if by_others else HappeningKind.LEAVE
    kind = HappeningKind.JOIN if now else gone
    return Happening(kind, person, chat, date, update_id, was_member=was)


def _my_chat_member(change: Mapping[str, Any], update_id: int) -> Reading:
    chat, new = _table(change, "chat"), _table(change, "new_chat_member")
    inside, date = _is_inside(new), _date(change)
    kind = chat.get("type")
    if kind == "private":
        return Reachable(_person(change, "from"), inside, date, update_id)
    if not isinstance(kind, str):
        raise _Odd("the chat has no type")
    return RightsChanged(
        _chat_id(chat, "id"),
        _text(chat, "title", 255),
        _clean(kind, 16),
        new["status"] in _ADMINS,
        date,
    )


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], int], Reading]]] = {
    "message": _message,
    "chat_member": _chat_member,
    "chat_join_request": _join_request,
    "my_chat_member": _my_chat_member,
}


def _is_inside(member: Mapping[str, Any]) -> bool:
    """Tell members from others: `restricted` needs `is_member` as well.

    Source: https://core.telegram.org/bots/api#chatmember.
    """
    status = member.get("status")
    if not isinstance(status, str) or status not in _STATUSES:
        raise _Odd("unknown member status")
    if status == "restricted":
        return member.get("is_member") is True
    return status not in _OUTSIDE


def _person(parent: Mapping[str, Any], name: str) -> Person:
    user = _table(parent, name)
    if user.get("is_bot") is True:
        raise _Odd("a bot, not a person")
    return Person(
        id=_int(user, "id"),
        username=_text(user, "username", 64),
        first_name=_text(user, "first_name", 64),
        last_name=_text(user, "last_name", 64),
        language=_text(user, "language_code", 16),
        premium=user.get("is_premium") is True,
    )


def _table(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if not isinstance(value, dict):
        raise _Odd(f"{name} is not an object")
    return value


def _int(parent: Mapping[str, Any], name: str, low: int = 1, high: int = _INT64) -> int:
    """Take an integer in low ≤ value < high. Booleans are none."""
    value = parent.get(name)
    if type(value) is not int or not low <= value < high:
        raise _Odd(f"{name} is not an integer in range")
    return value


def _chat_id(parent: Mapping[str, Any], name: str) -> int:
    return _int(parent, name, low=-_INT64)


def _date(parent: Mapping[str, Any]) -> int:
    return _int(parent, "date", high=_END_OF_DATES)


def _text(parent: Mapping[str, Any], name: str, size: int) -> str:
    value = parent.get(name)
    return _clean(value, size) if isinstance(value, str) else ""


def _clean(text: str, size: int) -> str:
    """Drop what no column takes (NUL, lone surrogates), strip, cut to `size`."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode().strip()[:size]
