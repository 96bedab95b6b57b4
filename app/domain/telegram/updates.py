"""Parsing of Telegram updates: JSON in, one small frozen value out.

Nothing in an update is trusted. Ids, dates and statuses must have the right
type, or the update is `Ignored` with a reason. Names and languages fall back
to empty: no lead is lost because of a strange name.
Fields: https://core.telegram.org/bots/api#update, Bot API 10.3, 2026-08-24.
"""

import enum
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from app.domain.clicks import payloads
from app.domain.storable_text import sanitize
from app.domain.telegram import payments
from app.domain.telegram.evidence import NO_EVIDENCE, Evidence, read_evidence
from app.domain.telegram.fields import (
    INT64,
    InvalidField,
    get_chat_id,
    get_date,
    get_int,
    get_object,
    get_text,
)
from app.domain.telegram.payments import PreCheckout, StarsPayment, SupportAsked
from app.domain.telegram.person import Person, read_person

MAX_BODY: Final = 1 << 20
_START: Final = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>.*))?", re.DOTALL)
_OUTSIDE: Final = frozenset({"left", "kicked"})
_ADMINS: Final = frozenset({"creator", "administrator"})
_STATUSES: Final = _OUTSIDE | _ADMINS | {"member", "restricted"}


class Malformed(ValueError):
    """The body is not an update. The message says why and quotes nothing from it."""


class LeadEventKind(enum.StrEnum):
    """What a person can do that concerns a campaign."""

    START = "start"
    REQUEST = "request"
    JOIN = "join"
    LEAVE = "leave"
    KICK = "kick"

    @property
    def is_membership(self) -> bool:
        """Whether Telegram sends it in the membership queue; starts come in another."""
        return self is not LeadEventKind.START


@dataclass(frozen=True, slots=True)
class LeadEvent:
    """A person started the bot, asked to join a chat, joined it, or left it.

    `date` is Telegram's, in Unix seconds. `chat` is None for a start, which
    names its campaign by `code`; it is empty for /start alone. `click` is the
    click id of the start, and `token` that of a stored click: `click_id`, of the
    source `source_id`, once that has been looked up. `was_member` says if the
    person was a member before, and `evidence` by which way they come.
    """

    kind: LeadEventKind
    person: Person
    chat: int | None
    date: int
    update_id: int
    code: str = ""
    click: str = ""
    was_member: bool = False
    evidence: Evidence = NO_EVIDENCE
    token: str = ""
    source_id: int | None = None
    click_id: int | None = None


@dataclass(frozen=True, slots=True)
class BotBlockedChanged:
    """A person blocked the bot (`reachable` is False) or unblocked it."""

    person: Person
    reachable: bool
    date: int
    update_id: int


@dataclass(frozen=True, slots=True)
class RightsChanged:
    """The bot's rights in a chat changed at `date` (Unix seconds). A public one has a username."""

    chat: int
    title: str
    type: str
    is_admin: bool
    can_invite: bool
    date: int
    username: str = ""


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """A group became a supergroup and has a new id. Telegram reports it in both chats."""

    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """An update of no use to us, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    """A person pressed a button of ours. `query` is the id of the callback query to answer."""

    person: Person
    data: str
    query: str


Money = PreCheckout | StarsPayment | SupportAsked
ParsedUpdate = (
    LeadEvent | RightsChanged | BotBlockedChanged | ChatMoved | ButtonPressed | Money | Ignored
)


def decode(body: bytes) -> dict[str, Any]:
    """Parse a body into an update: an object with an integer `update_id`.

    Accepts lone surrogates, NaN, numbers of any length and repeated keys (the
    last one counts). Raises `Malformed`, also for a body over 1 MiB or one that
    is nested too deep.
    """
    if len(body) > MAX_BODY:
        raise Malformed("larger than 1 MiB")
    try:
        update = orjson.loads(body)
    except orjson.JSONDecodeError:
        update = _decode_leniently(body)
    if not isinstance(update, dict):
        raise Malformed("not a JSON object")
    update_id = update.get("update_id")
    if type(update_id) is not int or not 0 <= update_id < INT64:
        raise Malformed("update_id is not an integer in range")
    return update


def parse(update: Mapping[str, Any]) -> ParsedUpdate:
    """Parse an update. Never raises, whatever JSON it gets."""
    for kind, reader in _READERS.items():
        if kind in update:
            try:
                return reader(get_object(update, kind), get_int(update, "update_id", low=0))
            except InvalidField as fault:
                return Ignored(f"{kind}: {fault}")
    kinds = (sanitize(key, 40) for key in update if key != "update_id")
    return Ignored(f"{next(kinds, '') or 'nothing'}: not a kind we follow")


def _decode_leniently(body: bytes) -> Any:
    """Decode with Python's parser what the strict one refuses."""
    try:
        return json.loads(body, parse_int=_number)
    except RecursionError:
        raise Malformed("nested too deep") from None
    except ValueError:
        raise Malformed("not JSON") from None


