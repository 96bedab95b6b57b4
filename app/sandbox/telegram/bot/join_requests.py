"""Join requests that nobody has decided yet, and for how long each lets the bot write.

Source: https://core.telegram.org/bots/api#chatjoinrequest. All times are Unix
seconds by the double's clock; a request begins when its update is pushed,
whatever its `date`, so that a play may be set in the past.
"""

from collections import Counter, defaultdict
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
    """The pending requests of the chats of one bot, found without looking at all of them."""

    def __init__(self) -> None:
        self._pending: dict[tuple[int, int], JoinRequest] = {}
        self._by_user_chat: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
        self._by_link: Counter[str] = Counter()

    def add(self, request: JoinRequest) -> None:
        """Hold a request; an earlier one of the same person in the same chat goes."""
        key = request.chat["id"], request.user["id"]
        self.pop(*key)
        if len(self._pending) < MAX_PENDING:
            self._pending[key] = request
            self._by_user_chat[request.user_chat_id].add(key)
            self._by_link[request.link.get("invite_link", "")] += 1

    def pop(self, chat: int, user: int) -> JoinRequest | None:
        """Take out a request that is decided or withdrawn; None if there is none."""
        request = self._pending.pop((chat, user), None)
        if request is not None:
            self._by_user_chat[request.user_chat_id].discard((chat, user))
            self._by_link[request.link.get("invite_link", "")] -= 1
        return request

    def get(self, chat: int, user: int) -> JoinRequest | None:
        """Return a request that waits, None if there is none."""
        return self._pending.get((chat, user))

    def of(self, chat: int) -> list[int]:
        """Return the ids of the people who wait for a chat, the longest waiting first."""
        return [user for at, user in self._pending if at == chat]

    def count_by(self, link: str) -> int:
        """Return how many people wait who came by the invite link with this URL."""
        return self._by_link[link] if link else 0

    def contact(self, chat: int, user: int) -> None:
        """Another administrator writes to the person: the bot may not any more.

        Raises KeyError if the person does not wait for the chat.
        """
        self._pending[chat, user].contacted = True

    def is_window_open(self, user_chat_id: int, now: float) -> bool:
        """Return whether a pending request lets the bot write to this private chat."""
        requests = (self._pending[key] for key in self._by_user_chat.get(user_chat_id, ()))
        return any(
            not request.contacted and now - request.asked < WINDOW_SECONDS for request in requests
        )

    def as_json(self) -> list[dict[str, Any]]:
        """Return all of it as JSON has it, for `restore`."""
        return [asdict(request) for request in self._pending.values()]

    def restore(self, data: list[dict[str, Any]]) -> None:
        """Take over what `as_json` returned. Raises TypeError or KeyError."""
        for key in list(self._pending):
            self.pop(*key)
        for fields in data:
            self.add(JoinRequest(**fields))
