"""Altcraft's API v1.1 on loopback, as its developer guide describes it.

Profiles by database, goals by pixel. A repeated Request-ID of the same token
gets the first answer again for a day, and nothing is done.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

REMEMBER_SECONDS: Final = 86_400
MAX_PIXEL_DATA: Final = 1024
TRIGGERS: Final = "/api/v1.1/campaigns/triggers/start"
SCENARIOS: Final = "/api/v1.1/workflows/start"
#: path → the matching modes that its method knows
STARTS: Final = {
    TRIGGERS: {"email", "email_profile", "phone", "profile_id", "custom"},
    SCENARIOS: {"email", "phone", "profile_id", "custom"},
}

_GOAL: Final = re.compile(
    r"[A-Za-zА-Яа-яЁё \t$€£¥₽!#%&*+\-.,:;'=?@^_()\[\]/\\|]{1,128}"  # noqa: RUF001
)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")

#: matching → the key its value is under
_NEEDS: Final = {
    "custom": "field_value",
    "profile_id": "profile_id",
    "email": "email",
    "email_profile": "email",
    "phone": "phone",
}


@dataclass
class Profile:
    """One profile: its data as imported, and what was subscribed."""

    id: str
    data: dict[str, Any] = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)


class Refused(Exception):
    """An error number with its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class AltcraftDouble(VendorDouble):
    """Three methods: profiles/import, goals/register, databases/fields_get.

    `http_errors` answers an error under its own number as the HTTP status;
    without it everything is 200, as some installations do. `old` reads
    X-Request-ID and marks duplicates as older versions did. `limit` is API_MAX_REQUESTS_COUNT for a
    `window` of seconds. `keeps_failures` replays those too.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        http_errors: bool = False,
        old: bool = False,
        limit: int = 0,
        window: float = 1.0,
        keeps_failures: bool = False,
    ) -> None:
        super().__init__()
        self.tokens: set[str] = set()
        self.powerless: set[str] = set()  #: tokens without rights
        self.exhausted = False  #: the tariff's limit is reached
        self.databases: dict[int, list[Profile]] = {}
        self.fields: set[str] = {"telegram_id", "tg_status"}
        self.pixels: set[int] = set()
        self.goals: list[dict[str, Any]] = []
        #: by method, the numbers of what may be started
        self.automations: dict[str, set[int]] = {method: set() for method in STARTS}
        self.started: list[dict[str, Any]] = []
        self._clock = clock
        self._http_errors = http_errors
        self._old = old
        self._limit, self._window = limit, window
        self._keeps_failures = keeps_failures
        self._seen: list[float] = []
        self._stored: dict[tuple[str, str], tuple[float, Reply]] = {}
        self._ids = itertools.count(0x5F4FA1A5CE9448665FEF5480)

    def answer(self, call: VendorCall) -> Reply:
        """One request."""
        body = call.body if isinstance(call.body, dict) else {}
        token = _token(call, body)
        name = call.headers.get("x-request-id" if self._old else "request-id", "")
        at, stored = self._stored.get((token, name), (0.0, None))
        if stored and self._clock() - at < REMEMBER_SECONDS:
            before = "X-" if self._old else ""
            marks = {f"{before}Duplicate-Request": "true", f"{before}Duplicate-Key": name}
            return Reply(stored.status, stored.body, {**stored.headers, **marks})
        said = self._act(call, token, body)
        if name and (said.body["error"] == 0 or self._keeps_failures):
            self._stored[token, name] = self._clock(), said
        return said

    def _act(self, call: VendorCall, token: str, body: dict[str, Any]) -> Reply:
        try:
            more = self._do(call, token, body)
        except Refused as refused:
            status = refused.code if self._http_errors else 200
            return Reply(status, {"error": refused.code, "error_text": refused.text})
        return Reply(200, {"error": 0, "error_text": "Successful operation", **more})

    def _do(self, call: VendorCall, token: str, body: dict[str, Any]) -> dict[str, Any]:
        self._within_limit()
        if "application/json" not in call.headers.get("content-type", ""):
            raise Refused(415, "Unsupported content type")
        if not isinstance(call.body, dict):
            raise Refused(400, "Malformed request")
        if not token or token not in self.tokens:
            raise Refused(401, "Token required")
        if token in self.powerless:
            raise Refused(403, "Access denied")
        methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/api/v1.1/profiles/import": self._import,
            "/api/v1.1/goals/register": self._register,
            "/api/v1.1/databases/fields_get": self._list_fields,
            **{path: partial(self._start, path) for path in STARTS},
        }
        if call.method != "POST" or call.path not in methods:
            raise Refused(501, "Method not implemented")
        if self.exhausted:
            raise Refused(402, "Tariff limit reached")
        return methods[call.path](body)

    def _start(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """A trigger or a scenario, for one profile."""
        if body.get("matching") not in STARTS[method]:
            raise Refused(450, "Unknown matching")
        if body.get("id") not in self.automations[method]:
            raise Refused(404, "Nothing of this number")
        everyone = [profile for profiles in self.databases.values() for profile in profiles]
        found = self._find(everyone, body)
        if found is None:
            raise Refused(404, "Profile not found")
        if not all(isinstance(text, str) for text in body["content"].values()):
            raise Refused(450, "Wrong content")
        self.started.append({"method": method, "profile": found.id, **body})
        return {"profile_id": found.id}

    def _within_limit(self) -> None:
        now = self._clock()
        self._seen = [at for at in self._seen if now - at < self._window]
        if self._limit and len(self._seen) >= self._limit:
            raise Refused(429, "API_MAX_REQUESTS_COUNT exceeded")
        self._seen.append(now)

    def _database(self, body: dict[str, Any]) -> list[Profile]:
        if not isinstance(body.get("db_id"), int):
            raise Refused(450, "db_id must be a number")
        if body["db_id"] not in self.databases:
            raise Refused(404, "Database not found")
        return self.databases[body["db_id"]]

    def _list_fields(self, body: dict[str, Any]) -> dict[str, Any]:
        self._database(body)
        return {"data": [{"name": name, "type": "string"} for name in sorted(self.fields)]}

    def _import(self, body: dict[str, Any]) -> dict[str, Any]:
        database, data = self._database(body), body.get("data")
        if not isinstance(data, dict):
            raise Refused(450, "data is required")
        found = self._find(database, body)
        if found is None and body.get("matching") == "profile_id":
            raise Refused(404, "Profile not found")
        for name in data:
            if not name.startswith("_") and name not in {
                *self.fields, "email", "phones", "subscriptions",
            }:  # fmt: skip
                raise Refused(450, f"Unknown field {name}")
        if found is None:
            found = Profile(f"{next(self._ids):024x}")
            database.append(found)
        subscriptions = data.get("subscriptions", [])
        if not (body.get("skip_invalid_subscriptions") or all(map(_is_telegram, subscriptions))):
            raise Refused(450, "Invalid subscription")
        found.data |= {name: value for name, value in data.items() if name != "subscriptions"}
        found.subscriptions += [one for one in subscriptions if _is_telegram(one)]
        return {"profile_id": found.id}

    def _register(self, body: dict[str, Any]) -> dict[str, Any]:
        found = self._find(self._database(body), body)
        if body.get("pixel_id") not in self.pixels:
            raise Refused(404, "Pixel not found")
        if found is None:
            raise Refused(404, "Profile not found")
        _check_goal(body)
        self.goals.append({**body, "token": None, "profile": found.id})
        return {"profile_id": found.id}

    def _find(self, database: list[Profile], body: dict[str, Any]) -> Profile | None:
        matching = body.get("matching", "email")
        if matching not in _NEEDS:
            raise Refused(450, "Unknown matching")
        value = body.get(_NEEDS[matching])
        if value in (None, ""):
            raise Refused(450, f"{_NEEDS[matching]} is required")
        if matching == "custom" and body.get("field_name") not in self.fields:
            raise Refused(450, "Unknown field_name")
        fitting = [one for one in database if _fits(one, matching, body, value)]
        if len(fitting) > 1:
            raise Refused(435, "Several profiles found")
        return fitting[0] if fitting else None


def _fits(profile: Profile, matching: str, body: dict[str, Any], value: Any) -> bool:
    if matching == "custom":
        return bool(profile.data.get(body["field_name"]) == value)
    if matching == "profile_id":
        return bool(profile.id == value)
    if matching == "phone":
        return value in profile.data.get("phones", [])
    return bool(profile.data.get("email") == value)


def _check_goal(body: dict[str, Any]) -> None:
    if not _GOAL.fullmatch(str(body.get("goal", ""))):
        raise Refused(450, "Wrong name of the goal")
    if "date" in body and not _DATE.fullmatch(str(body["date"])):
        raise Refused(450, "Wrong date")
    value = body.get("value", 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(450, "Wrong value")
    data = body.get("pixel_data", {})
    size = len(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    if size > MAX_PIXEL_DATA or any(isinstance(one, dict | list) for one in data.values()):
        raise Refused(450, "Wrong pixel_data")


def _is_telegram(one: dict[str, Any]) -> bool:
    chat = (one.get("cc_data") or {}).get("id")
    return one.get("channel") == "telegram_bot" and isinstance(chat, int)


def _token(call: VendorCall, body: dict[str, Any]) -> str:
    bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
    return str(body.get("token") or bearer)
