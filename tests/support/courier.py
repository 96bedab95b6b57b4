"""Adapters held to their vendors' doubles over real HTTP. Needs no application."""

import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from typing import Any

import pytest

from app.outbound.transport import Transport
from plugins.contract import Event, Outcome, Request, Verdict
from plugins.host.adapter import Adapter


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Courier:
    """Sends an event as delivery does: step by step, until one does not succeed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __call__(
        self, adapter: Adapter, event: Event, settings: dict[str, Any], done: int = 0
    ) -> list[Outcome]:
        """What each step came to, from step `done` on."""
        outcomes: list[Outcome] = []
        for request in adapter.build(event, settings)[done:]:
            response = self._send(request)
            if response is None:
                return [*outcomes, Outcome(Verdict.RETRY, "no answer")]
            outcomes.append(adapter.classify(response, request, event, settings))
            if not outcomes[-1].verdict.is_success:
                break
        return outcomes

    def probe(self, adapter: Adapter, settings: dict[str, Any]) -> Outcome:
        """What the probe comes to."""
        request = adapter.probe(settings, int(time.time()))
        assert request is not None
        response = self._send(request)
        assert response is not None
        return adapter.classify_probe(response, settings)

    def _send(self, request: Request) -> Any:
        (answer,) = self._transport.exchange([request])
        return answer.response


@pytest.fixture
def make_courier() -> Iterator[Callable[..., Courier]]:
    """`make_courier(total_seconds=0.3)` has less patience."""
    transports: list[Transport] = []

    def make(**options: Any) -> Courier:
        transports.append(Transport(allow=(ip_network("127.0.0.0/8"),), **options))
        return Courier(transports[-1])

    yield make
    for transport in transports:
        transport.close()


@pytest.fixture
def courier(make_courier: Callable[..., Courier]) -> Courier:
    return make_courier()
