"""AdTarget's REST API on loopback, as its reference describes it.

Limits: 300 requests a minute for each key, in bursts of at most 50. Answers
are replayed to a repeated Idempotency-Key of the same API key for 24 hours,
whatever the body says then.

The reference lists codes and statuses; the messages are ours, and so is what it
leaves open: a missing or unknown site is INVALID_PAYLOAD, as is an
Idempotency-Key of more than 128 characters; a 429 asks to wait one second; an
address that is not played here is a 404 without JSON. So are what `events/invite` takes (a
`tempId`) and what `…/value` takes and answers (`value` and `currency`, the conversion).
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from app.sandbox.vendors.vendor import Reply, VendorCall, VendorDouble

PER_SECOND: Final = 300 / 60
BURST: Final = 50
REPLAY_SECONDS: Final = 24 * 3600
MAX_KEY: Final = 128  #: characters of an Idempotency-Key
TYPES: Final = ("Lead", "Purchase", "CompleteRegistration", "Subscribe", "Custom")

_LEAD: Final = re.compile(r"/api/v1/leads/(\d+)")
_VALUE: Final = re.compile(r"/api/v1/leads/(\d+)/conversions/([^/]+)/value")


@dataclass
class Key:
    """One API key: in what state, and its bucket and stored answers."""

    state: str = "active"  #: or revoked, unpaid
    tokens: float = BURST
    filled: float = 0.0
    stored: dict[str, tuple[float, Reply]] = field(default_factory=dict)


class Refused(Exception):
    """An error in the vendor's shape."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.reply = Reply(status, {"error": {"code": code, "message": message}}, headers)


class KeyRing:
    """API keys: which are let in, how often they call, and what they were answered.

    `clock` gives seconds. `stores_errors` keeps error answers for replay too:
    the reference does not say which it is. `disabled` is the vendor's own
    switch for the whole API.
    """

    def __init__(self, clock: Callable[[], float], *, stores_errors: bool) -> None:
        self.keys: dict[str, Key] = {}
        self.disabled = False
        self._clock = clock
        self._stores_errors = stores_errors

    def add(self, text: str) -> Key:
        """Let an API key in."""
        self.keys[text] = Key(filled=self._clock())
        return self.keys[text]

    def authorised(self, call: VendorCall) -> Key:
        """Return the key of a call. Raises Refused."""
        if self.disabled:
            raise Refused(503, "API_DISABLED", "The API is temporarily disabled")
        scheme, _, text = call.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not text:
            raise Refused(401, "AUTH_REQUIRED", "Missing Authorization header")
        key = self.keys.get(text)
        if key is None:
            raise Refused(401, "INVALID_KEY", "Unknown API key")
        if key.state == "revoked":
            raise Refused(401, "REVOKED_KEY", "This API key was revoked")
        if key.state == "unpaid":
            raise Refused(402, "SUBSCRIPTION_INACTIVE", "Subscription is not active")
        return key

    def check_limits(self, key: Key) -> None:
        """Count a call. Raises Refused for one too many."""
        now = self._clock()
        key.tokens = min(BURST, key.tokens + (now - key.filled) * PER_SECOND)
        key.filled = now
        if key.tokens < 1:
            headers = {"Retry-After": "1"}
            raise Refused(429, "RATE_LIMITED", "Too many requests", **headers)
        key.tokens -= 1

    def answer(self, key: Key, name: str, act: Callable[[], Reply]) -> Reply:
        """Return the stored answer to an Idempotency-Key, or else what `act` answers."""
        now = self._clock()
        at, stored = key.stored.get(name, (0.0, None))
        if stored and now - at < REPLAY_SECONDS:
            headers = {**stored.headers, "X-Idempotent-Replay": "true"}
            return Reply(stored.status, stored.body, headers)
        reply = act()
        if name and (reply.status < 400 or self._stores_errors):
            key.stored[name] = now, reply
        return reply


class Account:
    """Sites, channels and platforms of an account, its leads and their conversions.

    `channels` None knows every channel. `old` answers and demands as before
    account-wide keys.
    """

    def __init__(self, *, old: bool) -> None:
        self.sites: set[str] = set()
        self.channels: set[str] | None = None
        self.platforms: tuple[str, ...] = ("meta",)
        self.known_leads: set[int] = set()
        self.conversions: list[dict[str, Any]] = []
        self.visits: dict[str, dict[str, Any]] = {}
        self._old = old

    def convert(self, body: Any) -> Reply:
        """Take a conversion. Raises Refused."""
        if not isinstance(body, dict):
            raise _invalid("the body is no JSON object")
        check_conversion(body, old=self._old)
        cold = body["telegramUserId"] not in self.known_leads
        site = body.get("websiteId") or body.get("siteId")
        if not self._old and (site not in self.sites if site else cold):
            raise _invalid("siteId or websiteId is required")
        channel = body.get("channelId")
        if channel and self.channels is not None and channel not in self.channels:
            raise Refused(404, "CHANNEL_NOT_FOUND", "Channel not found")
        self.conversions.append(body)
        return Reply(200, self._receipt(cold))

    def take_visit(self, name: str, body: Any) -> Reply:
        """Take a visit, its fbp or its invite link. Raises Refused."""
        if not isinstance(body, dict) or not isinstance(body.get("tempId"), str):
            raise _invalid("tempId must be a text")
        number = body["tempId"]
        if name == "visit":
            if not body.get("href"):
                raise _invalid("href is required")
            self.visits[number] = dict(body)
            return Reply(200, {"visitId": "v1", "sessionId": "s1", "tempId": number})
        if number not in self.visits:
            return Reply(200, {"success": False})
        self.visits[number] |= {"fbp": body["fbp"]} if name == "update-fbp" else {"invited": True}
        return Reply(200, {"success": True})

    def set_value(self, lead: int, number: str, body: Any) -> Reply:
        """Add a value to a conversion. Raises Refused."""
        index = int(number[3:]) - 1 if re.fullmatch(r"j97\d+", number) else -1
        if not 0 <= index < len(self.conversions):
            raise Refused(404, "CONVERSION_NOT_FOUND", "Conversion not found")
        conversion = self.conversions[index]
        if conversion["telegramUserId"] != lead:
            raise Refused(404, "CONVERSION_NOT_FOUND", "Conversion not found")
        conversion |= {"value": body["value"], "currency": body["currency"]}
        return Reply(200, {"conversionId": number})

    def read_lead(self, lead: int) -> Reply:
        """Return a lead with its conversions; the shape is ours. Raises Refused."""
        if lead not in self.known_leads:
            raise Refused(404, "LEAD_NOT_FOUND", "Lead not found")
        own = [
            conversion for conversion in self.conversions if conversion["telegramUserId"] == lead
        ]
        return Reply(200, {"telegramUserId": lead, "conversions": own})

    def _receipt(self, cold: bool) -> dict[str, Any]:
        number = len(self.conversions)
        sends = [{"sendId": f"kn7{number}", "platform": name} for name in self.platforms]
        receipt = {
            "conversionId": f"j97{number}",
            "capiStatus": "pending" if sends else "skipped",
            "coldLead": cold,
        }
        return receipt | ({"sends": sends} if self._old else {"dispatched": bool(sends)})


class AdTargetDouble(VendorDouble):
    """The conversions endpoint and the reading of leads. See `KeyRing` and `Account`."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        stores_errors: bool = False,
        old: bool = False,
    ) -> None:
        super().__init__()
        self.ring = KeyRing(clock, stores_errors=stores_errors)
        self.account = Account(old=old)

    def answer(self, call: VendorCall) -> Reply:
        """Answer one request."""
        try:
            key = self.ring.authorised(call)
            self.ring.check_limits(key)
            name = call.headers.get("idempotency-key", "")
            if len(name) > MAX_KEY:
                raise _invalid("Idempotency-Key is too long")
        except Refused as refused:
            return refused.reply
        return self.ring.answer(key, name, lambda: self._act(call))

    def _act(self, call: VendorCall) -> Reply:
        try:
            if (call.method, call.path) == ("POST", "/api/v1/events/conversion"):
                return self.account.convert(call.body)
            place = call.path.removeprefix("/api/v1/events/")
            if call.method == "POST" and place in ("visit", "update-fbp", "invite"):
                return self.account.take_visit(place, call.body)
            if call.method == "POST" and (asked := _VALUE.fullmatch(call.path)):
                return self.account.set_value(int(asked[1]), asked[2], call.body)
            if call.method == "GET" and (asked := _LEAD.fullmatch(call.path)):
                return self.account.read_lead(int(asked[1]))
        except Refused as refused:
            return refused.reply
        return Reply(404, b"Not Found", {"Content-Type": "text/plain"})


def check_conversion(body: dict[str, Any], *, old: bool = False) -> None:
    """Check a body against the field table of the conversions endpoint. Raises Refused."""
    if not _is_number(body.get("telegramUserId")):
        raise _invalid("telegramUserId must be a number")
    if old and not body.get("channelId"):
        raise _invalid("channelId is required")
    kind = body.get("eventType")
    if kind not in TYPES:
        raise _invalid(f"eventType must be one of {', '.join(TYPES)}")
    if (kind == "Custom") != bool(body.get("customEventName")):
        raise _invalid("customEventName goes with Custom, and only with it")
    if kind == "Purchase" and not (_is_number(body.get("value")) and body.get("currency")):
        raise _invalid("Purchase needs value and currency")
    if "currency" in body and not re.fullmatch("[A-Z]{3}", str(body["currency"])):
        raise _invalid("currency must be an ISO 4217 code")
    if "eventTime" in body and not (
        _is_number(body["eventTime"]) and body["eventTime"] > 1_000_000_000_000
    ):
        raise _invalid("eventTime must be milliseconds")
    _check_texts(body)


def _check_texts(body: dict[str, Any]) -> None:
    names = (
        "channelId siteId websiteId customEventName contentName externalUserId fbc fbp"
        " gclid ttclid sccid clientIp userAgent eventSourceUrl"
    )
    for name in names.split():
        if name in body and not (isinstance(body[name], str) and body[name]):
            raise _invalid(f"{name} must be a text")
    if not isinstance(body.get("pii", {}), dict):
        raise _invalid("pii must be an object")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _invalid(message: str) -> Refused:
    return Refused(400, "INVALID_PAYLOAD", message)