def _number(digits: str) -> int | float:
    """Python's int refuses thousands of digits; float accepts them."""
    return int(digits) if len(digits) <= 64 else float(digits)


def _message(message: Mapping[str, Any], update_id: int) -> ParsedUpdate:
    chat = get_object(message, "chat")
    if "migrate_to_chat_id" in message:
        return _moved(get_chat_id(chat, "id"), get_chat_id(message, "migrate_to_chat_id"))
    if "migrate_from_chat_id" in message:
        return _moved(get_chat_id(message, "migrate_from_chat_id"), get_chat_id(chat, "id"))
    if chat.get("type") != "private":
        return Ignored("message: not in a private chat")
    if money := payments.in_message(message):
        return money
    text = message.get("text")
    start = _START.fullmatch(text) if isinstance(text, str) else None
    if start is None:
        return Ignored("message: no /start")
    payload = payloads.split(sanitize(start["payload"] or "", 256))
    person, date = read_person(message, "from"), get_date(message)
    kind = LeadEventKind.START
    return LeadEvent(kind, person, None, date, update_id, **payload._asdict())


def _moved(old: int, new: int) -> ParsedUpdate:
    return ChatMoved(old, new) if old != new else Ignored("message: moved to itself")


def _join_request(request: Mapping[str, Any], update_id: int) -> ParsedUpdate:
    return LeadEvent(
        LeadEventKind.REQUEST,
        read_person(request, "from"),
        get_chat_id(get_object(request, "chat"), "id"),
        get_date(request),
        update_id,
        evidence=read_evidence(request, requested=True),
    )


def _chat_member(change: Mapping[str, Any], update_id: int) -> ParsedUpdate:
    """Compare the old status with the new one; the new one alone does not tell a change."""
    old, new = get_object(change, "old_chat_member"), get_object(change, "new_chat_member")
    was, now = _is_inside(old), _is_inside(new)
    if was == now:
        return Ignored("chat_member: no change of membership")
    person = read_person(new, "user")
    actor = get_int(get_object(change, "from"), "id")
    chat, date = get_chat_id(get_object(change, "chat"), "id"), get_date(change)
    by_others = actor != person.id or new["status"] == "kicked"
    gone = LeadEventKind.KICK if by_others else LeadEventKind.LEAVE
    kind = LeadEventKind.JOIN if now else gone
    evidence = read_evidence(change, requested=change.get("via_join_request") is True)
    return LeadEvent(kind, person, chat, date, update_id, was_member=was, evidence=evidence)


def _my_chat_member(change: Mapping[str, Any], update_id: int) -> ParsedUpdate:
    chat, new = get_object(change, "chat"), get_object(change, "new_chat_member")
    inside, date = _is_inside(new), get_date(change)
    kind = chat.get("type")
    if kind == "private":
        return BotBlockedChanged(read_person(change, "from"), inside, date, update_id)
    if not isinstance(kind, str):
        raise InvalidField("the chat has no type")
    return RightsChanged(
        get_chat_id(chat, "id"),
        get_text(chat, "title", 255),
        sanitize(kind, 16),
        *read_rights(new),
        date,
        get_text(chat, "username", 64),
    )


def read_rights(member: Mapping[str, Any]) -> tuple[bool, bool]:
    """Return whether a ChatMember is an administrator, and whether it may invite users.

    An owner may do everything; a right that is not named counts as given.
    """
    status = member.get("status")
    may_invite = status == "creator" or member.get("can_invite_users") is not False
    return status in _ADMINS, status in _ADMINS and may_invite


def _callback_query(query: Mapping[str, Any], _update_id: int) -> ParsedUpdate:
    return ButtonPressed(
        read_person(query, "from"), get_text(query, "data", 64), get_text(query, "id", 64)
    )


_READERS: Final[Mapping[str, Callable[[Mapping[str, Any], int], ParsedUpdate]]] = {
    "message": _message,
    "chat_member": _chat_member,
    "chat_join_request": _join_request,
    "my_chat_member": _my_chat_member,
    "callback_query": _callback_query,
    "pre_checkout_query": payments.checkout,
}


def _is_inside(member: Mapping[str, Any]) -> bool:
    """Whether a chat member is inside the chat: for `restricted`, `is_member` decides.

    Source: https://core.telegram.org/bots/api#chatmember.
    """
    status = member.get("status")
    if not isinstance(status, str) or status not in _STATUSES:
        raise InvalidField("unknown member status")
    if status == "restricted":
        return member.get("is_member") is True
    return status not in _OUTSIDE
