"""One attempt to send an event to a tracker, from request to outcome. No I/O.

Delivery, the test send and the connection check read answers here, so that a
test says of an answer what delivery would make of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from app.outbound.result import Answer, Failure
from plugins.contract import Event, Outcome, Request, Response, Verdict
from plugins.host.adapter import Adapter
from plugins.host.validation import AdapterFailed
from plugins.kit.secrets.typed import mask_cut

_SHOWN: Final = 2048  # characters of an answer that people may see
_LOOKED_AT: Final = 4 * _SHOWN  # a mask is shorter than what it hides
_NEVER: Final = (Failure.BLOCKED, Failure.INVALID)  # trying again cannot help


@dataclass(slots=True, kw_only=True)
class TrackerAttempt:
    """The requests that tell one event, in order, and how far they have come.

    `step` is the index of the request to send next. `fault` is what the
    adapter did instead of reading the last answer.
    """

    adapter: Adapter
    settings: Mapping[str, Any]
    event: Event
    requests: tuple[Request, ...]
    step: int = 0
    fault: AdapterFailed | None = None
    _is_stale: bool = field(default=False, init=False)

    @property
    def request(self) -> Request:
        """The request to send next."""
        return self.requests[self.step]

    @property
    def is_complete(self) -> bool:
        """Whether no request is left to send."""
        return self.step >= len(self.requests)

    @property
    def adapter_state(self) -> str:
        """What the adapter keeps for the next request as JSON text; "" for nothing."""
        return json.dumps(dict(self.event.state)) if self.event.state else ""

    def read(self, answer: Answer) -> Outcome:
        """Return what the answer to the current request means. Never raises."""
        try:
            return read(answer, self._classify)
        except AdapterFailed as error:
            self.fault = error
            return Outcome(Verdict.RETRY, error.reason)

    def advance(self, outcome: Outcome) -> None:
        """Keep the state that an outcome returns; go on to the next step after a success."""
        state = outcome.state
        if state is not None and state != self.event.state:
            self.event = replace(self.event, state=MappingProxyType(dict(state)))
            self._is_stale = True
        if outcome.verdict.is_success:
            self.step += 1

    def refresh(self) -> bool:
        """Build the requests again if the adapter's state has changed.

        Returns False, and keeps the old requests, if the adapter fails or
        builds other steps than before.
        """
        if not self._is_stale:
            return True
        try:
            requests = self.adapter.build(self.event, self.settings)
        except AdapterFailed:
            return False
        if [request.step for request in requests] != [request.step for request in self.requests]:
            return False
        self.requests, self._is_stale = requests, False
        return True

    def _classify(self, response: Response) -> Outcome:
        return self.adapter.classify(response, self.request, self.event, self.settings)


def read(answer: Answer, classify: Callable[[Response], Outcome]) -> Outcome:
    """Return what an answer means: by `classify`, or by the lack of a response.

    Raises what `classify` raises.
    """
    if answer.response is not None:
        return classify(answer.response)
    verdict = Verdict.REJECTED if answer.failure in _NEVER else Verdict.RETRY
    return Outcome(verdict, answer.reason)


def shown(answer: Answer, request: Request) -> str:
    """The body of an answer for people: masked, at most 2048 characters, "" without one."""
    if answer.response is None:
        return ""
    # Masked before it is cut for people: a secret cut in two would leave its head readable. What
    # is looked at is cut before, since each of thousands of secrets costs its whole length.
    return storable(mask_cut(answer.response.text[:_LOOKED_AT], request.secrets)[:_SHOWN])


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot store."""
    return text.replace("\x00", "\ufffd")
