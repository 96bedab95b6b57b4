"""People and chats, and the updates that Telegram makes of what they do.

Each function returns an update without its `update_id`; the double adds it
when the update is pushed. Dates are Unix seconds; without one it is now.
Shapes: https://core.telegram.org/bots/api#update, Bot API 10.3.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.sandbox.telegram.chat_members import chat_member

Update = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A user of Telegram. Ids have up to 52 bits."""

    id: int
    first_name: str = "Ann"
    last_name: str = ""
    username: str = ""
    language: str = "en"
    premium: bool = False
    is_bot: bool = False

    def user(self) -> dict[str, Any]:
        """Return the `User`. What a person has not set is absent."""
        optional = {
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language,
            "is_premium": self.premium,
        }
        user = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        return user | _set(optional)

    def private(self) -> dict[str, Any]:
        """Return the private `Chat` of this person with the bot."""
        chat = {"id": self.id, "first_name": self.first_name, "type": "private"}
        return chat | _set({"username": self.username})


@dataclass(frozen=True, slots=True)
class Chat:
    """A channel, group or supergroup. Ids are negative; a public one has a username."""

    id: int
    title: str = "A channel"
    type: str = "channel"
    username: str = ""

    def chat(self) -> dict[str, Any]:
        """Return the `Chat`."""
        chat = {"id": self.id, "title": self.title, "type": self.type}
        return chat | _set({"username": self.username})


#: The bot itself, where it does not matter which one it is.
BOT: Final = Person(4_000_000_001, "Gate", username="gate_bot", language="", is_bot=True)
#: An administrator of the chat, who acts where the person does not.
ADMIN: Final = Person(5_000_000_001, "Admin", username="chat_admin")


#: For `bot_rights`: nothing is taken away from what an administrator may do.
ALL_RIGHTS: Final[Mapping[str, bool]] = {}
#: By what a person came in, as fields of the update; see also `by_link`.
BY_BUTTON: Final[Mapping[str, Any]] = {}
BY_REQUEST: Final = {"via_join_request": True}
BY_FOLDER: Final = {"via_chat_folder_invite_link": True}


def text(person: Person, words: str, date: int | None = None) -> Update:
    """The person writes to the bot in private."""
    message: dict[str, Any] = {
        "message_id": 1,
        "from": person.user(),
        "chat": person.private(),
        "date": _date(date),
        "text": words,
    }
    if words.startswith("/"):
        length = len(words.split(maxsplit=1)[0])
        message["entities"] = [{"offset": 0, "length": length, "type": "bot_command"}]
    return {"message": message}


def successful_payment(person: Person, payment: dict[str, Any]) -> Update:
    """The person has paid: the service message that the bot gets."""
    return _of_money(person, person.user(), {"successful_payment": payment})


def refunded_payment(person: Person, payment: dict[str, Any]) -> Update:
    """The money went back: the service message, which the bot itself sends."""
    return _of_money(person, BOT.user(), {"refunded_payment": payment})


def start(person: Person, payload: str = "", date: int | None = None) -> Update:
    """The person opens the bot, by a deep link if there is a payload."""
    return text(person, f"/start {payload}".strip(), date)


def join_request(
    person: Person,
    chat: Chat,
    date: int | None = None,
    link: str = "",
    bio: str = "",
    *,
    query: str = "",
) -> Update:
    """The person asks to be let in, by an invite link if there is one.

    `query` is the id of the query that a bot gets which the chat has assigned to its requests.
    """
    request = {
        "chat": chat.chat(),
        "from": person.user(),
        "user_chat_id": person.id,
        "date": _date(date),
    }
    invite_link = _link(link, asks=True) if link else None
    optional = {"invite_link": invite_link, "bio": bio, "query_id": query}
    return {"chat_join_request": request | _set(optional)}


def member(  # noqa: PLR0917 what a membership update is made of
    person: Person,
    chat: Chat,
    old: str,
    new: str,
    date: int | None = None,
    by: Person | None = None,
    *,
    how: Mapping[str, Any] = BY_BUTTON,
) -> Update:
    """The person's state in a chat changed from `old` to `new`, both of `chat_members.STATUSES`.

    `by` is who did it, the person if it is None. `how` is by what a person came
    in: BY_BUTTON, BY_REQUEST, BY_FOLDER or `by_link`.
    """
    change = _change(chat.chat(), by or person, person, (old, new), date)
    return {"chat_member": change | dict(how)}


def join(
    person: Person,
    chat: Chat,
    date: int | None = None,
    by: Person | None = None,
    *,
    how: Mapping[str, Any] = BY_BUTTON,
) -> Update:
    """The person comes in; by an admin when a request was approved. See `member`."""
    return member(person, chat, "left", "member", date, by, how=how)


def by_link(url: str) -> dict[str, Any]:
    """Return what an update tells of a join by an invite link."""
    return {"invite_link": _link(url, asks=False)}


def leave(person: Person, chat: Chat, date: int | None = None) -> Update:
    """The person leaves."""
    return member(person, chat, "member", "left", date)


def kick(person: Person, chat: Chat, date: int | None = None, by: Person = ADMIN) -> Update:
    """An admin bans the person."""
    return member(person, chat, "member", "kicked", date, by)


def bot_rights(
    chat: Chat,
    admin: bool,
    date: int | None = None,
    *,
    bot: Person = BOT,
    rights: Mapping[str, bool] = ALL_RIGHTS,
) -> Update:
    """The bot becomes an administrator of the chat, or stops being one.

    `rights` replaces single rights of an administrator, by their names.
    """
    old, new = ("left", "administrator") if admin else ("administrator", "left")
    change = _change(chat.chat(), ADMIN, bot, (old, new), date)
    if admin:
        change["new_chat_member"] |= rights
    return {"my_chat_member": change}


def bot_blocked(person: Person, date: int | None = None, *, bot: Person = BOT) -> Update:
    """The person stops the bot."""
    return {"my_chat_member": _change(person.private(), person, bot, ("member", "kicked"), date)}


def bot_unblocked(person: Person, date: int | None = None, *, bot: Person = BOT) -> Update:
    """The person lets the bot write again."""
    return {"my_chat_member": _change(person.private(), person, bot, ("kicked", "member"), date)}


def _change(
    chat: dict[str, Any], by: Person, person: Person, states: tuple[str, str], date: int | None
) -> dict[str, Any]:
    """Return the `ChatMemberUpdated`; `by` has changed the state of `person`."""
    old, new = (chat_member(person.user(), state, chat["type"]) for state in states)
    return {
        "chat": chat,
        "from": by.user(),
        "date": _date(date),
        "old_chat_member": old,
        "new_chat_member": new,
    }


def _of_money(person: Person, by: dict[str, Any], fields: dict[str, Any]) -> Update:
    message = {"message_id": 1, "from": by, "chat": person.private(), "date": _date(None)}
    return {"message": message | fields}


def _link(url: str, *, asks: bool) -> dict[str, Any]:
    return {
        "invite_link": url,
        "creator": ADMIN.user(),
        "creates_join_request": asks,
        "is_primary": False,
        "is_revoked": False,
    }


def _set(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value; Telegram leaves the others out."""
    return {name: value for name, value in fields.items() if value}


def _date(date: int | None) -> int:
    return int(time.time()) if date is None else date
