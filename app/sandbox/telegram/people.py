"""People and chats, and the updates that Telegram makes of what they do.

Each function returns one update without its `update_id`; the double gives it
one when the update is pushed. Dates are Unix seconds; left out, they are now.
Shapes: https://core.telegram.org/bots/api#update, Bot API 10.3.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

Update = dict[str, Any]

#: The seven ways to stand to a chat; `restricted` is two of them.
STATUSES: Final = (
    "creator",
    "administrator",
    "member",
    "restricted",  # inside, with fewer rights
    "restricted_out",  # the same status with `is_member` false
    "left",
    "kicked",
)

#: Every compulsory field of ChatMemberAdministrator.
_RIGHTS: Final = {
    "can_be_edited": False,
    "can_manage_chat": True,
    "can_change_info": True,
    "can_delete_messages": True,
    "can_invite_users": True,
    "can_restrict_members": True,
    "can_promote_members": False,
    "can_manage_video_chats": True,
    "can_post_stories": False,
    "can_edit_stories": False,
    "can_delete_stories": False,
    "can_send_welcome_messages": False,
    "is_anonymous": False,
}
#: The rights that an administrator has, or has not, only in such a chat.
_CHANNEL_RIGHTS: Final = {
    "can_post_messages": True,
    "can_edit_messages": False,
    "can_manage_direct_messages": False,
}
_GROUP_RIGHTS: Final = {"can_pin_messages": True, "can_manage_tags": False}
_SUPERGROUP_RIGHTS: Final = _GROUP_RIGHTS | {"can_manage_topics": False}
_RIGHTS_BY_TYPE: Final = {
    "channel": _CHANNEL_RIGHTS,
    "group": _GROUP_RIGHTS,
    "supergroup": _SUPERGROUP_RIGHTS,
}
#: Every compulsory permission of ChatMemberRestricted: this person may do nothing.
_RESTRICTED: Final = dict.fromkeys(
    (
        "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos",
        "can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls",
        "can_send_other_messages", "can_add_web_page_previews", "can_react_to_messages",
        "can_edit_tag", "can_change_info", "can_invite_users", "can_pin_messages",
        "can_manage_topics",
    ),
    False,
)  # fmt: skip


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
        """The `User` object. What a person has not set is absent."""
        known = {
            "last_name": self.last_name,
            "username": self.username,
            "language_code": self.language,
            "is_premium": self.premium,
        }
        user = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        return user | {name: value for name, value in known.items() if value}

    def private(self) -> dict[str, Any]:
        """The `Chat` object of a talk between this person and the bot."""
        chat: dict[str, Any] = {"id": self.id, "first_name": self.first_name, "type": "private"}
        if self.username:
            chat["username"] = self.username
        return chat


@dataclass(frozen=True, slots=True)
class Chat:
    """A channel, group or supergroup. Ids are negative."""

    id: int
    title: str = "A channel"
    type: str = "channel"

    def chat(self) -> dict[str, Any]:
        """The `Chat` object."""
        return {"id": self.id, "title": self.title, "type": self.type}


#: Stands for the bot itself where a test does not care which one it is.
BOT: Final = Person(4_000_000_001, "Gate", username="gate_bot", language="", is_bot=True)
#: Whoever runs the chat, when it was not the person who acted.
ADMIN: Final = Person(5_000_000_001, "Admin", username="chat_admin")


def text(person: Person, words: str, date: int | None = None) -> Update:
    """A message to the bot in private."""
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


def successful_payment(person: Person, payment: dict[str, Any], date: int | None = None) -> Update:
    """The service message that tells a bot of its money."""
    return _of_money(person, person.user(), {"successful_payment": payment}, date)


def refunded_payment(person: Person, payment: dict[str, Any], date: int | None = None) -> Update:
    """The service message of money that went back; the bot itself sends it."""
    return _of_money(person, BOT.user(), {"refunded_payment": payment}, date)


def start(person: Person, payload: str = "", date: int | None = None) -> Update:
    """The person opens the bot, by a deep link if there is a payload."""
    return text(person, f"/start {payload}".strip(), date)


def join_request(person: Person, chat: Chat, date: int | None = None, link: str = "") -> Update:
    """The person asks to be let in."""
    request: dict[str, Any] = {
        "chat": chat.chat(),
        "from": person.user(),
        "user_chat_id": person.id,
        "date": _date(date),
    }
    if link:
        request["invite_link"] = _link(link, asks=True)
    return {"chat_join_request": request}


def member(  # noqa: PLR0917 what a membership update is made of
    person: Person,
    chat: Chat,
    old: str,
    new: str,
    date: int | None = None,
    by: Person | None = None,
) -> Update:
    """The person's standing changed from `old` to `new`, both of STATUSES.

    `by` is who did it; left out, the person did.
    """
    change = {
        "chat": chat.chat(),
        "from": (by or person).user(),
        "date": _date(date),
        "old_chat_member": standing(person, old, chat.type),
        "new_chat_member": standing(person, new, chat.type),
    }
    return {"chat_member": change}


def join(person: Person, chat: Chat, date: int | None = None, by: Person | None = None) -> Update:
    """The person comes in; by an admin when a request was approved."""
    return member(person, chat, "left", "member", date, by)


def leave(person: Person, chat: Chat, date: int | None = None) -> Update:
    """The person goes by own will."""
    return member(person, chat, "member", "left", date)


def kick(person: Person, chat: Chat, date: int | None = None, by: Person = ADMIN) -> Update:
    """An admin bans the person."""
    return member(person, chat, "member", "kicked", date, by)


def bot_rights(
    chat: Chat, admin: bool, date: int | None = None, *, bot: Person = BOT, by: Person = ADMIN
) -> Update:
    """The bot becomes an administrator of the chat, or stops being one."""
    old, new = ("left", "administrator") if admin else ("administrator", "left")
    return _my_member(chat.chat(), by, bot, (old, new), date)


def bot_blocked(person: Person, date: int | None = None, *, bot: Person = BOT) -> Update:
    """The person stops the bot."""
    return _my_member(person.private(), person, bot, ("member", "kicked"), date)


def bot_unblocked(person: Person, date: int | None = None, *, bot: Person = BOT) -> Update:
    """The person lets the bot write again."""
    return _my_member(person.private(), person, bot, ("kicked", "member"), date)


def migrated(old: Chat, new: Chat, date: int | None = None) -> Update:
    """What the old group says when it becomes the supergroup `new`."""
    return _service(old, date, {"migrate_to_chat_id": new.id})


def migrated_from(old: Chat, new: Chat, date: int | None = None) -> Update:
    """What the new supergroup says of the group it was."""
    return _service(new, date, {"migrate_from_chat_id": old.id})


def standing(person: Person, status: str, chat_type: str = "channel") -> dict[str, Any]:
    """The `ChatMember` object of a person, by one of STATUSES, in a chat of that type."""
    told: dict[str, Any] = {"user": person.user(), "status": status.removesuffix("_out")}
    if status == "creator":
        told["is_anonymous"] = False
    elif status == "administrator":
        told |= _RIGHTS | _RIGHTS_BY_TYPE.get(chat_type, {})
    elif status.startswith("restricted"):
        told |= {"is_member": status == "restricted", "until_date": 0} | _RESTRICTED
    elif status == "kicked":
        told["until_date"] = 0
    return told


def _my_member(
    chat: dict[str, Any], by: Person, bot: Person, change: tuple[str, str], date: int | None
) -> Update:
    old, new = change
    told = {
        "chat": chat,
        "from": by.user(),
        "date": _date(date),
        "old_chat_member": standing(bot, old, chat["type"]),
        "new_chat_member": standing(bot, new, chat["type"]),
    }
    return {"my_chat_member": told}


def _of_money(person: Person, by: dict[str, Any], said: dict[str, Any], date: int | None) -> Update:
    message = {"message_id": 1, "from": by, "chat": person.private(), "date": _date(date)}
    return {"message": message | said}


def _service(chat: Chat, date: int | None, said: dict[str, Any]) -> Update:
    message = {
        "message_id": 1,
        "from": ADMIN.user(),
        "chat": chat.chat(),
        "date": _date(date),
    }
    return {"message": message | said}


def _link(url: str, *, asks: bool) -> dict[str, Any]:
    return {
        "invite_link": url,
        "creator": ADMIN.user(),
        "creates_join_request": asks,
        "is_primary": False,
        "is_revoked": False,
    }


def _date(date: int | None) -> int:
    return int(time.time()) if date is None else date
