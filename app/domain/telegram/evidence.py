"""Evidence: what Telegram says of the way by which a person came into a chat. Pure.

Fields: https://core.telegram.org/bots/api#chatmemberupdated and #chatjoinrequest.
"""

import enum
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.domain.telegram.fields import get_optional_id, get_text

MAX_LINK: Final = 255
MAX_LINK_NAME: Final = 32
MAX_BIO: Final = 140
MAX_QUERY: Final = 64

#: The hash part of an invite link. It is case-sensitive. Another administrator's
#: link arrives cut, with "…" at its end, and has none.
_INVITE: Final = re.compile(
    r"(?:(?:https?://)?(?:t\.me|telegram\.me|telegram\.dog)/(?:\+|joinchat/)"
    r"|tg://join\?invite=)"
    r"(?P<hash>[A-Za-z0-9_-]+)"
)


class Arrival(enum.IntEnum):
    """By which way a person came, as far as Telegram says. Stored, so the numbers stay."""

    UNKNOWN = 0  #: nothing was said: a public chat, a search, a person who was added
    LINK = 1  #: an invite link that this bot made
    OTHER_LINK = 2  #: an invite link of another administrator
    REQUEST = 3  #: a join request without a link
    FOLDER = 4  #: a link to a folder of chats

    @property
    def label(self) -> str:
        """The word for it in answers of the API; empty for UNKNOWN."""
        return "" if self is Arrival.UNKNOWN else self.name.lower()


@dataclass(frozen=True, slots=True)
class Evidence:
    """The optional fields of a membership update that tell how a person came.

    `link` and `link_name` are those of the invite link and `link_creator` is the
    Telegram id of its maker; 0 if there is none. `user_chat` is a private chat in which
    the bot may write for five minutes after a join request, 0 without one.
    `bio` is the person's own text, and personal. `query` is the id of a join
    request query that somebody must answer.
    """

    link: str = ""
    link_name: str = ""
    link_creator: int = 0
    requested: bool = False
    via_folder: bool = False
    user_chat: int = 0
    bio: str = ""
    query: str = ""
    is_public: bool = False

    def arrival(self, bot: int) -> Arrival:
        """The way by which the person came; `bot` is the Telegram id of the bot."""
        if self.via_folder:
            return Arrival.FOLDER
        if self.link:
            return Arrival.LINK if self.link_creator == bot else Arrival.OTHER_LINK
        return Arrival.REQUEST if self.requested else Arrival.UNKNOWN

    @property
    def link_key(self) -> str | None:
        """A key of the link that does not tell the link: half a SHA-256 of its hash, in hex."""
        match = _INVITE.fullmatch(self.link)
        if match is None:
            return None
        return hashlib.sha256(match["hash"].encode()).hexdigest()[:32]


NO_EVIDENCE: Final = Evidence()


def read_evidence(parent: Mapping[str, Any], *, requested: bool) -> Evidence:
    """Read a membership update or a join request; what is missing or odd counts as not told.

    `requested` says whether there was a join request.
    """
    link = parent.get("invite_link")
    if not isinstance(link, dict):
        link = {}
    creator = link.get("creator")
    chat = parent.get("chat")
    evidence = Evidence(
        link=get_text(link, "invite_link", MAX_LINK),
        link_name=get_text(link, "name", MAX_LINK_NAME),
        link_creator=get_optional_id(creator, "id") if isinstance(creator, dict) else 0,
        requested=requested,
        via_folder=parent.get("via_chat_folder_invite_link") is True,
        user_chat=get_optional_id(parent, "user_chat_id"),
        bio=get_text(parent, "bio", MAX_BIO),
        query=get_text(parent, "query_id", MAX_QUERY),
        is_public=isinstance(chat, dict) and bool(chat.get("username")),
    )
    return NO_EVIDENCE if evidence == NO_EVIDENCE else evidence
