"""The form of a desk's rule: what was typed as a rule of the API, and a rule in words."""

from collections.abc import Mapping
from typing import Any, Final

from babel.dates import get_day_names
from marshmallow import ValidationError

from app.dashboard.access import forms
from app.dashboard.access.forms import Form
from app.dashboard.formatting import language
from app.domain.join_requests.conditions import CONDITIONS
from app.domain.join_requests.facts import Came
from app.domain.join_requests.rules import Verdict
from app.errors import BadParameter
from app.schemas.rules import RuleFields, checked_rule
from app.translations import gettext

FLAGS: Final = ("premium", "username", "was_member", "blocked", "bio_has_link", "name_has_link")
NUMBERS: Final = ("id_above", "asked_before", "share")
LANGUAGES: Final = ("language", "language_not")
FIELDS: Final = ("action", "otherwise", "delay_from", "delay_to", "note")
#: A new rule, as it stands in the form.
NEW: Final[Mapping[str, Any]] = {
    "conditions": {}, "action": "approve", "otherwise": "hold", "delay_from": 0, "delay_to": 0,
    "note": "", "enabled": True,
}  # fmt: skip


def typed(form: Form) -> dict[str, Any]:
    """Return what was typed as `rules/set` has it; what is no number stays as it is."""
    conditions: dict[str, Any] = {}
    for name in FLAGS:
        if form.get(name) in {"yes", "no"}:
            conditions[name] = form[name] == "yes"
    for name in NUMBERS:
        conditions[name] = _number(form.get(name, ""))
    for name in LANGUAGES:
        conditions[name] = form.get(name, "").replace(",", " ").split()
    conditions["link_name"] = form.get("link_name", "").strip()
    conditions["how"] = list(filter(None, form.all("how")))
    for name in ("source", "weekday"):
        conditions[name] = [_number(text) for text in form.all(name) if text]
    hours = [_number(form.get(name, "")) for name in ("hours_from", "hours_to")]
    conditions["hours"] = [hour for hour in hours if hour != ""]
    filled = {name: value for name, value in conditions.items() if value not in ("", [])}
    fields = {name: form.get(name, "").strip() for name in FIELDS}
    return {"conditions": filled, **fields, "enabled": "enabled" in form}


def checked(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a typed rule as it is kept. Raises BadParameter with the name of the wrong field."""
    for name, value in raw["conditions"].items():
        try:
            CONDITIONS[name].check(value)
        except ValueError as error:
            raise BadParameter(name, str(error)) from None
    forms.checked(RuleFields(), {name: raw[name] for name in FIELDS})
    try:
        return checked_rule(raw)
    except ValidationError as error:
        raise BadParameter("otherwise", str(error.messages[0])) from None


def shown(rule: Any) -> dict[str, Any]:
    """Return a stored rule as it stands in the form."""
    fields = {name: getattr(rule, name) for name in ("delay_from", "delay_to", "note", "enabled")}
    words = {name: Verdict(getattr(rule, name)).name.lower() for name in ("action", "otherwise")}
    return {"conditions": rule.conditions, **words, **fields}


def in_words(conditions: Mapping[str, Any], sources: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return each condition's name and value for people."""
    names = titles()
    return [
        (names.get(name, name), _value(name, value, sources)) for name, value in conditions.items()
    ]


def titles() -> dict[str, str]:
    """Return what each condition is called."""
    return {
        "how": gettext("How they came"),
        "source": gettext("Sources"),
        "link_name": gettext("Name of the invite link"),
        "premium": gettext("Telegram Premium"),
        "language": gettext("Languages of their Telegram"),
        "language_not": gettext("Languages that it has not"),
        "username": gettext("Have a username"),
        "id_above": gettext("Telegram id above"),
        "bio_has_link": gettext("A link or an @name in what they say of themselves"),
        "name_has_link": gettext("A link or an @name in their name"),
        "blocked": gettext("Are blocked"),
        "asked_before": gettext("Were declined within so many days"),
        "was_member": gettext("Were in the chat before"),
        "hours": gettext("Hours of the day"),
        "weekday": gettext("Weekdays"),
        "share": gettext("So many of a hundred, always the same people"),
    }


def actions() -> dict[str, str]:
    """Return what a rule does, by the name of its action in the API."""
    return {
        "approve": gettext("lets in"),
        "decline": gettext("declines"),
        "hold": gettext("leaves to you"),
        "ask": gettext("asks by a button, and lets in who answers"),
    }


def ways() -> dict[str, str]:
    """Return by what people come, by its name in the API."""
    return {
        Came.CLICK.word: gettext("by an ad's click"),
        Came.SOURCE.word: gettext("by a source"),
        Came.UNKNOWN.word: gettext("unknown"),
    }


def weekdays() -> dict[int, str]:
    """Return the days of the week, the first is 1."""
    names = get_day_names("abbreviated", locale=language())
    return {number + 1: str(names[number]) for number in range(7)}


def _value(name: str, value: Any, sources: Mapping[int, str]) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if name == "hours":
        return "–".join(  # noqa: RUF001 - people read it
            f"{hour}:00" for hour in value
        )
    words: dict[str, Mapping[Any, str]] = {"how": ways(), "source": sources, "weekday": weekdays()}
    if isinstance(value, list):
        return ", ".join(words.get(name, {}).get(each, str(each)) for each in value)
    return str(value)


def _number(text: str) -> int | str:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else digits
