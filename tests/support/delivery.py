"""What tests of delivery share: a clock, and a transport that needs no network."""

from __future__ import annotations

from collections import deque
from typing import Any

from app.outbound.result import Answer, Failure
from plugins.contract import Request, Response

T = 1_800_000_000
OK = Response(200, {}, b"ok")


class Exchange:
    """A transport that answers every request with `answer`, and keeps the requests.

    `answer` is a Response, a Failure, or a function of the request that returns one.
    """

    def __init__(self, answer: Any = OK) -> None:
        self.answer = answer
        self.sent: list[Request] = []
        self._ready: deque[Answer] = deque()
        self.most_in_flight = 0

    def start(self, request: Request, tag: object) -> None:
        self.sent.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        response = answer if isinstance(answer, Response) else None
        failure = None if response else Failure(answer)
        self._ready.append(Answer(tag, response, failure, str(failure or ""), 1, 0.0))
        self.most_in_flight = max(self.most_in_flight, len(self._ready))

    def poll(self, _seconds: float) -> list[Answer]:
        ready, self._ready = list(self._ready), deque()
        return ready

    def abort(self) -> list[object]:
        return [self._ready.popleft().tag for _ in range(len(self._ready))]

    def statuses(self) -> list[str]:
        return [request.url.partition("status=")[2].partition("&")[0] for request in self.sent]


class Clock:
    """Time that passes by half a millisecond at each look; begins in the future."""

    def __init__(self) -> None:
        self.now = float(T + 10_000_000)

    def __call__(self) -> float:
        self.now += 0.0005
        return self.now
