"""Every vendor as the tests of connected trackers see it: a row for each.

Adding an adapter adds a row; what all must keep is in test_connected.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.sandbox.vendors import altercpa, meta, metrica, tiktok
from app.sandbox.vendors.vendor import Reply, VendorCall
from plugins.kit.ad_platforms import normalized_hash

#: Our five events, as two people go through them: one leaves, one is removed.
PATH = ("wait", "hold", "approve", "cancel", "wait", "approve", "trash")


@dataclass(frozen=True)
class Row:
    """What to expect of one tracker."""

    words: dict[str, str]  #: what it calls each event
    people: tuple[Any, Any]  #: how it knows the two: person 101 of click c1, 102 of c2
    heard: Callable[[Any], list[tuple[Any, str]]]  #: who and what its double counted
    key: Callable[[VendorCall], Any]  #: by what it tells a repetition
    fault: Reply  #: how it says: not now
    receipt: str  #: what its receipt says of an event that was taken
    secret: str  #: the setting that lets us in; a dotted path
    renewed: str  #: another secret,
    accept: Callable[[Any, str], None]  #: after the double was told to accept that one alone
    days: int | None = None  #: how old an event it takes; None for any
    step: str = ""  #: the path at which the fault comes
    parking: tuple[Reply, ...] = ()  #: more answers that only its customer can mend

    def expected(self) -> list[tuple[Any, str]]:
        """What the double has to count after PATH."""
        return [(self.people[number > 3], self.words[kind]) for number, kind in enumerate(PATH)]


def _set(name: str, *, many: bool = False) -> Callable[[Any, str], None]:
    return lambda double, secret: setattr(double, name, {secret} if many else secret)


def _same(kinds: str = "wait hold approve cancel trash", prefix: str = "") -> dict[str, str]:
    return {kind: prefix + kind for kind in kinds.split()}


def _once(said: Any) -> list[tuple[Any, str]]:
    return list(dict.fromkeys(said))


def _event(call: VendorCall) -> Any:
    return call.body["data"][0]


def _let_in(double: Any, key: str) -> None:
    double.ring.keys.clear()
    double.ring.add(key)


def _let_token_in(double: Any, token: str) -> None:
    double.access.tokens = {token}


def _goals(double: Any) -> list[tuple[Any, str]]:
    ids = {one.id: one.data["telegram_id"] for one in double.account.databases[1]}
    return [(ids[goal["profile"]], goal["goal"]) for goal in double.account.goals]


ALTERCPA = Row(
    words=_same() | {"wait": "new"},
    people=("c1", "c2"),
    heard=lambda double: _once((one.click, one.status) for one in double.postbacks),
    key=lambda call: (call.query["click"], call.query["uid"], call.query["status"]),
    fault=altercpa.reply(status="error", error="db"),
    receipt="took it",
    secret="key",
    renewed="42-renewed",
    accept=_set("keys", many=True),
    parking=tuple(altercpa.reply(status="error", error=code) for code in ("ban", "unpaid")),
)

ADTARGET = Row(
    words={
        "wait": "BotStart",
        "hold": "Lead",
        "approve": "Subscribe",
        "cancel": "ChannelLeave",
        "trash": "ChannelBan",
    },
    people=(101, 102),
    heard=lambda double: [
        (one["telegramUserId"], one.get("customEventName") or one["eventType"])
        for one in double.account.conversions
    ],
    key=lambda call: call.headers["idempotency-key"],
    fault=Reply(500, {"error": {"code": "INTERNAL_ERROR", "message": "oops"}}),
    receipt="conversion j97",
    secret="key",
    renewed="atk_live_87654321_abcdefghijklmnopqrstuvwxyz012345",
    accept=_let_in,
    parking=(Reply(402, {"error": {"code": "SUBSCRIPTION_INACTIVE", "message": "pay"}}),),
)

ALTCRAFT = Row(
    words=_same(prefix="telegram_"),
    people=("101", "102"),
    heard=_goals,
    key=lambda call: call.headers["request-id"],
    fault=Reply(200, {"error": 500, "error_text": "Internal error"}),
    receipt="done",
    secret="token",
    renewed="fedcba9876543210fedcba9876543210",
    accept=_let_token_in,
    step="/goals/register",
    parking=tuple(Reply(200, {"error": code, "error_text": "no"}) for code in (402, 403)),
)


#: Orbitra takes the same postbacks as Keitaro; the words are from its source.
_ORBITRA_REFUSAL = Reply(404, b"Invalid postback key", {"Content-Type": "text/plain"})


def _accept_as_orbitra(double: Any, key: str) -> None:
    """Refuse other keys in words: Keitaro itself shows its panel, which parks nothing."""
    double.key, double.refusal = key, _ORBITRA_REFUSAL


KEITARO = Row(
    words=_same(),
    people=("c1", "c2"),
    heard=lambda double: _once(double.postbacks),
    key=lambda call: (call.query["subid"], call.query["status"]),
    fault=Reply(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"}),
    receipt="the tracker took it",
    secret="fields.postback_key",
    renewed="a1b2c3d4",
    accept=_accept_as_orbitra,
)

META = Row(
    words={
        "wait": "Contact",
        "hold": "SubmitApplication",
        "approve": "Subscribe",
        "cancel": "Unsubscribe",
        "trash": "Kicked",
    },
    people=(normalized_hash("101"), normalized_hash("102")),
    heard=lambda double: [
        (one["user_data"]["external_id"][0], one["event_name"]) for one in double.counted()
    ],
    key=lambda call: (_event(call)["event_name"], _event(call)["event_id"]),
    fault=meta.error(2, 0, "An unexpected error has occurred.", status=500),
    receipt="Meta received the event",
    secret="access_token",
    renewed="a-renewed-token",
    accept=_set("token"),
    days=7,
    parking=(meta.error(200, 0, "Permissions error", status=403),),
)

TIKTOK = Row(
    words=META.words | {"hold": "SubmitForm"},
    people=META.people,
    heard=lambda double: [
        (one["user"]["external_id"][0], one["event"]) for one in double.counted()
    ],
    key=lambda call: (_event(call)["event"], _event(call)["event_id"]),
    fault=tiktok.error(50000, "System error"),
    receipt="TikTok took the event",
    secret="access_token",
    renewed="a-renewed-token",
    accept=_set("token"),
    days=28,
    parking=(tiktok.error(40001, "No permission to operate the pixel"),),
)

METRICA = Row(
    words={
        "wait": "telegram_start",
        "hold": "telegram_request",
        "approve": "telegram_join",
        "cancel": "telegram_leave",
        "trash": "telegram_kick",
    },
    people=("c1", "c2"),
    # It counts a file that comes again: nothing in its API could prevent that.
    heard=lambda double: _once((one["UserId"], one["Target"]) for one in double.rows()),
    key=lambda call: (call.headers["content-type"], call.raw),
    fault=metrica.error(429, "quota_requests_by_uid", "Too many requests"),
    receipt="Metrica took it",
    secret="access_token",
    renewed="y0_renewed-token",
    accept=_set("token"),
    parking=(metrica.error(403, "access_denied", "Access is denied"),),
)

WEBHOOK = Row(
    words=_same(prefix="lead."),
    people=(101, 102),
    heard=lambda double: [
        (one["data"]["subscriber"], one["type"]) for one in double.events.values()
    ],
    key=lambda call: call.headers["webhook-id"],
    fault=Reply(404, b"a deployment"),
    receipt="HTTP 204",
    secret="secret",
    renewed="whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    accept=_set("secrets", many=True),
)

ROWS = {
    "altercpa_lite": ALTERCPA,
    "adtarget_capi": ADTARGET,
    "altcraft": ALTCRAFT,
    "url_template": KEITARO,
    "meta_capi": META,
    "tiktok_events": TIKTOK,
    "yandex_metrica": METRICA,
    "webhook": WEBHOOK,
}
