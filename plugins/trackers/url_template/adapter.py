"""Any tracker that takes a postback by URL: five templates with {macros}.

Most trackers take a GET. The few that want a POST get a form or JSON whose
values are templates too. A preset (`plugins/trackers/url_template/presets.py`) writes all of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlencode

from marshmallow import Schema

from plugins.contract import (
    Event,
    EventKind,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
)
from plugins.host.validation import spellings
from plugins.kit import answer_rules, macros
from plugins.kit.url_secrets import secrets_of_fields, secrets_of_url
from plugins.trackers import altercpa_lite
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.settings import UrlTemplateSettings

__all__ = ["UrlTemplateSettings", "secrets_of_url"]

#: Answers of status 200 that are errors all the same. Orbitra: presets.md 4.3.
_REFUSALS: Final = ("click id not found", "clickid not found", "invalid postback key")
#: Codes by which the AlterCPA family says "not now" rather than "never".
_PASSING: Final = frozenset({"db", "server", "rate"})
#: `"{subscriber|number}"` in JSON becomes a number.
_NUMBER: Final = re.compile(r"\{([a-z_]+)\|number\}")


@hookimpl
def settings_schema() -> Schema:
    """A preset, or URLs by event and how to send them."""
    return UrlTemplateSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """Fill the event's template; nothing to send where it is empty."""
    template = settings["urls"].get(event.kind.value)
    if not template or (not event.click and settings.get("needs_click")):
        return ()
    hidden: tuple[str, ...] = ()
    if fields := settings.get("fields"):
        template, hidden = _unhidden(template, tuple(fields.items()))
    if "{status}" in template:
        template = template.replace("{status}", macros.in_query(_status(event.kind, settings)))
    if settings.get("scheme") == "http":
        template = f"http{template.removeprefix('https')}"
    url = macros.fill_url(template, event)
    secrets = (*secrets_of_url(template), *hidden)
    if settings.get("method", "GET") == "GET" and not settings.get("headers"):
        return Request("GET", url, secrets=secrets)
    return _with_body(url, secrets, event, settings)


@hookimpl
def classify_response(response: Response, request: Request, settings: Mapping[str, Any]) -> Outcome:
    """By the chosen reader, then by status, the owner's texts and known refusals."""
    if read := _by_reader(response, settings):
        return read
    outcome = outcome_by_status(response)
    if not outcome.verdict.is_success:
        return outcome
    if told := _by_texts(response, settings):
        return told
    if altercpa_lite.is_postback(request.url):
        # The five URLs may lead to several trackers: one revoked key stops none of the others.
        return replace(altercpa_lite.classify(response), stop=False)
    return _read_body(response) or _reminded(outcome, settings)


@hookimpl
def wants_every_event(settings: Mapping[str, Any]) -> bool:
    """A tracker that is told separate events counts each of them."""
    return settings.get("mode") == "separate"


def _reminded(taken: Outcome, settings: Mapping[str, Any]) -> Outcome:
    """With what the preset would remind of: the tracker says the same when it is amiss."""
    preset, mode = settings.get("preset"), settings.get("mode", "")
    reminder = presets.mode_of(preset, mode).reminder if preset else ""
    return replace(taken, reason=f"{taken.reason}; {reminder}") if reminder else taken


def _by_reader(response: Response, settings: Mapping[str, Any]) -> Outcome | None:
    reads = settings.get("answer_rules") or settings.get("preset") or ()
    if isinstance(reads, str):
        preset = presets.presets().get(reads)
        rules = preset.answer_rules if preset else ()
    else:
        rules = tuple(reads)
    if rules == presets.ALTERCPA:
        return altercpa_lite.classify(response)
    return answer_rules.classify(response, rules) if not isinstance(rules, str) else None


def _by_texts(response: Response, settings: Mapping[str, Any]) -> Outcome | None:
    wanted, unwanted = settings.get("deliver_if", ""), settings.get("reject_if", "")
    if not wanted and not unwanted:
        return None
    text = response.text.casefold()
    if unwanted and unwanted.casefold() in text:
        return Outcome(Verdict.REJECTED, f"the answer contains {unwanted!r}")
    if not wanted:
        return None
    if wanted.casefold() in text:
        return Outcome(Verdict.DELIVERED, f"the answer contains {wanted!r}")
    return Outcome(Verdict.REJECTED, f"the answer does not contain {wanted!r}")


def _read_body(response: Response) -> Outcome | None:
    """An error told under status 200, as far as it is certain; else None."""
    if len(response.body) < 8:
        return None
    text = response.text
    if text.lstrip().startswith("{"):
        return _read_json(response.json())
    low = text.casefold()
    for refusal in _REFUSALS:
        if refusal in low:
            return Outcome(Verdict.REJECTED, f"the tracker says: {refusal}")
    return None


def _read_json(answer: Any) -> Outcome | None:
    """AlterCPA and its family: {"status": "error", "error": "<code>"} under HTTP 200."""
    if not isinstance(answer, dict):
        return None
    if (
        answer.get("status") not in ("error", "fail", "failed")
        and answer.get("success") is not False
    ):
        return None
    code = str(answer.get("error") or answer.get("message") or "")[:200]
    verdict = Verdict.RETRY if code in _PASSING else Verdict.REJECTED
    return Outcome(verdict, f"the tracker says: {code or 'error'}")


def _with_body(
    url: str, secrets: tuple[str, ...], event: Event, settings: Mapping[str, Any]
) -> Request:
    method, body = settings.get("method", "GET"), settings.get("body", "none")
    given, payload = settings.get("headers") or {}, settings.get("payload") or {}
    values = {
        **macros.values(event),
        "status": _status(event.kind, settings),
        **(settings.get("fields") or {}),
    }
    headers = {name: macros.fill(text, values, _in_header) for name, text in given.items()}
    if method == "POST" and "idempotency-key" not in map(str.lower, headers):
        headers["Idempotency-Key"] = event.step_key()
    data = b""
    if body == "form":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        data = urlencode(_filled(payload, values), errors="replace").encode()
    elif body == "json":
        headers.setdefault("Content-Type", "application/json")
        data = json.dumps(_filled(payload, values)).encode()
    typed = (*secrets_of_fields(given), *secrets_of_fields(payload))
    return Request(method, url, headers=headers, body=data, secrets=(*secrets, *typed))


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The payload with its macros filled in, objects inside it too."""
    if isinstance(value, Mapping):
        return {name: _filled(item, values) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    number = _NUMBER.fullmatch(value)
    return int(values[number[1]]) if number else macros.fill(value, values)


def _status(kind: EventKind, settings: Mapping[str, Any]) -> str:
    """The tracker's word for an event: the customer's, else the preset's, else ours."""
    if word := (settings.get("statuses") or {}).get(kind.value):
        return str(word)
    if preset := settings.get("preset"):
        return presets.mode_of(preset, settings.get("mode", "")).statuses.get(kind, kind.value)
    return kind.value


@lru_cache(maxsize=4096)
def _unhidden(template: str, fields: tuple[tuple[str, str], ...]) -> tuple[str, tuple[str, ...]]:
    """The template with a preset's secret fields in their place, and their spellings."""
    hidden: list[str] = []
    for name, value in fields:
        if presets.SECRET_NAME.fullmatch(name):
            template = template.replace(f"{{{name}}}", macros.in_query(value))
            hidden += spellings(value)
    return template, tuple(hidden)


def _in_header(value: str) -> str:
    """Headers carry ASCII without line ends; the rest is percent-encoded."""
    return value if value.isascii() and value.isprintable() else macros.in_query(value)
