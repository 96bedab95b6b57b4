"""Any tracker that takes a postback by URL: five templates with {macros}.

Most trackers take a GET. The few that want a POST get a form or JSON whose
fields are templates too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from plugins import altercpa_lite, macros
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

#: Parameters and headers whose literal value is a key in the trackers we know.
_SECRET_NAME: Final = re.compile(
    r"(?:.*[-_])?(?:token|key|apikey|api_?key|secret|secure|password|passw?d?|pass|auth"
    r"|authorization|hash|sign|signature|cookie)",
    re.IGNORECASE,
)
#: `id=12-abcdef…` is how the AlterCPA family writes an API key.
_ALTERCPA_KEY: Final = re.compile(r"\d+-[A-Za-z0-9_-]{4,}")
#: Keitaro and Orbitra: https://host/{postback key}/postback?…
_BEFORE_POSTBACK: Final = re.compile(r"/([A-Za-z0-9]*\d[A-Za-z0-9]*)/postback(?=[/?.]|\Z)")
_KEY_IN_PATH: Final = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9-]{16,}")
_MACRO: Final = re.compile(r"\{[a-z_]+\}")

#: Answers of status 200 that are errors all the same. Orbitra: presets.md 4.3.
_REFUSALS: Final = ("click id not found", "clickid not found", "invalid postback key")
#: Codes by which the AlterCPA family says "not now" rather than "never".
_PASSING: Final = frozenset({"db", "server", "rate"})


def _check_url(text: str) -> None:
    try:
        macros.compile_url(text.strip())
    except ValueError as error:
        raise ValidationError(f"{error}") from error


class _Url(fields.String):
    """A template, stripped; empty switches its event off."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if text:
            _check_url(text)
        return text


def _url_of(kind: EventKind) -> _Url:
    return _Url(load_default="", metadata={"title": f"URL for {kind.value}"})


_Urls = Schema.from_dict({kind.value: _url_of(kind) for kind in EventKind}, name="Urls")

_short = validate.Length(max=256)


class UrlTemplateSettings(Schema):
    """What a customer types. Empty URLs send nothing."""

    urls = fields.Nested(_Urls, required=True, metadata={"title": "URLs by event"})
    method = fields.String(load_default="GET", validate=validate.OneOf(["GET", "POST"]))
    body = fields.String(load_default="none", validate=validate.OneOf(["none", "form", "json"]))
    fields_ = fields.Dict(
        data_key="fields",
        attribute="fields",
        keys=fields.String(validate=validate.Length(min=1, max=64)),
        values=fields.String(validate=validate.Length(max=1024)),
        validate=validate.Length(max=64),
        load_default=dict,
        metadata={"title": "Fields of the body", "help": "values may hold macros"},
    )
    headers = fields.Dict(
        keys=fields.String(validate=validate.Regexp(r"[A-Za-z0-9-]{1,64}\Z")),
        values=fields.String(validate=validate.Length(max=1024)),
        validate=validate.Length(max=16),
        load_default=dict,
        metadata={"title": "Headers", "help": "values may hold macros"},
    )
    deliver_if = fields.String(
        load_default="",
        validate=_short,
        metadata={"title": "Delivered only if the answer contains"},
    )
    reject_if = fields.String(
        load_default="", validate=_short, metadata={"title": "Rejected if the answer contains"}
    )

    @validates_schema
    def body_needs_post(self, data: dict[str, Any], **_: Any) -> None:
        """A GET carries no body, and a body without a form has no fields."""
        if data["body"] != "none" and data["method"] != "POST":
            raise ValidationError("a body needs the method POST", "body")
        if data["fields"] and data["body"] == "none":
            raise ValidationError("choose form or json to send fields", "body")


@hookimpl
def settings_schema() -> Schema:
    """URLs by event, and how to send them."""
    return UrlTemplateSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> Request | tuple[()]:
    """Fill the event's template; nothing to send where it is empty."""
    template = settings["urls"].get(event.kind.value)
    if not template:
        return ()
    url = macros.fill_url(template, event)
    secrets = secrets_of_url(template)
    if settings.get("method", "GET") == "GET" and not settings.get("headers"):
        return Request("GET", url, secrets=secrets)
    return _with_body(url, secrets, event, settings)


@hookimpl
def classify_response(response: Response, request: Request, settings: Mapping[str, Any]) -> Outcome:
    """By status, then by what the owner said to look for, then by known refusals."""
    outcome = outcome_by_status(response)
    if not outcome.verdict.is_success:
        return outcome
    wanted, unwanted = settings.get("deliver_if", ""), settings.get("reject_if", "")
    if wanted or unwanted:
        text = response.text.casefold()
        if unwanted and unwanted.casefold() in text:
            return Outcome(Verdict.REJECTED, f"the answer contains {unwanted!r}")
        if wanted and wanted.casefold() not in text:
            return Outcome(Verdict.REJECTED, f"the answer does not contain {wanted!r}")
        if wanted:
            return outcome
    if altercpa_lite.is_postback(request.url):
        # The five URLs may lead to several trackers: one revoked key stops none of the others.
        return replace(altercpa_lite.read(response), stop=False)
    return _read_body(response) or outcome


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
    values = macros.values(event)
    given, typed = settings.get("headers") or {}, settings.get("fields") or {}
    headers = {name: macros.fill(text, values, _in_header) for name, text in given.items()}
    filled = {name: macros.fill(text, values) for name, text in typed.items()}
    body = b""
    if settings.get("body") == "form":
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        body = urlencode(filled, errors="replace").encode()
    elif settings.get("body") == "json":
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(filled).encode()
    return Request(
        settings.get("method", "GET"),
        url,
        headers=headers,
        body=body,
        secrets=(*secrets, *_secrets_of_fields(given), *_secrets_of_fields(typed)),
    )


def _in_header(value: str) -> str:
    """Headers carry ASCII without line ends; the rest is percent-encoded."""
    return value if value.isascii() and value.isprintable() else macros.in_query(value)


@lru_cache(maxsize=4096)
def secrets_of_url(template: str) -> tuple[str, ...]:
    """Literal keys in a URL template, spelled as in the finished URL."""
    literal = "".join(
        part[0] if part[1] is None else f"{part[0]}{{x}}" for part in macros.compile_url(template)
    )
    address, _, query = literal.partition("#")[0].partition("?")
    found = _BEFORE_POSTBACK.findall(address)
    found += [part for part in address.split("/")[3:] if _KEY_IN_PATH.fullmatch(part)]
    keyed = altercpa_lite.is_postback(address)  # there `id` is the key, whatever it looks like
    for pair in re.split("[&;]", query):
        name, _, value = pair.partition("=")
        if _is_secret(name, value) or (keyed and name == "id" and not _MACRO.search(value)):
            found.append(value)
    return tuple(dict.fromkeys(found))


def _is_secret(name: str, value: str) -> bool:
    if not value or _MACRO.search(value):
        return False
    return bool(_SECRET_NAME.fullmatch(name)) or (
        name == "id" and bool(_ALTERCPA_KEY.fullmatch(value))
    )


def _secrets_of_fields(typed: Mapping[str, str]) -> list[str]:
    found = []
    for name, value in typed.items():
        if _is_secret(name, value):
            word = value.rpartition(" ")[2]  # "Bearer abc": the scheme is no secret
            found += [word, quote(word, safe=""), quote_plus(word), json.dumps(word)[1:-1]]
    return list(dict.fromkeys(found))
