"""Any tracker that takes a postback by URL: five templates with macros, one for each event.

Most trackers take a GET. The few that want a POST get a form or JSON whose values are
templates too. A preset (`presets.py`) writes all of these settings.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from marshmallow import Schema

from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Event,
    EventKind,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
    outcome_by_status,
    translatable,
)
from plugins.kit import altercpa, answer_rules, macros
from plugins.kit.bounded_cache import remembered
from plugins.kit.failures import says_nothing, stated_failure, text_says_failure
from plugins.kit.secrets.names import is_secret_name
from plugins.kit.secrets.typed import (
    encodings,
    secrets_of_fields,
    secrets_of_headers,
    secrets_of_url,
)
from plugins.trackers.url_template import presets
from plugins.trackers.url_template.presets import Preset
from plugins.trackers.url_template.settings import UrlTemplateSettings

#: Texts that refuse an event under status 200. Orbitra's are read in its source.
_REFUSALS: Final = ("click id not found", "clickid not found", "invalid postback key")


@hookimpl
def settings_schema() -> Schema:
    """A preset and its fields, or URLs by event and how to send them."""
    return UrlTemplateSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """One request from the event's template; nothing where that is empty."""
    template = settings["urls"].get(event.kind.value)
    if not template or (not event.click and settings.get("needs_click")):
        return ()
    if _would_unbook(event, settings):
        return ()
    field_secrets: tuple[str, ...] = ()
    if fields := settings.get("fields"):
        template, field_secrets = _with_secret_fields(template, tuple(fields.items()))
    if "{status}" in template:
        template = template.replace("{status}", macros.in_query(_status(event.kind, settings)))
    if settings.get("scheme") == "http":
        template = f"http{template.removeprefix('https')}"
    url = macros.fill_url(template, event)
    secrets = (*secrets_of_url(template), *field_secrets)
    if settings.get("method", "GET") == "GET" and not settings.get("headers"):
        return Request("GET", url, secrets=secrets)
    return _with_body(url, secrets, event, settings)


@hookimpl
def conversion_kinds() -> tuple[ConversionKind, ...]:
    """All of them; one without a URL is not sent."""
    return tuple(ConversionKind)


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> frozenset[str]:
    """What the URLs, the body and the headers name as macros, and no more."""
    templates = [settings.get(name) for name in ("urls", "payload", "headers")]
    return frozenset(macros.touch_names(json.dumps(templates, ensure_ascii=False)))


@hookimpl
def classify_response(response: Response, request: Request, settings: Mapping[str, Any]) -> Outcome:
    """By the chosen rules, then by status, the owner's texts and known refusals."""
    if by_rules := _classify_by_rules(response, settings):
        return by_rules
    is_success = 200 <= response.status < 300
    if is_success and (by_texts := _classify_by_texts(response, settings)):
        return by_texts
    outcome = outcome_by_status(response)
    if is_success and altercpa.is_postback_url(request.url):
        # The five URLs may lead to several trackers: one revoked key stops none of the others.
        return replace(altercpa.classify(response), disable_destination=False)
    if not outcome.verdict.is_success:
        return outcome
    return _find_refusal(response) or _judge_unknown(response, outcome, settings)


@hookimpl
def delivery_policy(settings: Mapping[str, Any]) -> DeliveryPolicy:
    """The mode `separate` is for trackers that count every event."""
    return DeliveryPolicy(send_superseded=settings.get("mode") == "separate")


def _would_unbook(event: Event, settings: Mapping[str, Any]) -> bool:
    """Whether this start or request, of a person who is in, would overwrite their approval."""
    is_early = event.kind in (EventKind.WAIT, EventKind.HOLD)
    is_one = bool(settings.get("preset")) and settings.get("mode") == presets.ONE
    return is_early and is_one and event.joined is not None


def _classify_by_rules(response: Response, settings: Mapping[str, Any]) -> Outcome | None:
    """By the rules of the settings, or of the preset that they name, or of their own preset."""
    preset = _preset_of_rules(settings)
    rules: Any = preset.answer_rules if preset else settings.get("answer_rules") or ()
    if rules == presets.ALTERCPA:
        return altercpa.classify(response)
    return answer_rules.classify(response, () if isinstance(rules, str) else rules)


def _preset_of_rules(settings: Mapping[str, Any]) -> Preset | None:
    """The preset that reads the answers; None where the settings hold rules, or none are known."""
    key = settings.get("answer_rules") or settings.get("preset")
    return presets.presets().get(key) if isinstance(key, str) else None


def _classify_by_texts(response: Response, settings: Mapping[str, Any]) -> Outcome | None:
    """By the texts that the owner put into `deliver_if` and `reject_if`; None without them.

    A refusal that is found too often is seen; a success is not, so `deliver_if` is a word, and
    makes none of a page or a stated failure that it does not name itself.
    """
    deliver_if, reject_if = settings.get("deliver_if", ""), settings.get("reject_if", "")
    if not deliver_if and not reject_if:
        return None
    text = response.text.casefold()
    if reject_if and reject_if.casefold() in text:
        return Outcome(
            Verdict.REJECTED, translatable("the answer contains %(text)s", text=repr(reject_if))
        )
    if not deliver_if:
        return None
    if not _has_words(text, deliver_if.casefold()):
        return Outcome(
            Verdict.REJECTED,
            translatable("the answer does not contain %(text)s", text=repr(deliver_if)),
        )
    if response.unreadable and "<" not in deliver_if:
        return Outcome(Verdict.REJECTED, response.unreadable)
    failure = None if _names_failure(response, deliver_if) else _find_refusal(response)
    return failure or Outcome(
        Verdict.DELIVERED, translatable("the answer contains %(text)s", text=repr(deliver_if))
    )


