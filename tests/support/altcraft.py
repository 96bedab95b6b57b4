"""Altcraft's adapter for its tests: settings, what its requests say, what its answers mean."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from plugins.contract import Event, Outcome, Response, Verdict
from plugins.registry import make_adapter
from plugins.testing import sample_event
from plugins.trackers.altcraft import adapter

TOKEN = "0123456789abcdef0123456789abcdef"
ADAPTER = make_adapter("altcraft", adapter)
SUCCESS = Response(
    200, {}, b'{"error":0,"error_text":"Successful operation","profile_id":"5f4fa1a5ce"}'
)


def settings(**more: Any) -> dict[str, Any]:
    return ADAPTER.check_settings({"token": TOKEN, "db_id": 1, "pixel_id": 7, **more})


def bodies(event: Event, **more: Any) -> dict[str, dict[str, Any]]:
    """What each step says, by its name."""
    return {one.step: json.loads(one.body) for one in ADAPTER.build(event, settings(**more))}


def judged(response: Response, step: str = "profile", **more: Any) -> Outcome:
    kept = settings(**more)
    request = next(one for one in ADAPTER.build(sample_event(), kept) if one.step == step)
    return ADAPTER.classify(response, request, sample_event(), kept)


def error(code: Any, status: int = 200, **headers: str) -> Response:
    body = {"error": code, "error_text": "so they say"}
    return Response(status, headers, json.dumps(body).encode())


ACTIONS: dict[str, Any] = {
    "mode": "actions",
    "events": {"approve": {"trigger": 11, "workflow": 12}, "trash": {"goal": "", "workflow": 13}},
}


def follow(
    answers: Iterable[Response], step: str = "goal", event: Event | None = None, **more: Any
) -> list[tuple[str, Outcome]]:
    """Try one step again and again: its Request-ID and the outcome of each answer."""
    event, kept, seen = event or sample_event(), settings(**more), []
    for number, answer in enumerate(answers):
        event = replace(event, tries=number)
        request = next(one for one in ADAPTER.build(event, kept) if one.step == step)
        outcome = ADAPTER.classify(answer, request, event, kept)
        seen.append((request.idempotency_key, outcome))
        if outcome.state is not None:
            event = replace(event, state=outcome.state)
    return seen


def verdicts(seen: list[tuple[str, Outcome]]) -> list[Verdict]:
    return [outcome.verdict for _, outcome in seen]
