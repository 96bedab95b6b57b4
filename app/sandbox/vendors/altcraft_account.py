"""An account at Altcraft: databases of profiles, pixels, goals, triggers and scenarios.

Source: Altcraft's developer guide, API v1.1. It lists error numbers; their texts
are ours, and so is what the guide leaves open: a field that is not in the
database is refused (450), and a goal for a profile that is not there is 404.
Not played: matching by subscriptions, and channels other than `telegram_bot`.
"""

import itertools
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final

MAX_PIXEL_DATA: Final = 1024  #: bytes of JSON
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
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_STANDARD_FIELDS: Final = frozenset({"email", "phones", "subscriptions"})
#: matching → the key its value is under
_NEEDS: Final = {
    "custom": "field_value",
    "profile_id": "profile_id",
    "email": "email",
    "email_profile": "email",
    "phone": "phone",
}


class Refused(Exception):
    """An error number with its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass
class Profile:
    """One profile: its data as imported, and what was subscribed."""

    id: str
    data: dict[str, Any] = field(default_factory=dict)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)


class Account:
    """What a token opens. Each method takes the body of a request and may raise Refused.

    `databases` are profiles by number, `fields` the custom fields of every
    database, `automations` the numbers of what may be started, by path. `goals`
    and `started` are what was registered and started, oldest first.
    """

    def __init__(self) -> None:
        self.databases: dict[int, list[Profile]] = {}
        self.fields: set[str] = {"telegram_id", "tg_status"}
        self.pixels: set[int] = set()
        self.automations: dict[str, set[int]] = {path: set() for path in STARTS}
        self.goals: list[dict[str, Any]] = []
        self.started: list[dict[str, Any]] = []
        self._ids = itertools.count(0x5F4FA1A5CE9448665FEF5480)

    def list_fields(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the custom fields of a database. The shape of the answer is ours."""
        self._database(body)
        return {"data": [{"name": name, "type": "string"} for name in sorted(self.fields)]}

    def import_profile(self, body: dict[str, Any]) -> dict[str, Any]:
        """Create a profile or change it."""
        database, data = self._database(body), body.get("data")
        if not isinstance(data, dict):
            raise Refused(450, "data is required")
        profile = self._find(database, body)
        if profile is None and body.get("matching") == "profile_id":
            raise Refused(404, "Profile not found")
        for name in data:
            if not name.startswith("_") and name not in self.fields | _STANDARD_FIELDS:
                raise Refused(450, f"Unknown field {name}")
        subscriptions = data.get("subscriptions", [])
        if not (body.get("skip_invalid_subscriptions") or all(map(_is_telegram, subscriptions))):
            raise Refused(450, "Invalid subscription")
        if profile is None:
            profile = Profile(f"{next(self._ids):024x}")
            database.append(profile)
        profile.data |= {name: value for name, value in data.items() if name != "subscriptions"}
        profile.subscriptions += [
            subscription for subscription in subscriptions if _is_telegram(subscription)
        ]
        return {"profile_id": profile.id}

    def register_goal(self, body: dict[str, Any]) -> dict[str, Any]:
        """Register a goal of a profile. That the answer names the profile is ours."""
        profile = self._find(self._database(body), body)
        if body.get("pixel_id") not in self.pixels:
            raise Refused(404, "Pixel not found")
        if profile is None:
            raise Refused(404, "Profile not found")
        _check_goal(body)
        self.goals.append({**body, "token": None, "profile": profile.id})
        return {"profile_id": profile.id}

    def start(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Start a trigger or a scenario for one profile."""
        if body.get("matching", "email") not in STARTS[path]:
            raise Refused(450, "Unknown matching")
        if body.get("id") not in self.automations[path]:
            raise Refused(404, "Nothing of this number")
        everyone = [profile for profiles in self.databases.values() for profile in profiles]
        profile = self._find(everyone, body)
        if profile is None:
            raise Refused(404, "Profile not found")
        if not isinstance(body.get("content", {}), dict):
            raise Refused(450, "content must be an object")
        self.started.append({"method": path, "profile": profile.id, **body})
        return {"profile_id": profile.id}

    def _database(self, body: dict[str, Any]) -> list[Profile]:
        if not isinstance(body.get("db_id"), int):
            raise Refused(450, "db_id must be a number")
        if body["db_id"] not in self.databases:
            raise Refused(404, "Database not found")
        return self.databases[body["db_id"]]

    def _find(self, database: list[Profile], body: dict[str, Any]) -> Profile | None:
        matching = body.get("matching", "email")
        if matching not in _NEEDS:
            raise Refused(450, "Unknown matching")
        value = body.get(_NEEDS[matching])
        if value in (None, ""):
            raise Refused(450, f"{_NEEDS[matching]} is required")
        if matching == "custom" and body.get("field_name") not in self.fields:
            raise Refused(450, "Unknown field_name")
        fitting = [profile for profile in database if _fits(profile, matching, body, value)]
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
    if size > MAX_PIXEL_DATA or any(isinstance(value, dict | list) for value in data.values()):
        raise Refused(450, "Wrong pixel_data")


def _is_telegram(subscription: dict[str, Any]) -> bool:
    chat = (subscription.get("cc_data") or {}).get("id")
    return subscription.get("channel") == "telegram_bot" and isinstance(chat, int)