def _has_words(text: str, words: str) -> bool:
    """Whether `words` stand in `text` as words of their own, not inside a longer one."""
    before = r"(?<![^\W_])" if words[0].isalnum() else ""
    after = r"(?![^\W_])" if words[-1].isalnum() else ""
    return re.search(f"{before}{re.escape(words)}{after}", text) is not None


def _names_failure(response: Response, deliver_if: str) -> bool:
    """Whether the owner's text is itself what an answer says of a failure, or quotes a page."""
    words = stated_failure(response)
    is_quote = words is not None and _has_words(deliver_if.casefold(), words.casefold())
    return "<" in deliver_if or is_quote or text_says_failure(deliver_if)


def _find_refusal(response: Response) -> Outcome | None:
    """A refusal under status 200, where it is stated; else None."""
    if failure := altercpa.classify_lookalike(response):
        return failure
    text = response.text.casefold()
    for refusal in _REFUSALS:
        if refusal in text:
            return Outcome(
                Verdict.REJECTED, translatable("the tracker says: %(refusal)s", refusal=refusal)
            )
    return None


def _judge_unknown(response: Response, outcome: Outcome, settings: Mapping[str, Any]) -> Outcome:
    """Refuse a success that the preset's tracker would have told in other words.

    Of a tracker whose words nobody knows it counts, and says so where it is none by itself.
    """
    preset = _preset_of_rules(settings)
    if preset and preset.otherwise:
        return Outcome(Verdict.REJECTED, preset.otherwise)
    reminded = _with_reminder(outcome, settings)
    if reminded is outcome and says_nothing(response):
        reason = translatable(
            "HTTP %(status)d; the answer does not say that the event was taken",
            status=response.status,
        )
        return replace(outcome, reason=reason)
    return reminded


def _with_reminder(outcome: Outcome, settings: Mapping[str, Any]) -> Outcome:
    """`outcome` with the preset's reminder: the tracker answers the same when it took nothing."""
    preset, mode = settings.get("preset"), settings.get("mode", "")
    reminder = presets.find_mode(preset, mode).reminder if preset else ""
    if not reminder:
        return outcome
    reason = translatable("%(reason)s; %(message)s", reason=outcome.reason, message=reminder)
    return replace(outcome, reason=reason)


def _with_body(
    url: str, secrets: tuple[str, ...], event: Event, settings: Mapping[str, Any]
) -> Request:
    method, body = settings.get("method", "GET"), settings.get("body", "none")
    header_templates, payload = settings.get("headers") or {}, settings.get("payload") or {}
    values = {
        **macros.all_values(event),
        "status": _status(event.kind, settings),
        **(settings.get("fields") or {}),
    }
    headers = {
        name: macros.fill(template, values, _in_header)
        for name, template in header_templates.items()
    }
    if method == "POST" and "idempotency-key" not in map(str.lower, headers):
        headers["Idempotency-Key"] = event.step_key()
    data = b""
    if body == "form":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        data = urlencode(_filled(payload, values), errors="replace").encode()
    elif body == "json":
        headers.setdefault("Content-Type", "application/json")
        data = json.dumps(_filled(payload, values)).encode()
    secrets = (*secrets, *secrets_of_headers(header_templates), *secrets_of_fields(payload))
    return Request(method, url, headers=headers, body=data, secrets=secrets)


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    """The payload with its macros filled in, nested objects too."""
    if isinstance(value, Mapping):
        return {name: _filled(item, values) for name, item in value.items()}
    if not isinstance(value, str):
        return value
    number = macros.number_name(value)
    return int(values[number]) if number else macros.fill(value, values)


def _status(kind: EventKind | ConversionKind, settings: Mapping[str, Any]) -> str:
    """The word for {status}: the customer's, else the preset's, else our own."""
    if word := (settings.get("statuses") or {}).get(kind.value):
        return str(word)
    preset = settings.get("preset")
    if preset and isinstance(kind, EventKind):
        return presets.find_mode(preset, settings.get("mode", "")).statuses.get(kind, kind.value)
    return kind.value


@remembered(16_000_000)
def _with_secret_fields(
    template: str, fields: tuple[tuple[str, str], ...]
) -> tuple[str, tuple[str, ...]]:
    """The template with a preset's secret fields in their place, and all their encodings."""
    secrets: list[str] = []
    for name, value in fields:
        if is_secret_name(name):
            template = template.replace(f"{{{name}}}", macros.in_query(value))
            secrets += encodings(value)
    return template, tuple(secrets)


def _in_header(value: str) -> str:
    """Percent-encode a value unless it is printable ASCII, which is what headers carry."""
    return value if value.isascii() and value.isprintable() else macros.in_query(value)
