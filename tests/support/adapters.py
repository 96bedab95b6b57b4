"""Adapters for tests: a plain one to build others on, and how a real one is asked."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import marshmallow
import pytest

from plugins.contract import Outcome, Request, Response, Verdict, hookimpl
from plugins.host.adapter import Adapter
from plugins.testing import sample_event


class PlainPlugin:
    """Asks for nothing, sends one request for an event, and takes any answer for a success."""

    @hookimpl
    def settings_schema(self) -> marshmallow.Schema:
        return marshmallow.Schema()

    @hookimpl
    def build_request(self) -> Request | tuple[Request, ...]:
        return Request("GET", "https://127.0.0.2/")

    @hookimpl
    def classify_response(self) -> Outcome:
        return Outcome(Verdict.DELIVERED)


def judged(
    adapter: Adapter, typed: Mapping[str, Any], status: int, answer: Any, **headers: str
) -> Outcome:
    """What an answer means to an adapter with these settings. `answer` is JSON or bytes."""
    settings = adapter.check_settings(typed)
    (request,) = adapter.build(sample_event(), settings)
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    return adapter.classify(Response(status, headers, body), request, sample_event(), settings)


def problems(load: Callable[..., object], **typed: Any) -> dict[str, Any]:
    """The messages with which `load(**typed)` refuses settings, by field."""
    with pytest.raises(marshmallow.ValidationError) as caught:
        load(**typed)
    messages = caught.value.messages
    assert isinstance(messages, dict)
    return messages
