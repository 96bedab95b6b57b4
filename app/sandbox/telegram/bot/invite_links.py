"""The invite links that a bot has made: their limits, and who came in by them.

Sources: https://core.telegram.org/bots/api#chatinvitelink; the words of errors:
https://core.telegram.org/method/messages.editExportedChatInvite.
"""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, Final

#: How Telegram shows a link of another administrator: it hides the second part.
ELLIPSIS: Final = "…"
#: How much of a foreign link is shown. Ours: Telegram does not say.
SHOWN_CHARACTERS: Final = len("https://t.me/+") + 8


@dataclass(slots=True)
class InviteLink:
    """One link. `expire_date` is in Unix seconds; 0 means no date, or no limit of members."""

    chat: int
    url: str
    name: str = ""
    expire_date: int = 0
    member_limit: int = 0
    creates_join_request: bool = False
    is_revoked: bool = False
    members: set[int] = field(default_factory=set)

    def fault(self, now: float) -> str:
        """Return why nobody comes in by this link, in Telegram's words; "" if people do."""
        over = self.expire_date and now >= self.expire_date
        full = self.member_limit and len(self.members) >= self.member_limit
        return "INVITE_HASH_EXPIRED" if self.is_revoked or over or full else ""


class InviteLinks:
    """The links of one bot, by their URL."""

    def __init__(self, bot: dict[str, Any]) -> None:
        self._bot = bot
        self._links: dict[str, InviteLink] = {}
        self._link_of: dict[tuple[int, int], InviteLink] = {}

    def add(self, chat: int) -> InviteLink:
        """Make a link without limits."""
        url = f"https://t.me/+{secrets.token_urlsafe(12)}"
        self._links[url] = InviteLink(chat, url)
        return self._links[url]

    def get(self, chat: int, url: str) -> InviteLink | None:
        """Return the bot's own link of a chat, None if it is not one."""
        link = self._links.get(url)
        return link if link and link.chat == chat else None

    def shown(self, chat: int, seen: dict[str, Any], pending: int) -> dict[str, Any]:
        """Return a link of an update as this bot sees it.

        Its own link comes with all its fields, another administrator's is cut.
        """
        url = str(seen.get("invite_link", ""))
        if link := self.get(chat, url):
            return self.as_object(link, pending)
        is_cut = url.endswith(ELLIPSIS) or len(url) <= SHOWN_CHARACTERS
        return seen if is_cut else seen | {"invite_link": url[:SHOWN_CHARACTERS] + ELLIPSIS}

    def as_object(self, link: InviteLink, pending: int) -> dict[str, Any]:
        """Return a link as a `ChatInviteLink`; `pending` is how many requests wait."""
        optional = {
            "name": link.name,
            "expire_date": link.expire_date,
            "member_limit": link.member_limit,
            "pending_join_request_count": pending,
        }
        return {
            "invite_link": link.url,
            "creator": self._bot,
            "creates_join_request": link.creates_join_request,
            "is_primary": False,
            "is_revoked": link.is_revoked,
        } | {name: value for name, value in optional.items() if value}

    def join(self, link: InviteLink, user: int) -> None:
        """The person came in by this link, and takes a place of it."""
        link.members.add(user)
        self._link_of[link.chat, user] = link

    def leave(self, chat: int, user: int) -> None:
        """The person left: a place of the link by which they came is free again."""
        if link := self._link_of.pop((chat, user), None):
            link.members.discard(user)

    def as_json(self) -> list[dict[str, Any]]:
        """Return all of it as JSON has it, for `restore`."""
        return [asdict(link) | {"members": sorted(link.members)} for link in self._links.values()]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Take over what `as_json` returned. Raises TypeError or KeyError."""
        links = [InviteLink(**fields | {"members": set(fields["members"])}) for fields in data]
        self._links = {link.url: link for link in links}
        self._link_of = {(link.chat, user): link for link in links for user in link.members}
