"""Altcraft's API v1.1 on loopback, as its developer guide describes it.

A repeated Request-ID of the same token gets the first answer again for a day,
and nothing is done. What the account does: `altcraft_account.py`.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from app.sandbox.vendors.altcraft_account import STARTS, Account, Refused
from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

REMEMBER_SECONDS: Final = 86_400


class Access:
    """Which tokens are known, which of them have no rights, and whether the tariff is spent."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()
        self.powerless: set[str] = set()
        self.exhausted = False

    def check_token(self, token: str) -> None:
        """Raise Refused for a token that may do nothing.

        Ours: a wrong token is refused like a missing one; the guide does not say.
        """
        if not token or token not in self.tokens:
            raise Refused(401, "Token required")
        if token in self.powerless:
            raise Refused(403, "Access denied")

    def check_tariff(self) -> None:
        """Raise Refused if the limit of the tariff is reached."""
        if self.exhausted:
            raise Refused(402, "Tariff limit reached")


class RequestLimit:
    """API_MAX_REQUESTS_COUNT: at most `limit` requests in `window` seconds, 0 for any number.

    The window is ours: the guide names the setting and the error only.
    """

    def __init__(self, clock: Callable[[], float], limit: int, window: float) -> None:
        self._clock = clock
        self._limit = limit
        self._window = window
        self._seen: list[float] = []

    def check(self) -> None:
        """Count a request. Raises Refused for one too many."""
        now = self._clock()
        self._seen = [at for at in self._seen if now - at < self._window]
        if self._limit and len(self._seen) >= self._limit:
            raise Refused(429, "API_MAX_REQUESTS_COUNT exceeded")
        self._seen.append(now)


class Deduplication:
    """First answers by token and Request-ID.

    `old` reads X-Request-ID and marks duplicates as older versions did.
    `keeps_failures` replays errors too: the guide does not say which it is.
    """

    def __init__(self, clock: Callable[[], float], *, old: bool, keeps_failures: bool) -> None:
        self._clock = clock
        self._prefix = "X-" if old else ""
        self._keeps_failures = keeps_failures
        self._stored: dict[tuple[str, str], tuple[float, Reply]] = {}

    def answer(self, call: VendorCall, token: str, act: Callable[[], Reply]) -> Reply:
        """Return the stored answer of a repeated request, or else what `act` answers."""
        name = call.headers.get(f"{self._prefix}Request-ID".lower(), "")
        at, stored = self._stored.get((token, name), (0.0, None))
        if stored and self._clock() - at < REMEMBER_SECONDS:
            marks = {"Duplicate-Request": "true", "Duplicate-Key": name}
            headers = {f"{self._prefix}{mark}": value for mark, value in marks.items()}
            return Reply(stored.status, stored.body, {**stored.headers, **headers})
        reply = act()
        if name and (reply.body["error"] == 0 or self._keeps_failures):
            self._stored[token, name] = self._clock(), reply
        return reply


class AltcraftDouble(VendorDouble):
    """profiles/import, goals/register, databases/fields_get, triggers and scenarios.

    `http_errors` answers an error under its own number as the HTTP status;
    without it everything is 200, as some installations do. For the others see
    `RequestLimit` and `Deduplication`. `clock` gives seconds.
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
        self.account = Account()
        self.access = Access()
        self._limit = RequestLimit(clock, limit, window)
        self._duplicates = Deduplication(clock, old=old, keeps_failures=keeps_failures)
        self._http_errors = http_errors

    def answer(self, call: VendorCall) -> Reply:
        """Answer one request."""
        body = call.body if isinstance(call.body, dict) else {}
        token = _token(call, body)
        return self._duplicates.answer(call, token, lambda: self._act(call, token, body))

    def _act(self, call: VendorCall, token: str, body: dict[str, Any]) -> Reply:
        try:
            self._limit.check()
            more = self._do(call, token, body)
        except Refused as refused:
            status = refused.code if self._http_errors else 200
            return Reply(status, {"error": refused.code, "error_text": refused.text})
        return Reply(200, {"error": 0, "error_text": "Successful operation", **more})

    def _do(self, call: VendorCall, token: str, body: dict[str, Any]) -> dict[str, Any]:
        if "application/json" not in call.headers.get("content-type", ""):
            raise Refused(415, "Unsupported content type")
        if not isinstance(call.body, dict):
            raise Refused(400, "Malformed request")
        self.access.check_token(token)
        methods: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/api/v1.1/profiles/import": self.account.import_profile,
            "/api/v1.1/goals/register": self.account.register_goal,
            "/api/v1.1/databases/fields_get": self.account.list_fields,
            **{path: partial(self.account.start, path) for path in STARTS},
        }
        if call.method != "POST" or call.path not in methods:
            raise Refused(501, "Method not implemented")
        self.access.check_tariff()
        return methods[call.path](body)


def _token(call: VendorCall, body: dict[str, Any]) -> str:
    bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
    return str(body.get("token") or bearer)
