"""The chats of one bot: members, join requests, invite links, and who may be written to."""

from typing import Any, Final

from app.sandbox.telegram.bot.invite_links import InviteLinks
from app.sandbox.telegram.bot.join_requests import JoinRequest, JoinRequests
from app.sandbox.telegram.bot.reach import Reach

MAX_MEMBERS: Final = 50_000
_INSIDE: Final = {"creator", "administrator", "member"}


class Chats:
    """What happened in chats. `apply` is told every update, delivered or not.

    `seen` holds the groups and channels of which an update told, by their ids.
    """

    def __init__(self, bot: dict[str, Any]) -> None:
        self.requests = JoinRequests()
        self.links = InviteLinks(bot)
        self.reach = Reach()
        self.bot = bot
        self.seen: dict[int, dict[str, Any]] = {}
        self._members: dict[tuple[int, int], dict[str, Any]] = {}

    def apply(self, update: dict[str, Any], now: float) -> dict[str, Any]:
        """Remember what an update says, and return it as this bot sees it.

        `now` is in Unix seconds. Of a public chat nothing tells by which link somebody came
        (github.com/tdlib/telegram-bot-api/issues/428). What has not the shape of an update is
        left as it is. Raises ValueError if a person comes by a link of the bot that lets
        nobody in.
        """
        acts = {
            "message": self._apply_message,
            "my_chat_member": self._apply_own_member,
            "chat_member": self._apply_member,
            "chat_join_request": self._apply_request,
        }
        for kind, act in acts.items():
            try:
                content = update[kind]
                chat, user = content["chat"]["id"], content["from"]["id"]
            except (KeyError, TypeError):
                continue
            if content["chat"].get("type") != "private":
                self.seen[chat] = content["chat"]
            if isinstance(content.get("invite_link"), dict):
                content = self._with_link(chat, content)
            try:
                act(chat, user, content, now)
            except (KeyError, TypeError):
                continue
            if content["chat"].get("username"):
                content = {name: value for name, value in content.items() if name != "invite_link"}
            update = update | {kind: content}
        return update

    def member(self, chat: int, user: int) -> dict[str, Any] | None:
        """Return the `ChatMember` that the last update told, None if none did."""
        return self._members.get((chat, user))

    def is_inside(self, chat: int, user: int) -> bool:
        """Return whether the last update told that the person is in the chat."""
        return is_inside(self._members.get((chat, user), {}))

    def may_invite(self, chat: int) -> bool:
        """Return whether the bot may invite people and decide requests.

        Ours: in a chat of which no update told, it may.
        """
        member = self._members.get((chat, self.bot["id"]))
        if member is None or member["status"] == "creator":
            return True
        return member["status"] == "administrator" and bool(member.get("can_invite_users"))

    def people_in(self, chat: int) -> list[dict[str, Any]]:
        """Return the `ChatMember`s who are in a chat, without the bot, in the order they came."""
        return [
            member
            for (at, user), member in self._members.items()
            if at == chat and user != self.bot["id"] and is_inside(member)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON has it, for `restore`."""
        return {
            "seen": list(self.seen.values()),
            "members": [[chat, member] for (chat, _), member in self._members.items()],
            "reach": self.reach.as_json(),
            "requests": self.requests.as_json(),
            "links": self.links.as_json(),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Take over what `as_json` returned. Raises KeyError, TypeError or ValueError."""
        self.seen = {chat["id"]: chat for chat in data["seen"]}
        self._members = {(chat, member["user"]["id"]): member for chat, member in data["members"]}
        self.reach.restore(data["reach"])
        self.requests.restore(data["requests"])
        self.links.restore(data["links"])

    def _with_link(self, chat: int, content: dict[str, Any]) -> dict[str, Any]:
        seen = content["invite_link"]
        pending = self.requests.count_by(str(seen.get("invite_link", "")))
        return content | {"invite_link": self.links.shown(chat, seen, pending)}

    def _apply_message(self, chat: int, user: int, content: dict[str, Any], _now: float) -> None:
        if content["chat"]["type"] == "private" and chat == user:
            self.reach.start(user)

    def _apply_own_member(self, chat: int, user: int, content: dict[str, Any], _now: float) -> None:
        member = content["new_chat_member"]
        if content["chat"]["type"] != "private":
            self._set_member(chat, self.bot["id"], member)
        elif member["status"] == "kicked":
            self.reach.block(user)
        else:
            self.reach.start(user)

    def _apply_member(self, chat: int, _by: int, content: dict[str, Any], now: float) -> None:
        member = content["new_chat_member"]
        user = member["user"]["id"]
        if is_inside(member):
            link = self.links.get(chat, (content.get("invite_link") or {}).get("invite_link", ""))
            if link and not is_inside(content["old_chat_member"]):
                asked = self.requests.get(chat, user)
                if not asked and (fault := link.fault(now)):
                    raise ValueError(f"nobody comes in by {link.url}: {fault}")
                self.links.join(link, user)
            self.requests.pop(chat, user)
        else:
            self.links.leave(chat, user)
        self._set_member(chat, user, member)

    def _apply_request(self, chat: int, user: int, content: dict[str, Any], now: float) -> None:
        seen = content.get("invite_link") or {}
        link = self.links.get(chat, seen.get("invite_link", ""))
        if link and (fault := link.fault(now)):
            raise ValueError(f"nobody asks by {link.url}: {fault}")
        self.reach.ask(user)
        user_chat_id = content.get("user_chat_id", user)
        self.requests.add(JoinRequest(content["chat"], content["from"], user_chat_id, seen, now))

    def _set_member(self, chat: int, user: int, member: dict[str, Any]) -> None:
        if len(self._members) < MAX_MEMBERS or (chat, user) in self._members:
            self._members[chat, user] = member


def is_inside(member: dict[str, Any]) -> bool:
    """Return whether a `ChatMember` is in the chat; a restricted one only if it says so."""
    status = member.get("status")
    return status in _INSIDE or (status == "restricted" and bool(member.get("is_member")))
