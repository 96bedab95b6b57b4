"""What the transport returns for each request."""

import enum
from dataclasses import dataclass
from typing import Final

from plugins.contract import Response


class Failure(enum.StrEnum):
    """Why there is no answer."""

    TIMEOUT = "timeout"  #: connected, but the answer was not complete in time
    UNREACHABLE = "unreachable"  #: no connection, so nothing was sent
    BLOCKED = "blocked"  #: the URL itself is one we do not call; nothing was sent
    INVALID = "invalid"  #: not a request HTTP can carry; nothing was sent
    TOO_LARGE = "too_large"  #: the headers are too large
    ABORTED = "aborted"  #: the connection broke before the answer was complete


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one request.

    Either `response` or `failure` is None. `reason` is for people and may be
    stored; a name that leads to a forbidden address and one where nobody
    answers read the same, or customers could scan ports with the attempt log.
    `detail` tells them apart and is for the operator's log only. `ms` runs
    from name resolution to the last byte. `started` is in Unix seconds. It `may_be_ours` if the
    time ran out while this process did not look: there may have been an answer in time.
    """

    tag: object
    response: Response | None
    failure: Failure | None
    reason: str
    ms: int
    started: float
    detail: str = ""
    may_be_ours: bool = False

    @property
    def status(self) -> int:
        """The HTTP status, 0 without a response."""
        return self.response.status if self.response else 0

    @property
    def was_sent(self) -> bool:
        """Whether the other side may have acted on the request."""
        return self.response is not None or self.failure in _SENT


_SENT: Final = (Failure.TIMEOUT, Failure.TOO_LARGE, Failure.ABORTED)


class Unsendable(Exception):
    """A request refused before any network."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason
