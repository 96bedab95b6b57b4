"""A worker for AdTarget's REST API, written from its published pages alone.

It knows nothing of Gatepost: what these pages do not say it does not expect, and what they
say it insists on.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask.testing import FlaskClient

KEY: Final = re.compile(r"^atk_live_[A-Za-z0-9]{8}_\S{16,}$")
#: The documented codes of errors, and the HTTP status of each.
CODES: Final = {
    "AUTH_REQUIRED": 401,
    "INVALID_KEY": 401,
    "REVOKED_KEY": 401,
    "SUBSCRIPTION_INACTIVE": 402,
    "INVALID_PAYLOAD": 400,
    "CHANNEL_NOT_FOUND": 404,
    "LEAD_NOT_FOUND": 404,
    "CONVERSION_NOT_FOUND": 404,
    "RATE_LIMITED": 429,
    "INTERNAL_ERROR": 500,
    "API_DISABLED": 503,
}


class Refused(Exception):
    """The API answered an error; `code` is its word."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.retry_after = status, code, retry_after


def key_of(account: Any) -> str:
    """An API key of ours, as AdTarget writes keys."""
    number, _, secret = account.key.partition("-")
    return f"atk_live_{int(number):08}_{secret}"


def refused(call: Callable[..., Any], *arguments: Any, **fields: Any) -> Refused:
    """Make a call that must be refused, and return how."""
    try:
        call(*arguments, **fields)
    except Refused as error:
        return error
    raise AssertionError("the call was taken")


@dataclass(slots=True)
class Worker:
    """Calls the API with one key, for a visitor whom its headers name."""

    client: FlaskClient
    key: str
    base: str = "/api/v1"
    visitor_ip: str = ""
    visitor_agent: str = ""
    replayed: bool = False

    def __post_init__(self) -> None:
        assert KEY.match(self.key), "this is no key of AdTarget's"

    def visit(self, href: str, *, idempotency_key: str = "", **fields: Any) -> dict[str, Any]:
        answer = self._call("POST", "/events/visit", {"href": href, **fields}, idempotency_key)
        assert set(answer) == {"visitId", "sessionId", "tempId", "clientSessionId", "cookies"}
        names = {"tempId": ("adtarget_temp_id", 31536000), "session": ("adtarget_session_id", 1800)}
        for part, (name, age) in names.items():
            cookie = answer["cookies"][part]
            assert cookie == {"name": name, "value": cookie["value"], "maxAge": age,
                              "sameSite": "Lax"}  # fmt: skip
        return answer

    def update_fbp(self, temp_id: str, fbp: str) -> bool:
        answer = self._call("POST", "/events/update-fbp", {"tempId": temp_id, "fbp": fbp})
        assert set(answer) == {"success"}
        return bool(answer["success"])

    def invite(self, *, idempotency_key: str = "", **fields: Any) -> str:
        """The link to redirect the visitor to, however it is called."""
        answer = self._call("POST", "/events/invite", fields, idempotency_key)
        return str(answer.get("inviteLink") or answer.get("link") or answer["url"])

    def conversion(
        self, telegram_user_id: int, event_type: str, *, idempotency_key: str = "", **fields: Any
    ) -> dict[str, Any]:
        body = {"telegramUserId": telegram_user_id, "eventType": event_type, **fields}
        return self._conversion("/events/conversion", body, idempotency_key)

    def lead_event(
        self, telegram_user_id: int, event_type: str, *, idempotency_key: str = "", **fields: Any
    ) -> dict[str, Any]:
        body = {"eventType": event_type, **fields}
        return self._conversion(f"/leads/{telegram_user_id}/events", body, idempotency_key)

    def set_value(
        self, telegram_user_id: int, conversion_id: str, value: float, currency: str,
        *, idempotency_key: str = "",
    ) -> dict[str, Any]:  # fmt: skip
        path = f"/leads/{telegram_user_id}/conversions/{conversion_id}/value"
        return self._call("POST", path, {"value": value, "currency": currency}, idempotency_key)

    def lead(self, telegram_user_id: int) -> dict[str, Any]:
        return self._call("GET", f"/leads/{telegram_user_id}", None)

    def _conversion(self, path: str, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        answer = self._call("POST", path, body, key)
        assert isinstance(answer["conversionId"], str)
        assert answer["conversionId"]
        assert answer["capiStatus"] in ("pending", "skipped")
        assert isinstance(answer["coldLead"], bool)
        assert all(set(one) == {"sendId", "platform"} for one in answer.get("sends", []))
        return answer

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None, idempotency_key: str = ""
    ) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.key}"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        if self.visitor_ip:
            headers["X-Adtarget-Client-IP"] = self.visitor_ip
            headers["X-Adtarget-Client-User-Agent"] = self.visitor_agent
        if body is not None:
            headers["Content-Type"] = "application/json"
        response = self.client.open(
            f"{self.base}{path}", method=method, headers=headers,
            data=None if body is None else json.dumps(body),
        )  # fmt: skip
        parsed = json.loads(response.get_data(as_text=True))
        self.replayed = response.headers.get("X-Idempotent-Replay") == "true"
        if response.status_code == 200:
            assert "error" not in parsed
            return dict(parsed)
        error = parsed["error"]
        wait = response.headers.get("Retry-After")
        refused = Refused(
            response.status_code, error["code"], error["message"], int(wait) if wait else None
        )
        if error["code"] in CODES:
            assert CODES[error["code"]] == response.status_code
        raise refused
