"""Join requests that nobody has decided yet, and for how long each lets the bot write.

Source: https://core.telegram.org/bots/api#chatjoinrequest. All times are Unix
seconds by the double's clock; a request begins when its update is pushed,
whatever its `date`, so that a play may be set in the past.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

WINDOW_SECONDS: Final = 300
MAX_PENDING: Final = 50_000


@dataclass(slots=True)
class JoinRequest:
    """One request. `link` is the `ChatInviteLink` by which it came, {} if by none.

    `contacted`: another administrator has written to the person.
    """

    chat: dict[str, Any]
    user: dict[str, Any]
    user_chat_id: int
    link: dict[str, Any]
    asked: float
    contacted: bool = False


class JoinRequests:
    """The pending requests of the chats of one bot."""

    def __init__(self) -> None:
        self._pending: dict[tuple[int, int], JoinRequest] = {}

    def add(self, request: JoinRequest) -> None:
        """Hold a request; an earlier one of the same person in the same chat goes."""
        if len(self._pending) < MAX_PENDING:
            self._pending[request.chat["id"], request.user["id"]] = request

    def pop(self, chat: int, user: int) -> JoinRequest | None:
        """Take out a request that is decided or withdrawn; None if there is none."""
        return self._pending.pop((chat, user), None)

    def get(self, chat: int, user: int) -> JoinRequest | None:
        """Return a request that waits, None if there is none."""
        return self._pending.get((chat, user))

    def of(self, chat: int) -> list[int]:
        """Return the ids of the people who wait for a chat, the longest waiting first."""
        return [user for at, user in self._pending if at == chat]

    def count_by(self, link: str) -> int:
        """Return how many people wait who came by the invite link with this URL."""
        return sum(request.link.get("invite_link") == link for request in self._pending.values())

    def contact(self, chat: int, user: int) -> None:
        """Another administrator writes to the person: the bot may not any more.

        Raises KeyError if the person does not wait for the chat.
        """
        self._pending[chat, user].contacted = True

    def is_window_open(self, user_chat_id: int, now: float) -> bool:
        """Return whether a pending request lets the bot write to this private chat."""
        return any(
            request.user_chat_id == user_chat_id
            and not request.contacted
            and now - request.asked < WINDOW_SECONDS
            for request in self._pending.values()
        )

    def as_json(self) -> list[dict[str, Any]]:
        """Return all of it as JSON has it, for `restore`."""
        return [asdict(request) for request in self._pending.values()]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Take over what `as_json` returned. Raises TypeError or KeyError."""
        self._pending.clear()
        for fields in data:
            self.add(JoinRequest(**fields))
