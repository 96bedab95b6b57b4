"""Ways in which Telegram fails, to be ordered for the next calls of a bot.

Texts as the open Bot API server writes them (tdlib/telegram-bot-api). Telegram
promises none of them: code that reads them must work with other words too.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


class Refusal(Exception):
    """An answer with `ok: false`. Methods raise it."""

    def __init__(
        self, code: int, description: str, parameters: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = dict(parameters or {})

    def payload(self) -> dict[str, Any]:
        """Return the JSON body."""
        body: dict[str, Any] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        return body | ({"parameters": self.parameters} if self.parameters else {})


class Manner(enum.StrEnum):
    """What goes wrong with a call."""

    REFUSE = "refuse"  #: an error is answered and nothing is done
    HANG = "hang"  #: no answer ever, and nothing is done
    RESET = "reset"  #: done, and then the connection breaks: was it sent or not?
    DROP = "drop"  #: the connection breaks before anything is done
    MALFORMED = "malformed"  #: done, and then the answer is cut JSON


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `code`, `description` and `parameters` are for REFUSE."""

    manner: Manner = Manner.REFUSE
    code: int = 0
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def refusal(self) -> Refusal:
        """Return the answer of a REFUSE."""
        return Refusal(self.code, self.description, self.parameters)


def refuse(code: int, description: str, **parameters: Any) -> Fault:
    """Return a fault that answers with this code and description."""
    return Fault(Manner.REFUSE, code, description, parameters)


def flood(seconds: int = 1) -> Fault:
    """Return the 429 that asks to wait for so many seconds."""
    text = f"Too Many Requests: retry after {seconds}"
    return refuse(429, text, retry_after=seconds)


def moved(chat: int) -> Fault:
    """Return the 400 of a group that became the supergroup `chat`."""
    text = "Bad Request: group chat was upgraded to a supergroup chat"
    return refuse(400, text, migrate_to_chat_id=chat)


UNAUTHORIZED: Final = refuse(401, "Unauthorized")
BLOCKED: Final = refuse(403, "Forbidden: bot was blocked by the user")
DEACTIVATED: Final = refuse(403, "Forbidden: user is deactivated")
NEVER_STARTED: Final = refuse(403, "Forbidden: bot can't initiate conversation with a user")
KICKED: Final = refuse(403, "Forbidden: bot was kicked from the channel chat")
NOT_MEMBER: Final = refuse(403, "Forbidden: bot is not a member of the channel chat")
GROUP_DELETED: Final = refuse(403, "Forbidden: the group chat was deleted")
CHAT_NOT_FOUND: Final = refuse(400, "Bad Request: chat not found")
NO_RIGHTS: Final = refuse(400, "Bad Request: not enough rights to manage chat invite link")
NO_REQUEST_RIGHTS: Final = refuse(
    400, "Bad Request: not enough rights to manage chat join requests"
)
REQUEST_SETTLED: Final = refuse(400, "Bad Request: HIDE_REQUESTER_MISSING")
ALREADY_INSIDE: Final = refuse(400, "Bad Request: USER_ALREADY_PARTICIPANT")
CHANNELS_TOO_MUCH: Final = refuse(400, "Bad Request: USER_CHANNELS_TOO_MUCH")
BAD_ENTITIES: Final = refuse(
    400,
    "Bad Request: can't parse entities: Can't find end of the entity starting at byte offset 0",
)
CONFLICT: Final = refuse(
    409,
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running",
)
SERVER_ERROR: Final = refuse(500, "Internal Server Error")
BAD_GATEWAY: Final = refuse(502, "Bad Gateway")
HANG: Final = Fault(Manner.HANG)
RESET: Final = Fault(Manner.RESET)
DROP: Final = Fault(Manner.DROP)
MALFORMED: Final = Fault(Manner.MALFORMED)

#: Each of them, by its name in lower case.
_BY_NAME: Final = {
    name.lower(): fault for name, fault in list(globals().items()) if isinstance(fault, Fault)
}


def by_name(name: str) -> Fault:
    """Return the fault of a name, also of `flood:4000` and `moved:-1001`. Raises ValueError."""
    word, _, number = name.partition(":")
    if word == "flood":
        return flood(int(number or 1))
    if word == "moved":
        return moved(int(number))
    if word not in _BY_NAME:
        names = ", ".join([*_BY_NAME, "flood:SECONDS", "moved:CHAT"])
        raise ValueError(f"there is no fault {name!r}; there are {names}")
    return _BY_NAME[word]


@dataclass(slots=True)
class _Order:
    """A fault that waits for its calls. `times` below zero never ends."""

    method: str
    fault: Fault
    times: int
    chat: int | None
    user: int | None

    def fits(self, method: str, params: Mapping[str, Any]) -> bool:
        if self.times == 0 or self.method not in ("*", method):
            return False
        named = {"chat_id": self.chat, "user_id": self.user}
        return all(
            number is None or str(params.get(name)) == str(number) for name, number in named.items()
        )


class FaultOrders:
    """Faults that are ordered for the next calls of one bot."""

    def __init__(self) -> None:
        self._orders: list[_Order] = []

    def add(
        self,
        method: str,
        fault: Fault,
        times: int,
        *,
        chat: int | None = None,
        user: int | None = None,
    ) -> None:
        """Order a fault for the next `times` calls of a method, or of all with `*`.

        Below zero, `times` never ends. `chat` and `user` mean only calls whose
        `chat_id` and `user_id` are these.
        """
        self._orders.append(_Order(method, fault, times, chat, user))

    def take(self, method: str, params: Mapping[str, Any]) -> Fault | None:
        """Return the next fault that fits a call, and count it; None if none does."""
        for order in self._orders:
            if order.fits(method, params):
                order.times -= 1
                return order.fault
        return None
